//! The CRDs take the very ids that `core::ids` takes.

use proxmox_identity::api::{PocketIdClient, ProxmoxAcl, ProxmoxGroup, ProxmoxPool, ProxmoxRealm};
use proxmox_identity::core::ids::{AclPath, GroupId, PoolId, RealmId, RoleId, UserId};
use proxmox_identity::core::pocket_id::ids::ClientId;
use serde_json::{Value, json};

use crate::verdict::{Kind, spec};

/// Texts that one rule or another may stumble over.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "0",
        "00",
        "a",
        "ab",
        "A.b-c_9",
        ".",
        "..",
        "...",
        "1a",
        "-ab",
        "_x",
        ".a",
        "a b",
        " ab",
        "ab ",
        "ab\n",
        "a\nb",
        "ab\t",
        "ab\r\n",
        "ab\u{85}",
        "ab\u{a0}",
        "ab\u{2028}",
        "ab\u{7f}",
        "ab\0",
        "ä",
        "aä",
        "a/b",
        "a/b/c",
        "a/b/c/d",
        "/a",
        "a/",
        "a//b",
        "a/1b",
        "a/../b",
        "/",
        "//",
        "/vms/100",
        "/vms/100\n",
        "/vms/",
        "/a//b",
        "/a/../b",
        "/..",
        "/a/..",
        "/.../a",
        "/./a",
        "/a b",
        "/ä",
        "vms",
        "a@pve",
        "a@pve\n",
        "a\n@pve",
        "a@b.c@PocketID",
        "ä!%@pve",
        "a,b@pve",
        "a;b@pve",
        "a b@pve",
        "a\u{a0}b@pve",
        "a:b@pve",
        "a/b@pve",
        "@pve",
        "a@1x",
        "a@p",
        "a\u{7f}@pve",
        "root@pve",
        "a@",
        "a@pve!tok",
        "proxmox_users-PocketID",
        "proxmox_users@PocketID",
    ]
    .map(str::to_owned)
    .to_vec();
    for length in [31, 32, 33, 60, 61, 64, 65, 254, 255, 256, 1023, 1024, 1025] {
        texts.push("x".repeat(length));
        texts.push(format!("{}@pve", "ä".repeat(length)));
        texts.push(format!("/{}", "x".repeat(length - 1)));
        texts.push(format!("a/{}", "x".repeat(length - 2)));
    }
    texts
}

async fn agree(kind: &Kind, field: impl Fn(&str) -> Value, allowed: impl Fn(&str) -> bool) {
    for text in texts() {
        let verdict = kind.judge("xy", &spec(&field(&text))).await;
        assert_eq!(verdict.is_ok(), allowed(&text), "{text:?} as {}: {verdict:?}", field("…"));
    }
}

#[tokio::test]
async fn group_ids() {
    let kind = Kind::of::<ProxmoxGroup>().await;
    agree(&kind, |id| json!({"groupId": id}), |id| GroupId::parse(id).is_ok()).await;
}

#[tokio::test]
async fn pool_ids() {
    let kind = Kind::of::<ProxmoxPool>().await;
    agree(&kind, |id| json!({"poolId": id}), |id| PoolId::parse(id).is_ok()).await;
}

#[tokio::test]
async fn realm_ids() {
    let realms = Kind::of::<ProxmoxRealm>().await;
    let openid = json!({"issuerUrl": "https://id.example.com", "clientId": "pve"});
    agree(&realms, |id| json!({"realm": id, "openid": openid}), |id| RealmId::parse(id).is_ok()).await;
    let groups = Kind::of::<ProxmoxGroup>().await;
    agree(&groups, |id| json!({"oidc": {"group": "a", "realm": id}}), |id| RealmId::parse(id).is_ok()).await;
}

#[tokio::test]
async fn client_ids() {
    let kind = Kind::of::<PocketIdClient>().await;
    let client = |id: &str| json!({"clientId": id, "callbackUrls": ["https://a.example"]});
    agree(&kind, client, |id| ClientId::parse(id).is_ok()).await;
}

#[tokio::test]
async fn ids_in_acls() {
    let kind = Kind::of::<ProxmoxAcl>().await;
    let acl = |path: &str, role: &str, subject: Value| json!({"path": path, "roles": [{"role": role}], "subjects": [subject]});
    let group = json!({"group": "a"});
    agree(&kind, |id| acl(id, "PVEAuditor", group.clone()), |id| AclPath::parse(id).is_ok()).await;
    agree(&kind, |id| acl("/", id, group.clone()), |id| RoleId::parse(id).is_ok()).await;
    agree(&kind, |id| acl("/", "PVEAuditor", json!({"group": id})), |id| GroupId::parse(id).is_ok()).await;
    agree(&kind, |id| acl("/", "PVEAuditor", json!({"user": id})), |id| UserId::parse(id).is_ok()).await;
}

/// Where a spec gives no id, the name is it: also then they agree.
#[tokio::test]
async fn names_as_ids() {
    let long = "x".repeat(33);
    let (groups, pools) = (Kind::of::<ProxmoxGroup>().await, Kind::of::<ProxmoxPool>().await);
    let realms = Kind::of::<ProxmoxRealm>().await;
    let openid = json!({"openid": {"issuerUrl": "https://id.example.com", "clientId": "pve"}});
    for name in ["0", "00", "a", "ab", "1a", "a.b-c", &long] {
        let verdict = groups.judge(name, &spec(&json!({}))).await;
        assert_eq!(verdict.is_ok(), GroupId::parse(name).is_ok(), "group {name}: {verdict:?}");
        let verdict = pools.judge(name, &spec(&json!({}))).await;
        assert_eq!(verdict.is_ok(), PoolId::parse(name).is_ok(), "pool {name}: {verdict:?}");
        let verdict = realms.judge(name, &spec(&openid)).await;
        assert_eq!(verdict.is_ok(), RealmId::parse(name).is_ok(), "realm {name}: {verdict:?}");
    }
}
