//! ProxmoxAcl.

use proxmox_identity::api::ProxmoxAcl;
use serde_json::{Value, json};

use crate::verdict::{Kind, spec};

fn acl(path: &str, roles: &Value, subjects: &Value) -> Value {
    spec(&json!({"path": path, "roles": roles, "subjects": subjects}))
}

#[tokio::test]
async fn an_acl_grants_roles_to_groups_and_users() {
    let kind = Kind::of::<ProxmoxAcl>().await;
    let roles = json!([{"role": "PVEAuditor"}, {"role": "PVEVMUser"}]);
    let subjects =
        json!([{"group": "a"}, {"groupRef": {"name": "b"}}, {"user": "alice@PocketID"}, {"user": "root@pve"}]);
    kind.takes("acl", &[acl("/", &roles, &subjects), acl("/pool/a/b", &roles, &subjects)]).await;
    let defaulted = kind.judge("acl", &acl("/", &roles, &subjects)).await.expect("taken");
    assert_eq!(defaulted.data["spec"]["propagate"], json!(true));
    assert_eq!(defaulted.data["spec"]["subjects"], subjects, "nothing is filled in inside lists");
}

#[tokio::test]
async fn an_acl_that_pve_would_not_keep_is_refused() {
    let kind = Kind::of::<ProxmoxAcl>().await;
    let (roles, subjects) = (json!([{"role": "PVEAuditor"}]), json!([{"group": "a"}]));
    let (path, one) = (
        "must be '/' or '/a/b' of letters",
        "exactly one of group, groupRef, user, userRef, token, tokenRef must be set",
    );
    let refuses = [
        (acl("/vms//100", &roles, &subjects), path),
        (acl("/vms/100/", &roles, &subjects), path),
        (acl("/vms/../100", &roles, &subjects), path),
        (acl("/vms/100\n", &roles, &subjects), path),
        (acl("vms/100", &roles, &subjects), path),
        (acl("/", &json!([{"role": "a b"}]), &subjects), "must be 1 to 255 letters"),
        (acl("/", &json!([{"role": "a\n"}]), &subjects), "must be 1 to 255 letters"),
        (acl("/", &json!([]), &subjects), "should have at least 1 items"),
        (acl("/", &roles, &json!([])), "should have at least 1 items"),
        (acl("/", &roles, &json!([{}])), one),
        (acl("/", &roles, &json!([{"group": "a", "user": "a@pve"}])), one),
        (acl("/", &roles, &json!([{"group": "a", "groupRef": {"name": "a"}}])), one),
        (acl("/", &roles, &json!([{"user": "root@pam"}])), "PVE accepts an entry for it and does not store it"),
        (acl("/", &roles, &json!([{"user": "alice"}])), "must be name@realm"),
        (acl("/", &roles, &json!([{"user": "alice@PocketID\n"}])), "must be name@realm"),
        (acl("/", &roles, &json!([{"group": "0"}])), "and not '0'"),
        (acl("/", &roles, &json!([{"token": "a@pve!b"}])), "name@realm!token"),
        (spec(&json!({"roles": roles, "subjects": subjects})), "exactly one of path, poolRef must be set"),
    ];
    kind.refuses("acl", &refuses).await;
}

#[tokio::test]
async fn an_acl_may_be_as_large_as_it_says_and_no_larger() {
    let kind = Kind::of::<ProxmoxAcl>().await;
    let roles = |n: usize| (0..n).map(|i| json!({"role": format!("{i:0>255}")})).collect::<Value>();
    let subjects = |n: usize| (0..n).map(|i| json!({"user": format!("{i:0>60}@pve")})).collect::<Value>();
    let path = format!("/{}", "x".repeat(1023));
    kind.takes("acl", &[acl(&path, &roles(64), &subjects(1024))]).await;
    kind.refuses("acl", &[(acl("/", &roles(65), &subjects(1)), "must have at most 64 items")]).await;
    kind.refuses("acl", &[(acl("/", &roles(1), &subjects(1025)), "must have at most 1024 items")]).await;
}

#[tokio::test]
async fn the_path_of_an_acl_may_change() {
    let kind = Kind::of::<ProxmoxAcl>().await;
    let (roles, subjects) = (json!([{"role": "PVEAuditor"}]), json!([{"group": "a"}]));
    kind.store("acl", &acl("/vms", &roles, &subjects)).await;
    kind.takes("acl", &[acl("/", &roles, &subjects)]).await;
}
