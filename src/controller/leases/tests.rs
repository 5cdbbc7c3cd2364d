//! Decisions on tables, with a clock that stands still but for the tests.

use std::time::{Duration, Instant};

use super::decide::{Decision, Me, decide};
use super::record::{Listed, Member, Table};
use super::view::{Standing, View};

const DURATION: Duration = Duration::from_secs(30);

/// Replicas in the order of their birth as `identity@version` or `identity@version/shards`, and who holds which shard.
fn listed(members: &str, holders: &str) -> Listed {
    let member = |(born, text): (i64, &str)| {
        let (identity, rest) = text.split_once('@').expect("a version");
        let shards = holders.split_whitespace().count();
        let (version, shards) = rest.split_once('/').map_or((rest, shards), |(v, s)| (v, s.parse().expect("a number")));
        let (uid, version) = (identity.to_owned(), version.to_owned());
        (identity.to_owned(), Member { uid, version, duration: DURATION, shards, born })
    };
    let names = holders.split_whitespace().map(|it| (it != "-").then(|| it.to_owned()));
    let table = Table { uid: String::new(), version: holders.to_owned(), holders: names.collect(), transitions: 0 };
    Listed { table: Some(table), members: (0..).zip(members.split_whitespace()).map(member).collect() }
}

/// What was seen, each so many seconds after the beginning.
fn seen(looks: &[(u64, &str, &str)]) -> (View, Instant) {
    let (mut view, begin) = (View::default(), Instant::now());
    for (at, members, holders) in looks {
        view.observe(listed(members, holders), DURATION, begin + Duration::from_secs(*at));
    }
    (view, begin)
}

fn text(decision: &Decision) -> String {
    let holders = decision
        .holders
        .as_ref()
        .map(|holders| holders.iter().map(|holder| holder.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" "));
    format!("give {:?}, write {}", decision.give, holders.as_deref().unwrap_or("nothing"))
}

#[test]
fn another_replica_is_dead_only_when_its_lease_was_not_seen_to_change_for_as_long_as_it_lasts() {
    for (looks, at, standing, why) in [
        (&[(0, "a@1", "a")][..], 29, Standing::Alive, "not long enough"),
        (&[(0, "a@1", "a")], 30, Standing::Dead, "long enough"),
        (&[(0, "a@1", "a"), (25, "a@2", "a")], 54, Standing::Alive, "it was renewed"),
        (&[(0, "a@1", "a"), (25, "a@1", "a")], 30, Standing::Dead, "it was seen again, and not renewed"),
        (&[(0, "a@1", "a"), (10, "", "a")], 39, Standing::Unknown, "somebody has deleted its Lease; it may not know"),
        (&[(0, "a@1", "a"), (10, "", "a")], 40, Standing::Gone, "by now it knows"),
        (&[(0, "", "a")], 29, Standing::Unknown, "its Lease was never seen"),
        (&[(0, "", "a")], 30, Standing::Gone, "its Lease was never seen for long enough"),
    ] {
        let (view, begin) = seen(looks);
        assert_eq!(view.standing("a", begin + Duration::from_secs(at)), standing, "{why}");
    }
}

#[test]
fn what_a_buried_replica_held_is_free_at_once() {
    let (mut view, begin) = seen(&[(0, "a@1 b@1", "a"), (20, "a@1 b@2", "a")]);
    let now = begin + Duration::from_secs(30);
    let me = Me { identity: "b", shards: 1, leaving: false };
    assert_eq!(text(&decide(&view, me, |_| true, now)), "give {}, write nothing");
    assert_eq!(view.members(Standing::Dead, now).map(|(identity, _)| identity).collect::<Vec<_>>(), ["a"]);
    view.buried("a");
    assert_eq!(text(&decide(&view, me, |_| true, now)), "give {}, write b");
}

#[test]
fn a_replica_decides_about_what_is_free_and_what_is_its_own() {
    for (members, holders, idle, leaving, decision, why) in [
        ("a@1", "-", false, false, "give {}, write a", "the first one takes it"),
        ("a@1", "- - -", false, false, "give {}, write a a a", "or all of them"),
        ("a@1 b@1", "a", true, false, "give {}, write nothing", "a holder stays"),
        ("b@1 a@1", "b", true, false, "give {}, write nothing", "another holder is left alone"),
        ("b@1 a@1", "b b", true, false, "give {}, write nothing", "also when it holds too many: it gives by itself"),
        ("a@1 b@1", "a a", false, false, "give {1}, write nothing", "a newcomer gets its share when its work is done"),
        ("a@1 b@1", "a a", true, false, "give {1}, write a b", "and its work is done"),
        ("a@1 b@1 c@1", "- -", false, false, "give {}, write c b", "what is free goes to others as well"),
        ("a@1 b@1", "a", false, true, "give {0}, write nothing", "who leaves finishes first"),
        ("a@1 b@1", "a", true, true, "give {0}, write b", "and hands over"),
        ("a@1", "a a", true, true, "give {0, 1}, write - -", "to nobody, if there is nobody"),
        ("b@1 a@1", "b", true, true, "give {}, write nothing", "who holds nothing just leaves"),
        ("a@1 b@1/3", "a a", true, false, "give {}, write nothing", "who divides otherwise gets nothing"),
    ] {
        let (view, begin) = seen(&[(0, members, holders)]);
        let me = Me { identity: "a", shards: holders.split_whitespace().count(), leaving };
        assert_eq!(text(&decide(&view, me, |_| idle, begin)), decision, "{why}");
    }
}

#[test]
fn another_number_of_shards_is_taken_up_when_nobody_works_with_the_former() {
    let me = Me { identity: "new", shards: 3, leaving: false };
    for (members, holders, decision, other, why) in [
        ("old@1/1 new@1/3", "old", "give {}, write nothing", Some(1), "the former is at work"),
        ("new@1/3", "old", "give {}, write nothing", Some(1), "it may be at work"),
        ("old@1/1 new@1/3", "-", "give {}, write new new new", None, "it has given up"),
        ("new@1/3", "- - - - -", "give {}, write new new new", None, "fewer than before"),
    ] {
        let (view, begin) = seen(&[(0, members, holders)]);
        let decision_made = decide(&view, me, |_| true, begin);
        assert_eq!((text(&decision_made).as_str(), decision_made.other_number), (decision, other), "{why}");
    }
}

#[test]
fn the_first_replica_ever_finds_no_table() {
    let mut view = View::default();
    let now = Instant::now();
    view.observe(Listed { table: None, ..listed("a@1/2", "") }, DURATION, now);
    let me = Me { identity: "a", shards: 2, leaving: false };
    assert_eq!(text(&decide(&view, me, |_| true, now)), "give {}, write a a");
}
