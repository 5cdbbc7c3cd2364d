//! Who gets in at which realm, and with which groups.

use proxmox_identity::sim::browser::{SignedIn, TurnedAway};

use crate::world::{Options, World};

/// What becomes of somebody who signs in.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// In, as the user `name@realm` that is in these groups, without their realm.
    In(&'static str, &'static [&'static str]),
    /// Proxmox VE has no address at Pocket ID; it says so.
    NoWay(&'static str),
    /// Pocket ID answers 403.
    NotAllowed,
    /// Proxmox VE answers 401.
    Refused,
}
use Outcome::{In, NoWay, NotAllowed, Refused};

const LONG: &str = "a-user-name-of-fifty-characters-is-what-it-can-be1";

/// Realm, user, what is different of the realm, and what becomes of it.
const SIGN_INS: [(&str, &str, Options<'_>, Outcome); 21] = [
    ("usual", "ann", &[], In("ann", &["proxmox_users"])),
    ("usual", "ben", &[], NotAllowed),
    ("usual", "cem", &[], In("cem", &["proxmox_users"])),
    ("usual", "dan", &[], In("dan", &[])),
    ("default-scopes", "ann", &[("scopes", "")], In("ann", &[])),
    ("without-the-scope", "ann", &[("scopes", "email profile")], In("ann", &[])),
    ("without-the-claim", "ann", &[("groups-claim", "")], In("ann", &[])),
    ("another-claim", "ann", &[("groups-claim", "pve_groups")], In("ann", &[])),
    ("id-token-alone", "ann", &[("query-userinfo", "0")], In("ann", &["proxmox_users"])),
    ("by-email", "ann", &[("username-claim", "email")], In("ann@example.com", &["proxmox_users"])),
    ("by-upn", "ann", &[("username-claim", "upn")], Refused),
    ("without-profile", "ann", &[("scopes", "email groups")], Refused),
    ("closed", "ann", &[("autocreate", "0")], Refused),
    ("short", LONG, &[], In(LONG, &["proxmox_users"])),
    ("fourteen-chars", LONG, &[], Refused),
    ("wrong-secret", "ann", &[("client-key", "guess")], Refused),
    ("no-secret", "ann", &[("client-key", "")], Refused),
    ("slash", "ann", &[("issuer-url", "SLASH")], NoWay("unexpected issuer URI")),
    ("nobody", "ann", &[("issuer-url", "https://127.0.0.1:1")], NoWay("Request failed")),
    ("elsewhere", "ann", &[("issuer-url", "https://id.example.com")], NoWay("not available in this stub")),
    ("asking", "ann", &[("prompt", "login"), ("acr-values", "a,b"), ("audiences", "x")], In("ann", &["proxmox_users"])),
];

#[tokio::test]
async fn realm_and_claims_decide_who_gets_in() {
    let world = World::new().await;
    world.pocket_id.add_user(LONG, &["proxmox_users"]).expect("a user");
    let slash = format!("{}/", world.pocket_id.url());
    let mut made = Vec::new();
    for (realm, user, options, expected) in SIGN_INS {
        if !made.contains(&realm) {
            let options: Vec<_> =
                options.iter().map(|&(name, value)| (name, if value == "SLASH" { &*slash } else { value })).collect();
            world.realm(realm, &options).await;
            made.push(realm);
        }
        let seen = world.sign_in(realm, user).await;
        assert!(is(&seen, realm, &expected), "{user} at {realm}: {seen:?}, not {expected:?}");
    }
}

fn is(seen: &Result<SignedIn, TurnedAway>, realm: &str, expected: &Outcome) -> bool {
    match (seen, expected) {
        (Ok(seen), In(name, groups)) => {
            seen.user == format!("{name}@{realm}")
                && seen.groups == groups.iter().map(|group| format!("{group}-{realm}")).collect()
        }
        (Err(TurnedAway::NoWay(said)), NoWay(says)) => said.contains(says),
        (Err(TurnedAway::NotAllowed(_)), NotAllowed) | (Err(TurnedAway::Refused), Refused) => true,
        _ => false,
    }
}
