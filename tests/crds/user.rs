//! ProxmoxUser.

use proxmox_identity::api::ProxmoxUser;
use serde_json::json;

use crate::verdict::{Kind, spec};

#[tokio::test]
async fn a_user_is_named_by_its_whole_id_or_in_its_realm() {
    let kind = Kind::of::<ProxmoxUser>().await;
    let takes = [
        json!({"userId": "ann@pve"}),
        json!({"realm": "pve"}),
        json!({"userName": "Ann.Bee", "realmRef": {"name": "pocket-id"}}),
        json!({"realm": "pve", "enabled": false, "expiresAt": "2030-01-31T12:00:00+01:00", "email": "a@example.com"}),
        json!({"realm": "pve", "expiresAt": "", "email": "", "firstName": "", "comment": "two\nlines"}),
        json!({"realm": "pve", "groups": [{"group": "a"}, {"groupRef": {"name": "b"}}], "membershipPolicy": "Exact"}),
        json!({"realm": "pve", "groups": [], "membershipPolicy": "Ignore"}),
        json!({"realm": "pve", "passwordSecretRef": {"name": "s", "key": "k"}, "keysSecretRef": {"name": "s", "key": "k"}}),
    ];
    kind.takes("ann", &takes.map(|fields| spec(&fields))).await;
    let one = "exactly one of userId, realm, realmRef must be set";
    let refuses = [
        (json!({}), one),
        (json!({"userId": "ann@pve", "realm": "pve"}), one),
        (json!({"userId": "ann@pve", "userName": "ann"}), "userName cannot be set together with userId"),
        (json!({"userId": "a,b@pve"}), "must be name@realm"),
        (json!({"userId": "a;b@pve"}), "must be name@realm"),
        (json!({"userId": "ann@pve\n"}), "must be name@realm"),
        (json!({"userName": "a b", "realm": "pve"}), "must be a user's name without its realm"),
        (json!({"realm": "pve", "expiresAt": "tomorrow"}), "must be a time such as"),
        (json!({"realm": "pve", "expiresAt": "2030-13-01T00:00:00Z"}), "must be a time such as"),
        (json!({"realm": "pve", "email": "nobody"}), "must be an e-mail address"),
        (json!({"realm": "pve", "groups": [{}]}), "exactly one of group, groupRef must be set"),
        (json!({"realm": "pve", "groups": [{"group": "0"}]}), "and not '0'"),
        (
            json!({"realm": "pve", "groups": [{"group": "a"}], "membershipPolicy": "Ignore"}),
            "groups need membershipPolicy",
        ),
        (json!({"realm": "pve", "password": "plain"}), "field not declared in schema"),
    ];
    kind.refuses("ann", &refuses.map(|(fields, words)| (spec(&fields), words))).await;
    let long = "a".repeat(62);
    kind.refuses(&long, &[(spec(&json!({"realm": "pve"})), "at most 64 characters")]).await;
}

#[tokio::test]
async fn who_a_user_is_cannot_change() {
    let kind = Kind::of::<ProxmoxUser>().await;
    kind.store("fixed", &spec(&json!({"userName": "ann", "realm": "pve"}))).await;
    let refuses = [
        (json!({"userName": "bob", "realm": "pve"}), "userName cannot be changed, set or removed later"),
        (json!({"realm": "pve"}), "userName cannot be changed, set or removed later"),
        (json!({"userName": "ann", "realm": "pam"}), "realm cannot be changed, set or removed later"),
        (json!({"userName": "ann", "realmRef": {"name": "pve"}}), "realm cannot be changed, set or removed later"),
    ];
    kind.refuses("fixed", &refuses.map(|(fields, words)| (spec(&fields), words))).await;
    kind.takes("fixed", &[spec(&json!({"userName": "ann", "realm": "pve", "comment": "new"}))]).await;
}
