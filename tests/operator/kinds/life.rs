//! From the first apply to the deletion.

use serde_json::json;

use crate::kinds::bench::{Bench, flow};
use crate::kinds::table::{Choice, Comes, Field, Need, Table, Unset, insert};

pub async fn created_it_stands_as_its_spec_says(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::One)));
    assert_eq!(bench.origin().await, "Created");
    bench.told("Created", &[bench.table.thing.claim]).await;
}

pub async fn its_settings_are_made_as_its_spec_says(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::One)));
    assert_eq!(bench.origin().await, "Adopted");
}

pub async fn a_second_pass_writes_nothing(table: Table) {
    let bench = Bench::new(table).await;
    for choice in [Choice::One, Choice::Empty, Choice::Unset, Choice::Two] {
        bench.put(&bench.table.spec(|field| choice.where_possible(field))).await;
        bench.ready().await;
        let writes = bench.world.pve_writes();
        // What is worth knowing of a realm is told a moment later.
        let rests = async || {
            let before = bench.object().await;
            bench.world.passes(2).await;
            (bench.object().await == before).then_some(())
        };
        bench.world.until("nothing more is told", rests).await;
        assert_eq!(bench.world.pve_writes(), writes);
    }
}

pub async fn each_changed_field_is_changed_and_no_other(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    for name in bench.table.fields.iter().map(|field| field.name) {
        for choice in [Choice::Two, Choice::One] {
            let choose = |field: &_| Choice::of(field, name, choice);
            bench.put(&bench.table.spec(choose)).await;
            bench.ready().await;
            assert_eq!(bench.stands().await, Some(bench.table.shown(choose)), "{name}");
        }
    }
}

pub async fn each_unset_field_is_no_longer_managed(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    for field in bench.table.fields.iter().filter(|field| field.unset != Unset::Required) {
        bench.put(&bench.table.spec(|it| Choice::of(it, field.name, Choice::Unset))).await;
        bench.ready().await;
        let mut expected = bench.table.shown(|_| Choice::One);
        if let Unset::Default(default) = field.unset {
            expected.insert(field.name, default.to_owned());
        }
        assert_eq!(bench.stands().await.as_ref(), Some(&expected), "{}", field.name);
    }
    let choose = |choice| move |field: &Field| if field.unset == Unset::Unmanaged { choice } else { Choice::One };
    bench.put(&bench.table.spec(choose(Choice::Unset))).await;
    bench.ready().await;
    let others = choose(Choice::Two);
    bench.with_fields(&bench.table.thing.change, |field| Some(others(field))).await;
    bench.world.passes(2).await;
    assert_eq!(bench.stands().await, Some(bench.table.shown(others)), "what others write there stays");
}

pub async fn each_emptied_field_is_cleared(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    for name in bench.table.fields.iter().filter(|field| field.empty.is_some()).map(|field| field.name) {
        let choose = |field: &_| Choice::of(field, name, Choice::Empty);
        bench.put(&bench.table.spec(choose)).await;
        bench.ready().await;
        assert_eq!(bench.stands().await, Some(bench.table.shown(choose)), "{name}");
    }
}

pub async fn deleted_it_is_gone(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    bench.delete_and_wait().await;
    assert_eq!(bench.stands().await, None);
    bench.told("Deleted", &[bench.table.thing.claim]).await;
}

pub async fn deleted_it_leaves_its_settings(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    let writes = bench.world.pve_writes();
    bench.delete_and_wait().await;
    assert_eq!(bench.world.pve_writes(), writes);
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::One)));
}

pub async fn orphaned_it_stays(table: Table) {
    let bench = Bench::new(table).await;
    let mut spec = bench.table.spec(|_| Choice::One);
    insert(&mut spec, "deletionPolicy", json!("Orphan"));
    bench.put(&spec).await;
    bench.ready().await;
    let writes = bench.world.pve_writes();
    bench.delete_and_wait().await;
    assert_eq!(bench.world.pve_writes(), writes);
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::One)));
    bench.told("Left", &[bench.table.thing.claim]).await;
}

pub async fn what_it_refers_to_is_waited_for(table: Table) {
    let bench = Bench::new(table).await;
    let (world, kind) = (&bench.world, bench.table.kind);
    for Need { name, spec, reason, says, comes } in &bench.table.needs {
        world.object(kind, name, &flow(spec)).await;
        let message = world.reason(kind, name, reason).await;
        assert!(message.contains(says), "{name}: {message}");
        match comes {
            Comes::Object(kind, name, spec) => drop(world.object(kind, name, spec).await),
            Comes::ByHand(call) => bench.by_hand(call).await,
            Comes::Manifest(manifest) => drop(world.apply(manifest).await),
        }
        world.ready(kind, name).await;
        world.delete(kind, name).await;
        world.gone(kind, name).await;
    }
}
