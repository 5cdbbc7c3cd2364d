//! Each endpoint fails in each way, when something is made, when it is changed, and when it is removed: afterwards all is
//! as without, nothing was made twice, and nothing removed that should stay.

use std::collections::BTreeSet;

use proxmox_identity::sim::pocket_id::Release;

use super::life::{Life, endpoint};
use crate::deeds::{Struck, are_made_up_for, deeds, tried, unasked};
use crate::lived::Lived;
use crate::proxy::Deed;

/// A life in which this happens once to every endpoint in each of its parts; answers with the endpoints too.
async fn life(release: Release, deed: &Deed) -> (Lived, BTreeSet<String>) {
    let life = Life::begin(release).await;
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
    let mut all = BTreeSet::new();
    for release in [Release::V2_9, Release::V2_14] {
        let (expected, endpoints) = life(release, &Deed::Pass).await;
        all.extend(endpoints.iter().cloned());
        assert_eq!((expected.births.len(), expected.deaths.len()), (2, 2), "{expected:#?}");
        // It waits for half a minute at each.
        let told = tried(deeds()).into_iter().filter(|(_, deed)| !matches!(deed, Deed::Silence)).collect();
        are_made_up_for(told, (&expected, &endpoints), async |deed| life(release, deed).await).await;
    }
    assert_eq!(unasked("src/pocket_id", &all), [] as [&str; 0], "a life asks everything that the operator ever asks");
}
