//! Lists whose elements are claimed one by one: members of groups and pools, groups of users, entries of a path.

use serde_json::{Value, json};

use crate::kinds::bench::Bench;
use crate::kinds::table::{Choice, Set, Table, insert};

/// A spec with these elements and this policy.
fn spec(table: &Table, set: &Set, elements: &[&Value], policy: &str) -> Value {
    let mut spec = table.spec(|_| Choice::One);
    insert(&mut spec, set.path, json!(elements));
    insert(&mut spec, set.policy, json!(policy));
    spec
}

async fn comes_to(bench: &Bench, set: &Set, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let what = format!("{} has {expected:?}", set.path);
    bench.world.until(&what, async || (bench.listed(set).await == expected).then_some(())).await;
}

/// Waits until the object has this spec in Proxmox VE.
async fn settle(bench: &Bench, spec: &Value) {
    bench.put(spec).await;
    bench.ready().await;
}

/// Leaves as little as possible behind for the next set.
async fn clear(bench: &Bench, set: &Set) {
    let (first, first_shown) = &set.ours[0];
    let (left, shown): (&[&Value], &[&str]) = if set.optional { (&[], &[]) } else { (&[first], &[first_shown]) };
    settle(bench, &spec(&bench.table, set, left, "Exact")).await;
    comes_to(bench, set, shown).await;
    settle(bench, &bench.table.spec(|_| Choice::One)).await;
}

pub async fn an_additive_set_keeps_its_own_and_lets_others_be(table: Table) {
    let bench = Bench::new(table).await;
    for set in &bench.table.sets {
        let [(first, first_shown), (second, second_shown)] = &set.ours;
        settle(&bench, &spec(&bench.table, set, &[first, second], "Additive")).await;
        comes_to(&bench, set, &[first_shown, second_shown]).await;
        bench.by_hand(&set.put_theirs).await;
        bench.by_hand(&set.take_first).await;
        comes_to(&bench, set, &[first_shown, second_shown, set.theirs]).await;
        bench.told("DriftCorrected", &["again", set.claims[0]]).await;
        bench.world.passes(2).await;
        comes_to(&bench, set, &[first_shown, second_shown, set.theirs]).await;
        // What is dropped goes.
        settle(&bench, &spec(&bench.table, set, &[second], "Additive")).await;
        comes_to(&bench, set, &[second_shown, set.theirs]).await;
        if set.optional {
            settle(&bench, &spec(&bench.table, set, &[], "Additive")).await;
            comes_to(&bench, set, &[set.theirs]).await;
        }
        clear(&bench, set).await;
    }
}

pub async fn an_exact_set_has_only_what_is_declared(table: Table) {
    let bench = Bench::new(table).await;
    for set in &bench.table.sets {
        let [(first, first_shown), _] = &set.ours;
        settle(&bench, &spec(&bench.table, set, &[first], "Additive")).await;
        bench.by_hand(&set.put_theirs).await;
        settle(&bench, &spec(&bench.table, set, &[first], "Exact")).await;
        comes_to(&bench, set, &[first_shown]).await;
        bench.told("Deleted", &[set.claims[1]]).await;
        bench.by_hand(&set.put_theirs).await;
        comes_to(&bench, set, &[first_shown]).await;
        if set.optional {
            settle(&bench, &spec(&bench.table, set, &[], "Exact")).await;
            comes_to(&bench, set, &[]).await;
            bench.by_hand(&set.put_theirs).await;
            comes_to(&bench, set, &[]).await;
        }
        clear(&bench, set).await;
    }
}

pub async fn an_ignored_set_is_left_alone(table: Table) {
    let bench = Bench::new(table).await;
    for set in bench.table.sets.iter().filter(|set| set.optional) {
        let mut ignoring = bench.table.spec(|_| Choice::One);
        insert(&mut ignoring, set.policy, json!("Ignore"));
        settle(&bench, &ignoring).await;
        bench.by_hand(&set.put_theirs).await;
        let writes = bench.world.pve_writes();
        bench.world.passes(2).await;
        assert_eq!(bench.listed(set).await, [set.theirs]);
        assert_eq!(bench.world.pve_writes(), writes);
        clear(&bench, set).await;
    }
}

pub async fn an_observed_exact_set_lists_what_is_too_much_and_too_little(table: Table) {
    let bench = Bench::new(table).await;
    bench.settle(Choice::One).await;
    for set in &bench.table.sets {
        bench.by_hand(&set.put_theirs).await;
        let writes = bench.world.pve_writes();
        let mut observing = spec(&bench.table, set, &[&set.ours[1].0], "Exact");
        insert(&mut observing, "managementPolicy", json!("Observe"));
        bench.put(&observing).await;
        bench.reason("Observed").await;
        let object = bench.object().await;
        let pending = object["status"]["pendingChanges"].as_array().expect("pending changes");
        assert!(pending.contains(&json!(format!("remove {}", set.claims[1]))), "{pending:?}");
        assert!(
            pending.iter().any(|change| change.as_str().is_some_and(|it| it.starts_with("create "))),
            "{pending:?}"
        );
        bench.world.passes(2).await;
        assert_eq!(bench.world.pve_writes(), writes);
        clear(&bench, set).await;
    }
}
