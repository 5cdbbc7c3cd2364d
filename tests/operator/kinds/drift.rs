//! What others change in Proxmox VE is put right and told, or only told.

use serde_json::json;

use crate::kinds::bench::Bench;
use crate::kinds::table::{Choice, Table, insert};
use crate::world::condition;

pub async fn each_field_broken_by_hand_is_corrected_and_told(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    let expected = bench.table.shown(|_| Choice::One);
    for name in bench.table.fields.iter().map(|field| field.name) {
        bench.break_by_hand(name).await;
        bench.comes_to(&format!("{name} is put right"), &expected).await;
        bench.told("DriftCorrected", &[name, bench.table.thing.claim]).await;
        bench.ready().await;
    }
}

pub async fn removed_by_hand_it_is_made_again_and_told(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    bench.by_hand(&bench.table.thing.remove).await;
    bench.comes_to("it is made again", &bench.table.shown(|_| Choice::One)).await;
    bench.told("DriftCorrected", &["again", bench.table.thing.claim]).await;
    bench.ready().await;
    bench.delete_and_wait().await;
    assert_eq!(bench.stands().await, None, "what we made again is ours");
}

/// What is there already is compared; nothing is written by any pass, nor by the deletion.
pub async fn observed_it_lists_what_differs_and_writes_nothing(table: Table) {
    let bench = Bench::new(table).await;
    bench.make_by_hand(Choice::Two).await;
    compare_only(&bench).await;
    bench.by_hand(&bench.table.thing.remove).await;
    let writes = bench.world.pve_writes();
    let create = format!("create {}", bench.table.thing.claim);
    bench
        .world
        .until("its absence is told", async || {
            (bench.object().await["status"]["pendingChanges"] == json!([create])).then_some(())
        })
        .await;
    bench.delete_and_wait().await;
    assert_eq!((bench.stands().await, bench.world.pve_writes()), (None, writes));
}

pub async fn observed_it_lists_other_settings_and_writes_nothing(table: Table) {
    let bench = Bench::new(table).await;
    bench.with_fields(&bench.table.thing.change, |_| Some(Choice::Two)).await;
    compare_only(&bench).await;
    bench.delete_and_wait().await;
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::Two)));
}

async fn compare_only(bench: &Bench) {
    let writes = bench.world.pve_writes();
    let mut spec = bench.table.spec(|_| Choice::One);
    insert(&mut spec, "managementPolicy", json!("Observe"));
    bench.put(&spec).await;
    bench.reason("Observed").await;
    bench.world.passes(2).await;
    let object = bench.object().await;
    let pending = object["status"]["pendingChanges"][0].as_str().expect("a pending change");
    for field in &bench.table.fields {
        assert!(pending.contains(field.name), "{} in {pending}", field.name);
    }
    assert!(condition(&object, "Drifted").is_some());
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::Two)));
    assert_eq!(bench.world.pve_writes(), writes);
}
