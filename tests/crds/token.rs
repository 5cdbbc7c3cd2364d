//! ProxmoxToken.

use proxmox_identity::api::ProxmoxToken;
use serde_json::json;

use crate::verdict::{Kind, spec};

#[tokio::test]
async fn a_token_is_of_a_user_and_goes_into_a_secret() {
    let kind = Kind::of::<ProxmoxToken>().await;
    let takes = [
        json!({"user": "ci@pve"}),
        json!({"userRef": {"name": "ci"}, "tokenId": "k8s", "privilegeSeparation": false, "comment": ""}),
        json!({"user": "ci@pve", "expiresAt": "2030-01-01T00:00:00Z"}),
        json!({"user": "ci@pve", "lifetime": "720h", "rotation": {"beforeExpiry": "240h", "onLostSecret": "Rotate"}}),
        json!({"user": "ci@pve", "rotation": {"interval": "10s"}, "secretTemplate": {"name": "s", "type": "kubernetes.io/basic-auth"}}),
        json!({"user": "ci@pve", "secretTemplate": {"type": "kubernetes.io/basic-auth", "data": {"username": "x"}}}),
        json!({"user": "ci@pve", "secretTemplate": {"labels": {"a": "b"}, "annotations": {"c": "d"}, "data": {"k": "${secret}"}}}),
    ];
    kind.takes("ci", &takes.map(|fields| spec(&fields))).await;
    let refuses = [
        (json!({}), "exactly one of user, userRef must be set"),
        (json!({"user": "ci@pve", "userRef": {"name": "ci"}}), "exactly one of user, userRef must be set"),
        (json!({"user": "ci@pve", "tokenId": "a"}), "at least 2 letters"),
        (json!({"user": "ci@pve", "tokenId": "1a"}), "at least 2 letters"),
        (json!({"user": "ci@pve", "tokenId": "ab\n"}), "at least 2 letters"),
        (json!({"user": "ci@pve", "lifetime": "1s"}), "at least 10s"),
        (json!({"user": "ci@pve", "lifetime": "1h", "expiresAt": ""}), "only one of expiresAt, lifetime can be set"),
        (json!({"user": "ci@pve", "rotation": {"beforeExpiry": "1h"}}), "rotation.beforeExpiry needs a lifetime"),
        (
            json!({"user": "ci@pve", "lifetime": "1h", "rotation": {"beforeExpiry": "1h"}}),
            "rotation.beforeExpiry needs a lifetime that is longer",
        ),
        (json!({"user": "ci@pve", "secretTemplate": {"type": "kubernetes.io/tls"}}), "Unsupported value"),
        (json!({"user": "ci@pve", "secretTemplate": {"data": {"token": "x"}}}), "the key token is always written"),
        (json!({"user": "ci@pve", "secretTemplate": {"labels": {"a": "b c"}}}), "must be the value of a label"),
        (
            json!({"user": "ci@pve", "secretTemplate": {"type": "kubernetes.io/basic-auth", "data": {"k": "v"}}}),
            "needs username or password",
        ),
    ];
    kind.refuses("ci", &refuses.map(|(fields, words)| (spec(&fields), words))).await;
    kind.refuses("1st", &[(spec(&json!({"user": "ci@pve"})), "metadata.name is the token's name")]).await;
    kind.store("fixed", &spec(&json!({"user": "ci@pve"}))).await;
    let refuses = [
        (json!({"user": "cd@pve"}), "user cannot be changed, set or removed later"),
        (json!({"userRef": {"name": "ci"}}), "userRef cannot be changed, set or removed later"),
        (json!({"user": "ci@pve", "tokenId": "other"}), "tokenId cannot be changed, set or removed later"),
    ];
    kind.refuses("fixed", &refuses.map(|(fields, words)| (spec(&fields), words))).await;
}
