//! The guide for Pocket ID, from nothing to a sign-in.

use std::collections::{BTreeMap, BTreeSet};

use proxmox_identity::sim::browser::TurnedAway;

use super::page::Visit;
use super::{Place, in_order};

/// Somebody signs in, or is turned away by Pocket ID.
pub async fn visit(place: &Place, Visit { user, gets_in }: &Visit) {
    let seen = place.sign_in(user).await;
    match (gets_in, &seen) {
        (true, Ok(_)) | (false, Err(TurnedAway::NotAllowed(_))) => {}
        _ => panic!("{user} signs in: {seen:?}"),
    }
}

/// The privileges of a role in Proxmox VE.
async fn privileges(place: &Place, role: &str) -> BTreeSet<String> {
    let role = place.world.pve_get(&format!("/access/roles/{role}")).await;
    role.as_object().expect("privileges").keys().cloned().collect()
}

#[tokio::test]
async fn whoever_signs_in_as_the_example_says_may_do_what_stands_in_git_and_not_more() {
    let place = Place::bare().await;
    place.world.start_operator();
    in_order(&place, "examples/pocket-id/README.md").await;
    let alice = place.sign_in("alice").await.expect("in");
    assert_eq!(alice.user, "alice@PocketID");
    assert_eq!(alice.groups, BTreeSet::from(["proxmox_users-PocketID".to_owned()]));
    // What is said of Alice counts before what is said of her group.
    let (group, own) = (privileges(&place, "PVEAuditor").await, privileges(&place, "PVEVMUser").await);
    let mut expected: BTreeMap<_, _> = alice.permissions.keys().map(|path| (path.clone(), group.clone())).collect();
    assert!(expected.contains_key("/") && expected.contains_key("/vms"), "{expected:?}");
    assert_eq!(expected.insert("/pool/alice".to_owned(), own), Some(group));
    assert_eq!(alice.permissions, expected);
}

#[tokio::test]
async fn the_guide_leads_from_nothing_to_a_sign_in() {
    let place = Place::bare().await;
    place.world.start_operator();
    in_order(&place, "docs/pocket-id.md").await;
}
