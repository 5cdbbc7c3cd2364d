//! Realms of types ldap and ad.

use serde_json::{Value, json};

use super::{field, shared, tfa};
use crate::kinds::table::{Call, Comes, Field, Need, Right, Shown, Table, Thing, Unset};

/// The rows of the options that both types of directories have.
macro_rules! of_directories {
    ($kind:literal) => {
        vec![
            tfa(),
            Field {
                unset: Unset::Required,
                ..field(
                    concat!($kind, "/servers"),
                    "server2",
                    (json!(["ldap1.example.com", "10.0.0.2"]), "10.0.0.2"),
                    (json!(["ldap1.example.com", "fd00::2"]), "fd00::2"),
                    Some(json!(["ldap1.example.com"])),
                )
            },
            field(concat!($kind, "/port"), "port", (json!(3890), "3890"), (json!(3891), "3891"), None),
            Field::flag(concat!($kind, "/caseSensitive"), "case-sensitive", "1"),
            Field::text(concat!($kind, "/bindDn"), "bind_dn", "cn=admin,dc=example,dc=com", "cn=reader"),
            Field {
                empty: None,
                ..Field::text(concat!($kind, "/tls/mode"), "mode", "ldaps", "ldap+starttls")
            },
            Field::flag(concat!($kind, "/tls/verify"), "verify", "0"),
            Field::text(concat!($kind, "/tls/caPath"), "capath", "/etc/ca", "/etc/other-ca"),
            Field::text(concat!($kind, "/tls/certPath"), "cert", "/etc/cert", "/etc/other-cert"),
            Field::text(concat!($kind, "/tls/keyPath"), "certkey", "/etc/key", "/etc/other-key"),
            Field {
                empty: None,
                ..Field::text(concat!($kind, "/tls/version"), "sslversion", "tlsv1_2", "tlsv1_3")
            },
            Field::text(concat!($kind, "/users/filter"), "filter", "(a=b)", "(a=c)"),
            field(
                concat!($kind, "/users/classes"),
                "user_classes",
                (json!(["person", "user"]), "person,user"),
                (json!(["person"]), "person"),
                Some(json!([])),
            ),
            field(
                concat!($kind, "/users/attributes"),
                "sync_attributes",
                (json!({"email": "mail", "firstname": "givenName"}), "email=mail,firstname=givenName"),
                (json!({"email": "other"}), "email=other"),
                Some(json!({})),
            ),
            Field::text(concat!($kind, "/groups/dn"), "group_dn", "ou=groups", "ou=teams"),
            Field::text(concat!($kind, "/groups/filter"), "group_filter", "(c=d)", "(c=e)"),
            field(
                concat!($kind, "/groups/classes"),
                "group_classes",
                (json!(["univentionGroup"]), "univentionGroup"),
                (json!(["groupOfNames", "group"]), "groupOfNames,group"),
                Some(json!([])),
            ),
            Field::text(concat!($kind, "/groups/nameAttribute"), "group_name_attr", "cn", "ou"),
            field(
                concat!($kind, "/syncDefaults"),
                "sync-defaults-options",
                (
                    json!({"scope": "both", "enableNew": true, "removeVanished": ["properties", "acl"]}),
                    "enable-new=1,remove-vanished=acl;properties,scope=both",
                ),
                (json!({"scope": "users"}), "scope=users"),
                Some(json!({})),
            ),
        ]
    };
}

/// A realm of one of the types, which cannot do without some fields.
struct Directory {
    kind: &'static str,
    claim: &'static str,
    path: &'static str,
    make: Vec<(&'static str, &'static str)>,
    required: Value,
    fields: Vec<Field>,
    elsewhere: &'static [&'static str],
}

impl Directory {
    fn table(self) -> Table {
        let Self { kind, claim, path, make, required, fields, elsewhere } = self;
        let mut with_password = required;
        with_password["servers"] = json!(["ldap1.example.com"]);
        with_password["bindPasswordSecretRef"] = json!({"name": "bind", "key": "password"});
        let id = path.rsplit('/').next().expect("an id");
        Table {
            kind: "ProxmoxRealm",
            name: "directory",
            fixed: json!({ "realm": id, kind: {} }),
            before: Vec::new(),
            secrets: "",
            thing: Thing {
                claim,
                shown: Shown::Fields(path),
                make: Call { method: "POST", path: "/access/domains", form: make },
                change: Call::new("PUT", path, &[]),
                remove: Call::new("DELETE", path, &[]),
            },
            fields: shared("").into_iter().chain(fields).collect(),
            sets: Vec::new(),
            needs: vec![Need {
                name: "with-password",
                spec: json!({ kind: with_password }),
                reason: "SecretNotFound",
                says: "Secret bind",
                comes: Comes::Manifest(
                    "apiVersion: v1\nkind: Secret\nmetadata: {name: bind}\nstringData: {password: bind-password}\n",
                ),
            }],
            right: Right { privilege: "Realm.Allocate", path: "/access/realm" },
            elsewhere,
        }
    }
}

pub mod ldap {
    use super::{Directory, Field, Table, Unset, field, json, tfa};

    crate::kinds::of_what_is_made!();
    crate::kinds::of_what_refers!();
    crate::kinds::of_what_can_be_empty!();

    pub fn table() -> Table {
        let mut fields: Vec<Field> = of_directories!("ldap");
        fields.extend([
            Field::text("ldap/baseDn", "base_dn", "dc=example,dc=com", "dc=example,dc=org").required(),
            Field::text("ldap/userAttribute", "user_attr", "uid", "cn").required(),
        ]);
        let directory = Directory {
            kind: "ldap",
            claim: "realm people",
            path: "/access/domains/people",
            make: vec![("realm", "people"), ("type", "ldap"), ("server1", "ldap1.example.com")],
            required: json!({"baseDn": "dc=example,dc=com", "userAttribute": "uid"}),
            fields,
            elsewhere: &["ldap/bindPasswordSecretRef", "ldap/checkConnection"],
        };
        directory.table()
    }
}

pub mod ad {
    use super::{Directory, Field, Table, Unset, field, json, tfa};

    crate::kinds::of_what_is_made!();
    crate::kinds::of_what_refers!();
    crate::kinds::of_what_can_be_empty!();

    pub fn table() -> Table {
        let mut fields: Vec<Field> = of_directories!("ad");
        fields.extend([
            Field::text("ad/domain", "domain", "example.com", "example.org").required(),
            Field::text("ad/baseDn", "base_dn", "dc=example,dc=com", "dc=example,dc=org"),
            Field::text("ad/userAttribute", "user_attr", "sAMAccountName", "cn"),
        ]);
        let directory = Directory {
            kind: "ad",
            claim: "realm CORP",
            path: "/access/domains/CORP",
            make: vec![("realm", "CORP"), ("type", "ad"), ("server1", "ldap1.example.com")],
            required: json!({"domain": "example.com"}),
            fields,
            elsewhere: &["ad/bindPasswordSecretRef", "ad/checkConnection"],
        };
        directory.table()
    }
}
