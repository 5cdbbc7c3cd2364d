//! Groups.

use serde_json::json;

use crate::kinds::table::{Call, Comes, Field, Listed, Need, Right, Set, Shown, Table, Thing};

crate::kinds::of_what_is_made!();
crate::kinds::of_sets_that_can_be_ignored!();
crate::kinds::of_what_refers!();
crate::kinds::of_what_can_be_empty!();
crate::kinds::of_sets!();

pub fn table() -> Table {
    let group = "/access/groups/ops";
    let user = |id| Call::new("POST", "/access/users", &[("userid", id)]);
    Table {
        kind: "ProxmoxGroup",
        name: "team",
        fixed: json!({"groupId": "ops"}),
        before: vec![user("a@pve"), user("b@pve"), user("c@pve")],
        secrets: "",
        thing: Thing {
            claim: "group ops",
            shown: Shown::Fields(group),
            make: Call::new("POST", "/access/groups", &[("groupid", "ops")]),
            change: Call::new("PUT", group, &[]),
            remove: Call::new("DELETE", group, &[]),
        },
        fields: vec![Field::text("comment", "comment", "first", "second")],
        sets: vec![Set {
            path: "members",
            policy: "membershipPolicy",
            ours: [(json!({"user": "a@pve"}), "a@pve"), (json!({"user": "b@pve"}), "b@pve")],
            theirs: "c@pve",
            claims: ["membership of a@pve in ops", "membership of c@pve in ops"],
            listed: Listed::Texts(group, "members"),
            optional: true,
            take_first: Call::new("PUT", "/access/users/a@pve", &[("groups", "")]),
            put_theirs: Call::new("PUT", "/access/users/c@pve", &[("groups", "ops")]),
        }],
        needs: vec![
            Need {
                name: "with-reference",
                spec: json!({"members": [{"userRef": {"name": "d"}}]}),
                reason: "DependencyNotReady",
                says: "ProxmoxUser d",
                comes: Comes::Object("ProxmoxUser", "d", "realm: pve"),
            },
            Need {
                name: "with-id",
                spec: json!({"members": [{"user": "e@pve"}]}),
                reason: "DependencyNotReady",
                says: "user e@pve",
                comes: Comes::ByHand(user("e@pve")),
            },
            Need {
                name: "of-a-provider",
                spec: json!({"oidc": {"group": "dev", "realmRef": {"name": "id"}}}),
                reason: "DependencyNotReady",
                says: "ProxmoxRealm id",
                comes: Comes::Object(
                    "ProxmoxRealm",
                    "id",
                    "openid: {issuerUrl: 'https://id.example.com', clientId: c}",
                ),
            },
        ],
        right: Right { privilege: "Group.Allocate", path: "/access/groups" },
        elsewhere: &["oidc"],
    }
}
