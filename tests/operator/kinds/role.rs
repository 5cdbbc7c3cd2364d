//! Roles.

use serde_json::json;

use crate::kinds::table::{Call, Field, Right, Setting, Shown, Table, Thing};

crate::kinds::of_what_is_made!();
crate::kinds::of_what_can_be_empty!();

pub fn table() -> Table {
    let role = "/access/roles/Operator";
    let one = Setting { spec: json!(["VM.PowerMgmt", "VM.Audit"]), pve: "VM.Audit,VM.PowerMgmt" };
    let two = Setting { spec: json!(["VM.Audit", "VM.Console"]), pve: "VM.Audit,VM.Console" };
    let privileges = Field { one, two, ..Field::text("privileges", "privs", "", "") }.required();
    Table {
        kind: "ProxmoxRole",
        name: "operator",
        fixed: json!({"roleId": "Operator"}),
        before: Vec::new(),
        secrets: "",
        thing: Thing {
            claim: "role Operator",
            shown: Shown::Privileges(role),
            make: Call::new("POST", "/access/roles", &[("roleid", "Operator")]),
            change: Call::new("PUT", role, &[]),
            remove: Call::new("DELETE", role, &[]),
        },
        fields: vec![Field { empty: Some(json!([])), ..privileges }],
        sets: Vec::new(),
        needs: Vec::new(),
        right: Right { privilege: "Sys.Modify", path: "/access" },
        elsewhere: &[],
    }
}
