//! ProxmoxGroup.

use proxmox_identity::api::ProxmoxGroup;
use serde_json::json;

use crate::verdict::{Kind, spec};

#[tokio::test]
async fn a_group_is_named_by_its_id_or_computed_from_a_claim() {
    let kind = Kind::of::<ProxmoxGroup>().await;
    let takes = [
        json!({}),
        json!({"groupId": "Admins_1", "comment": "two\nlines"}),
        json!({"groupId": "a", "comment": ""}),
        json!({"oidc": {"group": "proxmox_users", "realm": "PocketID"}}),
        json!({"oidc": {"group": "proxmox_users", "realmRef": {"name": "pocket-id"}}}),
        json!({"oidc": {"groupRef": {"name": "users"}, "realm": "PocketID"}}),
        json!({"oidc": {"groupRef": {"name": "users"}, "realmRef": {"name": "pocket-id"}}}),
    ];
    kind.takes("users", &takes.map(|fields| spec(&fields))).await;
    let refuses = [
        (json!({"groupId": "a b"}), "must be 1 to 255 letters, digits, '.', '-' or '_', and not '0'"),
        (json!({"groupId": "0"}), "and not '0'"),
        (json!({"groupId": "a\n"}), "must be 1 to 255 letters"),
        (json!({"groupId": "a", "oidc": {"group": "a", "realm": "ab"}}), "only one of groupId, oidc can be set"),
        (json!({"oidc": {"group": "a"}}), "exactly one of realm, realmRef must be set"),
        (json!({"oidc": {"group": "a", "realm": "ab", "realmRef": {"name": "ab"}}}), "exactly one of realm, realmRef"),
        (json!({"oidc": {"realm": "ab"}}), "exactly one of group, groupRef must be set"),
        (
            json!({"oidc": {"group": "a", "groupRef": {"name": "a"}, "realm": "ab"}}),
            "exactly one of group, groupRef must be set",
        ),
        (json!({"oidc": {"groupRef": {"name": "a"}}}), "exactly one of realm, realmRef must be set"),
        (json!({"users": []}), "field not declared in schema"),
        (json!({"members": [{"user": "a@pve"}], "membershipPolicy": "Ignore"}), "members need membershipPolicy"),
        (json!({"members": [{}]}), "exactly one of user, userRef must be set"),
    ];
    kind.refuses("users", &refuses.map(|(fields, words)| (spec(&fields), words))).await;
    kind.refuses("0", &[(spec(&json!({})), "metadata.name is the group id where the spec gives none")]).await;
}

#[tokio::test]
async fn a_claim_value_that_pve_would_drop_or_name_otherwise_is_refused() {
    let kind = Kind::of::<ProxmoxGroup>().await;
    for group in ["Proxmox Users", "proxmox_users@PocketID", "proxmox_users\n", "ä", ""] {
        let spec = spec(&json!({"oidc": {"group": group, "realm": "PocketID"}}));
        let words = ["PVE drops values with other characters", "appends -<realm> (not @<realm>)"];
        kind.refuses("users", &words.map(|words| (spec.clone(), words))).await;
    }
    let longest = json!({"oidc": {"group": "x".repeat(222), "realm": "x".repeat(32)}});
    kind.takes("users", &[spec(&longest)]).await;
    let longer = json!({"oidc": {"group": "x".repeat(223), "realm": "ab"}});
    kind.refuses("users", &[(spec(&longer), "Too long")]).await;
}

#[tokio::test]
async fn what_a_group_is_cannot_change() {
    let kind = Kind::of::<ProxmoxGroup>().await;
    let (by_id, by_name) = (spec(&json!({"groupId": "a"})), spec(&json!({})));
    let by_claim = spec(&json!({"oidc": {"group": "a", "realm": "ab"}}));
    let (other_id, other_claim) =
        (spec(&json!({"groupId": "b"})), spec(&json!({"oidc": {"group": "b", "realm": "ab"}})));
    let by_ref = spec(&json!({"oidc": {"group": "a", "realmRef": {"name": "ab"}}}));
    let by_group_ref = spec(&json!({"oidc": {"groupRef": {"name": "a"}, "realm": "ab"}}));
    let (id, oidc) =
        ("groupId cannot be changed, set or removed later", "oidc cannot be changed, set or removed later");
    kind.store("by-id", &by_id).await;
    kind.refuses("by-id", &[(other_id, id), (by_name.clone(), id), (by_claim.clone(), id), (by_claim.clone(), oidc)])
        .await;
    kind.store("by-name", &by_name).await;
    kind.refuses("by-name", &[(by_id.clone(), id), (by_claim.clone(), oidc)]).await;
    kind.store("by-claim", &by_claim).await;
    kind.refuses(
        "by-claim",
        &[(other_claim, oidc), (by_ref, oidc), (by_group_ref, oidc), (by_name, oidc), (by_id.clone(), oidc)],
    )
    .await;
    let with_comment = spec(&json!({"groupId": "a", "comment": "may change"}));
    kind.takes("by-id", &[by_id, with_comment]).await;
}
