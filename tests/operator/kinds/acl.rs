//! ACL entries.

use serde_json::{Value, json};

use crate::kinds::table::{Call, Comes, Field, Listed, Need, Right, Set, Shown, Table, Thing, Unset};

crate::kinds::of_what_is_made!();
crate::kinds::of_what_refers!();
crate::kinds::of_sets!();

const FIRST: &str = "PVEVMUser group:ops 1";

pub fn table() -> Table {
    let group = |id| Call::new("POST", "/access/groups", &[("groupid", id)]);
    let entry = [("path", "/vms"), ("roles", "PVEVMUser"), ("groups", "ops")];
    let remove = [entry.as_slice(), &[("delete", "1")]].concat();
    let theirs = |theirs: [(&'static str, &'static str); 2]| {
        Call::new("PUT", "/access/acl", &[[("path", "/vms")].as_slice(), &theirs].concat())
    };
    let set = |path, ours, theirs, claim, put_theirs| Set {
        path,
        policy: "entryPolicy",
        ours,
        theirs,
        claims: ["ACL entry PVEVMUser for group ops on /vms", claim],
        listed: Listed::Entries("/vms"),
        optional: false,
        take_first: Call::new("PUT", "/access/acl", &remove),
        put_theirs,
    };
    let subjects = [(json!({"group": "ops"}), FIRST), (json!({"group": "dev"}), "PVEVMUser group:dev 1")];
    let roles = [(json!({"role": "PVEVMUser"}), FIRST), (json!({"role": "PVEAuditor"}), "PVEAuditor group:ops 1")];
    Table {
        kind: "ProxmoxAcl",
        name: "machines",
        fixed: json!({"path": "/vms", "roles": [{"role": "PVEVMUser"}], "subjects": [{"group": "ops"}]}),
        before: vec![group("ops"), group("dev"), group("others")],
        secrets: "",
        thing: Thing {
            claim: "ACL entry PVEVMUser for group ops on /vms",
            shown: Shown::Entry { path: "/vms", role: "PVEVMUser", group: "ops" },
            make: Call::new("PUT", "/access/acl", &entry),
            change: Call::new("PUT", "/access/acl", &entry),
            remove: Call::new("PUT", "/access/acl", &remove),
        },
        fields: vec![Field { unset: Unset::Default("1"), ..Field::flag("propagate", "propagate", "1") }],
        sets: vec![
            set(
                "subjects",
                subjects,
                "PVEVMUser group:others 1",
                "ACL entry PVEVMUser for group others on /vms",
                theirs([("roles", "PVEVMUser"), ("groups", "others")]),
            ),
            set(
                "roles",
                roles,
                "PVEAdmin group:ops 1",
                "ACL entry PVEAdmin for group ops on /vms",
                theirs([("roles", "PVEAdmin"), ("groups", "ops")]),
            ),
        ],
        needs: needs(),
        right: Right { privilege: "Permissions.Modify", path: "/vms" },
        elsewhere: &["poolRef"],
    }
}

fn needs() -> Vec<Need> {
    let waits = |name, (place, at): (&str, Value), role: Value, subject: Value, says, comes| Need {
        name,
        spec: json!({place: at, "roles": [role], "subjects": [subject]}),
        reason: "DependencyNotReady",
        says,
        comes,
    };
    let path = || ("path", json!("/nodes"));
    let auditor = || json!({"role": "PVEAuditor"});
    let ops = || json!({"group": "ops"});
    let reference = |field: &str, name: &str| json!({field: {"name": name}});
    let user = Call::new("POST", "/access/users", &[("userid", "u@pve")]);
    let token = Call::new("POST", "/access/users/u@pve/token/t1", &[]);
    let group = Call::new("POST", "/access/groups", &[("groupid", "g")]);
    let role = Call::new("POST", "/access/roles", &[("roleid", "R"), ("privs", "VM.Audit")]);
    vec![
        waits("group", path(), auditor(), json!({"group": "g"}), "group g", Comes::ByHand(group)),
        waits("user", path(), auditor(), json!({"user": "u@pve"}), "user u@pve", Comes::ByHand(user)),
        waits("token", path(), auditor(), json!({"token": "u@pve!t1"}), "token u@pve!t1", Comes::ByHand(token)),
        waits("role", path(), json!({"role": "R"}), ops(), "role R", Comes::ByHand(role)),
        waits(
            "group-ref",
            path(),
            auditor(),
            reference("groupRef", "team"),
            "ProxmoxGroup team",
            Comes::Object("ProxmoxGroup", "team", ""),
        ),
        waits(
            "user-ref",
            path(),
            auditor(),
            reference("userRef", "ann"),
            "ProxmoxUser ann",
            Comes::Object("ProxmoxUser", "ann", "realm: pve"),
        ),
        waits(
            "token-ref",
            path(),
            auditor(),
            reference("tokenRef", "ci"),
            "ProxmoxToken ci",
            Comes::Object("ProxmoxToken", "ci", "user: u@pve"),
        ),
        waits(
            "role-ref",
            path(),
            reference("roleRef", "boss"),
            ops(),
            "ProxmoxRole boss",
            Comes::Object("ProxmoxRole", "boss", "privileges: [VM.Audit]"),
        ),
        waits(
            "pool-ref",
            ("poolRef", json!({"name": "lab"})),
            auditor(),
            ops(),
            "ProxmoxPool lab",
            Comes::Object("ProxmoxPool", "lab", ""),
        ),
    ]
}
