//! API tokens.

use serde_json::json;

use crate::kinds::table::{Call, Comes, Field, Need, Right, Shown, Table, Thing, Unset};

crate::kinds::of_what_is_made!();
crate::kinds::of_what_refers!();
crate::kinds::of_what_can_be_empty!();

pub fn table() -> Table {
    let token = "/access/users/svc@pve/token/ci";
    let user = |id| Call::new("POST", "/access/users", &[("userid", id)]);
    Table {
        kind: "ProxmoxToken",
        name: "pipeline",
        fixed: json!({"user": "svc@pve", "tokenId": "ci"}),
        before: vec![user("svc@pve")],
        secrets: "",
        thing: Thing {
            claim: "token svc@pve!ci",
            shown: Shown::Fields(token),
            make: Call::new("POST", token, &[]),
            change: Call::new("PUT", token, &[]),
            remove: Call::new("DELETE", token, &[]),
        },
        fields: vec![
            Field { unset: Unset::Default("1"), ..Field::flag("privilegeSeparation", "privsep", "1") },
            Field::expiry(),
            Field::text("comment", "comment", "first", "second"),
        ],
        sets: Vec::new(),
        needs: vec![
            Need {
                name: "of-reference",
                spec: json!({"userRef": {"name": "ann"}}),
                reason: "DependencyNotReady",
                says: "ProxmoxUser ann",
                comes: Comes::Object("ProxmoxUser", "ann", "realm: pve"),
            },
            Need {
                name: "of-id",
                spec: json!({"user": "bob@pve"}),
                reason: "DependencyNotReady",
                says: "user bob@pve",
                comes: Comes::ByHand(user("bob@pve")),
            },
        ],
        right: Right { privilege: "User.Modify", path: "/access/groups" },
        elsewhere: &["userRef", "lifetime", "rotation", "secretTemplate"],
    }
}
