//! People with browsers, who sign in at Proxmox VE with Pocket ID.

use std::collections::BTreeSet;

use super::Failure;
use super::pocket_id::PocketId;
use super::proxmox::Proxmox;
use super::screen::{Screen, table};
use crate::sim::browser::{Browser, SignedIn, TurnedAway};

/// The realm that they choose.
const REALM: &str = "PocketID";

/// Somebody signs in and gets in.
///
/// # Errors
/// When one of both turns the user away.
pub async fn gets_in(pocket_id: &PocketId, pve: &Proxmox, user: &str) -> Result<SignedIn, Failure> {
    Ok(browser(pocket_id, pve)?.sign_in(REALM, user).await?)
}

/// Somebody is turned away by Pocket ID; answers with its words.
///
/// # Errors
/// When that does not happen.
pub async fn is_turned_away(pocket_id: &PocketId, pve: &Proxmox, user: &str) -> Result<String, Failure> {
    match browser(pocket_id, pve)?.sign_in(REALM, user).await {
        Err(TurnedAway::NotAllowed(words)) => Ok(words),
        Err(other) => Err(other.into()),
        Ok(_) => Err(format!("{user} should not get in, and does").into()),
    }
}

fn browser<'a>(pocket_id: &'a PocketId, pve: &'a Proxmox) -> std::io::Result<Browser<'a>> {
    Browser::new(&pve.simulator, &pocket_id.simulator)
}

/// Shows who somebody is at Proxmox VE, and what that user may do on some paths.
pub fn show(screen: &Screen, signed_in: &SignedIn, paths: &[&str]) {
    let SignedIn { ticket: _, user, groups, permissions } = signed_in;
    let groups = groups.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    screen.good(&format!("{user} is in, with the group {groups}"));
    let held = |path: &&str| {
        let held = permissions.get(*path).map(words).unwrap_or_default();
        vec![(*path).to_owned(), held]
    };
    screen.output(&table(&paths.iter().map(held).collect::<Vec<_>>()));
}

fn words(privileges: &BTreeSet<String>) -> String {
    privileges.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}
