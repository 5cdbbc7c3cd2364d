//! A credential with too few rights: it is told which, and all goes on once they are granted.

use crate::kinds::bench::Bench;
use crate::kinds::table::{Choice, Right, Table};

pub async fn too_few_rights_are_told_until_they_are_granted(table: Table) {
    let bench = Bench::limited(table).await;
    let before = bench.stands().await;
    bench.withhold().await;
    bench.put(&bench.table.spec(|_| Choice::One)).await;
    names_the_right(&bench, &bench.reason("Forbidden").await);
    assert_eq!(bench.stands().await, before);
    bench.grant_all().await;
    bench.ready().await;
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::One)));
}

pub async fn too_few_rights_block_its_deletion_until_they_are_granted(table: Table) {
    let bench = Bench::limited(table).await;
    bench.settle(Choice::One).await;
    bench.withhold().await;
    bench.delete().await;
    names_the_right(&bench, &bench.reason("DeletionBlocked").await);
    assert_eq!(bench.stands().await, Some(bench.table.shown(|_| Choice::One)));
    bench.grant_all().await;
    bench.world.gone(bench.table.kind, bench.table.name).await;
    assert_eq!(bench.stands().await, None);
}

fn names_the_right(bench: &Bench, message: &str) {
    let Right { privilege, path } = bench.table.right;
    assert!(message.contains(privilege) && message.contains(path), "{privilege} on {path}: {message}");
}
