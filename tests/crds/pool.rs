//! ProxmoxPool.

use proxmox_identity::api::ProxmoxPool;
use serde_json::json;

use crate::verdict::{Kind, spec};

#[tokio::test]
async fn a_pool_has_up_to_three_levels() {
    let kind = Kind::of::<ProxmoxPool>().await;
    let takes = [json!({}), json!({"poolId": "a/b/c", "comment": "x"}), json!({"poolId": "Prod_1"})];
    kind.takes("prod", &takes.map(|fields| spec(&fields))).await;
    let rule = "must be one to three levels joined by '/'";
    let refuses = [
        (json!({"poolId": "a/b/c/d"}), rule),
        (json!({"poolId": "a//b"}), rule),
        (json!({"poolId": "a\n"}), rule),
        (json!({"poolId": "a/../b"}), rule),
        (json!({"guests": []}), "field not declared in schema"),
        (json!({"members": {"guests": [99]}}), "greater than or equal to 100"),
        (json!({"members": {"storages": ["a"]}}), "the first a letter"),
        (json!({"members": {}, "membershipPolicy": "Ignore"}), "members need membershipPolicy"),
    ];
    kind.refuses("prod", &refuses.map(|(fields, words)| (spec(&fields), words))).await;
    kind.refuses("1st", &[(spec(&json!({})), "metadata.name is the pool id where the spec gives none")]).await;
    kind.takes("1st", &[spec(&json!({"poolId": "first"}))]).await;
}

#[tokio::test]
async fn the_id_of_a_pool_cannot_change() {
    let kind = Kind::of::<ProxmoxPool>().await;
    let words = "poolId cannot be changed, set or removed later";
    kind.store("prod", &spec(&json!({"poolId": "a"}))).await;
    kind.refuses("prod", &[(spec(&json!({"poolId": "b"})), words), (spec(&json!({})), words)]).await;
    kind.store("test", &spec(&json!({}))).await;
    kind.refuses("test", &[(spec(&json!({"poolId": "test"})), words)]).await;
}
