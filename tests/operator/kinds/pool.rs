//! Pools.

use serde_json::json;

use crate::kinds::table::{Call, Comes, Field, Listed, Need, Right, Set, Shown, Table, Thing};

crate::kinds::of_what_is_made!();
crate::kinds::of_sets_that_can_be_ignored!();
crate::kinds::of_what_refers!();
crate::kinds::of_what_can_be_empty!();
crate::kinds::of_sets!();

pub fn table() -> Table {
    let lab = ("poolid", "lab");
    Table {
        kind: "ProxmoxPool",
        name: "laboratory",
        fixed: json!({"poolId": "lab"}),
        before: Vec::new(),
        secrets: "",
        thing: Thing {
            claim: "pool lab",
            shown: Shown::Fields("/pools/lab"),
            make: Call::new("POST", "/pools", &[lab]),
            change: Call::new("PUT", "/pools", &[lab]),
            remove: Call::new("DELETE", "/pools", &[lab]),
        },
        fields: vec![Field::text("comment", "comment", "first", "second")],
        sets: vec![
            Set {
                path: "members/guests",
                policy: "membershipPolicy",
                ours: [(json!(100), "qemu/100"), (json!(200), "lxc/200")],
                theirs: "qemu/101",
                claims: ["guest 100 in pool lab", "guest 101 in pool lab"],
                listed: Listed::Pool("lab"),
                optional: true,
                take_first: Call::new("PUT", "/pools", &[lab, ("vms", "100"), ("delete", "1")]),
                put_theirs: Call::new("PUT", "/pools", &[lab, ("vms", "101")]),
            },
            Set {
                path: "members/storages",
                policy: "membershipPolicy",
                ours: [(json!("local"), "storage/pve1/local"), (json!("ceph1"), "storage/pve1/ceph1")],
                theirs: "storage/pve1/local-lvm",
                claims: ["storage local in pool lab", "storage local-lvm in pool lab"],
                listed: Listed::Pool("lab"),
                optional: true,
                take_first: Call::new("PUT", "/pools", &[lab, ("storage", "local"), ("delete", "1")]),
                put_theirs: Call::new("PUT", "/pools", &[lab, ("storage", "local-lvm")]),
            },
        ],
        needs: vec![
            Need {
                name: "below-a-pool",
                spec: json!({"poolId": "above/below"}),
                reason: "DependencyNotReady",
                says: "pool above",
                comes: Comes::ByHand(Call::new("POST", "/pools", &[("poolid", "above")])),
            },
            Need {
                name: "below-an-object",
                spec: json!({"poolId": "upper/lower"}),
                reason: "DependencyNotReady",
                says: "pool upper",
                comes: Comes::Object("ProxmoxPool", "upper", ""),
            },
        ],
        right: Right { privilege: "Pool.Allocate", path: "/pool/lab" },
        elsewhere: &["allowMove"],
    }
}
