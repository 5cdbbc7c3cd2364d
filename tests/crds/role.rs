//! ProxmoxRole.

use proxmox_identity::api::ProxmoxRole;
use serde_json::json;

use crate::verdict::{Kind, spec};

#[tokio::test]
async fn a_role_is_a_set_of_privileges_and_none_of_pve_itself() {
    let kind = Kind::of::<ProxmoxRole>().await;
    let takes = [
        json!({"privileges": ["VM.Audit", "VM.GuestAgent.Audit"]}),
        json!({"roleId": "My_Role-1.2", "privileges": []}),
        json!({"roleId": "PVEAuditor", "privileges": [], "managementPolicy": "Observe"}),
        json!({"roleId": "administrator", "privileges": []}),
    ];
    kind.takes("operator", &takes.map(|fields| spec(&fields))).await;
    let built_in = "are of Proxmox VE itself";
    let refuses = [
        (json!({}), "spec.privileges: Required value"),
        (json!({"privileges": ["VM Audit"]}), "must be a privilege such as VM.Audit"),
        (json!({"privileges": ["Audit"]}), "must be a privilege such as VM.Audit"),
        (json!({"privileges": ["VM.Audit\n"]}), "must be a privilege such as VM.Audit"),
        (json!({"roleId": "PVEAuditor", "privileges": []}), built_in),
        (json!({"roleId": "pveMine", "privileges": []}), built_in),
        (json!({"roleId": "Administrator", "privileges": []}), built_in),
        (json!({"roleId": "NoAccess", "privileges": []}), built_in),
        (json!({"roleId": "a b", "privileges": []}), "must be 1 to 255 letters"),
    ];
    kind.refuses("operator", &refuses.map(|(fields, words)| (spec(&fields), words))).await;
    kind.refuses("pve-operator", &[(spec(&json!({"privileges": []})), built_in)]).await;
    kind.store("fixed", &spec(&json!({"privileges": []}))).await;
    kind.refuses(
        "fixed",
        &[(spec(&json!({"roleId": "a", "privileges": []})), "roleId cannot be changed, set or removed")],
    )
    .await;
}
