//! Each endpoint fails in each way, when something is made, when it is changed, and when it is removed: afterwards all is
//! as without, nothing was made twice, and nothing removed that should stay.

use std::collections::BTreeSet;

use super::life::{Life, endpoint};
use crate::deeds::{Struck, are_made_up_for, deeds, tried, unasked};
use crate::lived::Lived;
use crate::proxy::Deed;

/// A life in which this happens once to every endpoint in each of its parts; answers with the endpoints too.
async fn life(deed: &Deed) -> (Lived, BTreeSet<String>) {
    let life = Life::begin().await;
    let mut endpoints = BTreeSet::new();
    let arm = || Struck::arm(&life.proxy, deed, endpoint);
    let struck = arm();
    life.world.start_operator();
    let made = life.make().await;
    endpoints.extend(struck.endpoints());
    let struck = arm();
    let changed = life.change().await;
    endpoints.extend(struck.endpoints());
    let struck = arm();
    let removed = life.remove().await;
    endpoints.extend(struck.endpoints());
    (life.lived([made, changed, removed]), endpoints)
}

#[tokio::test]
async fn whatever_fails_once_at_any_endpoint_is_made_up_for_and_nothing_is_made_or_removed_beside() {
    let (expected, endpoints) = life(&Deed::Pass).await;
    assert!(expected.births.len() >= 9 && expected.deaths.len() >= 9, "{expected:#?}");
    assert_eq!(unasked("src/pve", &endpoints), [] as [&str; 0], "a life asks everything that the operator ever asks");
    are_made_up_for(tried(deeds()), (&expected, &endpoints), life).await;
}
