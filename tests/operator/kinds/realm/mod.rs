//! Realms: one table a type.

pub mod directory;
pub mod openid;

use serde_json::{Value, json};

use crate::kinds::table::{Call, Field, Right, Setting, Shown, Table, Thing};

/// The fields that all realms have; `absent` is what stands for no comment.
fn shared(absent: &'static str) -> Vec<Field> {
    vec![
        Field { absent, ..Field::text("comment", "comment", "first", "second") },
        Field::flag("default", "default", "0"),
    ]
}

/// The second factor, which openid does not have.
fn tfa() -> Field {
    field(
        "tfa",
        "tfa",
        (json!({"oath": {"digits": 8}}), "type=oath,digits=8"),
        (json!({"oath": {"digits": 6, "step": 60}}), "type=oath,digits=6,step=60"),
        Some(json!({})),
    )
}

/// A field with two values of any type, each as the spec and as Proxmox VE has it.
fn field(
    path: &'static str,
    name: &'static str,
    one: (Value, &'static str),
    two: (Value, &'static str),
    empty: Option<Value>,
) -> Field {
    let setting = |(spec, pve)| Setting { spec, pve };
    Field { one: setting(one), two: setting(two), empty, ..Field::text(path, name, "", "") }
}

/// A realm that is always there.
fn built_in(id: &'static str, realm: &'static str, absent: &'static str) -> Table {
    Table {
        kind: "ProxmoxRealm",
        name: "built-in",
        fixed: json!({"realm": id, id: {}}),
        before: Vec::new(),
        secrets: "",
        thing: Thing {
            claim: if id == "pam" { "realm pam" } else { "realm pve" },
            shown: Shown::Fields(realm),
            make: Call::new("PUT", realm, &[]),
            change: Call::new("PUT", realm, &[]),
            remove: Call::new("DELETE", realm, &[]),
        },
        fields: shared(absent).into_iter().chain([tfa()]).collect(),
        sets: Vec::new(),
        needs: Vec::new(),
        right: Right { privilege: "Realm.Allocate", path: "/access/realm" },
        elsewhere: &[],
    }
}

pub mod pam {
    use crate::kinds::table::Table;

    crate::kinds::of_what_is_always_there!();
    crate::kinds::of_what_can_be_empty!();

    pub fn table() -> Table {
        super::built_in("pam", "/access/domains/pam", "Linux PAM standard authentication")
    }
}

pub mod pve {
    use crate::kinds::table::Table;

    crate::kinds::of_what_is_always_there!();
    crate::kinds::of_what_can_be_empty!();

    pub fn table() -> Table {
        super::built_in("pve", "/access/domains/pve", "Proxmox VE authentication server")
    }
}
