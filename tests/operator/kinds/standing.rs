//! What stood in Proxmox VE before the object came.

use serde_json::json;

use crate::kinds::bench::Bench;
use crate::kinds::table::{Choice, Table, insert};

pub async fn what_stands_alike_is_taken_over_and_left(table: Table) {
    let bench = Bench::new(table).await;
    bench.make_by_hand(Choice::One).await;
    let writes = bench.world.pve_writes();
    bench.settle(Choice::One).await;
    assert_eq!(bench.origin().await, "Adopted");
    bench.told("Adopted", &[bench.table.thing.claim]).await;
    bench.delete_and_wait().await;
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::One)));
    assert_eq!(bench.world.pve_writes(), writes, "nothing was written");
    bench.told("Left", &[bench.table.thing.claim]).await;
}

pub async fn what_stands_otherwise_is_refused_by_the_field(table: Table) {
    let bench = Bench::new(table).await;
    bench.make_by_hand(Choice::One).await;
    let writes = bench.world.pve_writes();
    for field in &bench.table.fields {
        bench.put(&bench.table.spec(|it| Choice::of(it, field.name, Choice::Two))).await;
        let message = bench.reason("AlreadyExists").await;
        assert!(
            message.contains(&format!("{} exists already with another {}", bench.table.thing.claim, field.name)),
            "{message}"
        );
        assert!(!message.contains(&format!(" {}", field.one.pve)), "no values: {message}");
    }
    bench.delete_and_wait().await;
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::One)));
    assert_eq!(bench.world.pve_writes(), writes, "nothing was written");
}

pub async fn what_stands_otherwise_is_overwritten_where_that_is_allowed(table: Table) {
    let bench = Bench::new(table).await;
    bench.make_by_hand(Choice::Two).await;
    let mut spec = bench.table.spec(|_| Choice::One);
    insert(&mut spec, "adoptionPolicy", json!("Always"));
    bench.put(&spec).await;
    bench.ready().await;
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::One)));
    assert_eq!(bench.origin().await, "Adopted");
}
