//! Users.

use serde_json::json;

use crate::kinds::table::{Call, Comes, Field, Listed, Need, Right, Set, Shown, Table, Thing};

crate::kinds::of_what_is_made!();
crate::kinds::of_sets_that_can_be_ignored!();
crate::kinds::of_what_refers!();
crate::kinds::of_what_can_be_empty!();
crate::kinds::of_sets!();

pub fn table() -> Table {
    let user = "/access/users/ann@pve";
    let group = |id| Call::new("POST", "/access/groups", &[("groupid", id)]);
    Table {
        kind: "ProxmoxUser",
        name: "somebody",
        fixed: json!({"userName": "ann", "realm": "pve"}),
        before: vec![group("dev"), group("ops"), group("others")],
        secrets: "apiVersion: v1\nkind: Secret\nmetadata: {name: values}\nstringData: {keyone: keyone, keytwo: keytwo}\n",
        thing: Thing {
            claim: "user ann@pve",
            shown: Shown::Fields(user),
            make: Call::new("POST", "/access/users", &[("userid", "ann@pve")]),
            change: Call::new("PUT", user, &[]),
            remove: Call::new("DELETE", user, &[]),
        },
        fields: vec![
            Field::flag("enabled", "enable", "1"),
            Field::expiry(),
            Field::text("firstName", "firstname", "Ann", "Anna"),
            Field::text("lastName", "lastname", "Bee", "Wasp"),
            Field::text("email", "email", "a@example.com", "b@example.com"),
            Field::text("comment", "comment", "first", "second"),
            Field::secret("keysSecretRef", "keys", "keyone", "keytwo"),
        ],
        sets: vec![Set {
            path: "groups",
            policy: "membershipPolicy",
            ours: [(json!({"group": "dev"}), "dev"), (json!({"group": "ops"}), "ops")],
            theirs: "others",
            claims: ["membership of ann@pve in dev", "membership of ann@pve in others"],
            listed: Listed::Texts(user, "groups"),
            optional: true,
            take_first: Call::new("PUT", user, &[("groups", "ops,others")]),
            put_theirs: Call::new("PUT", user, &[("groups", "others"), ("append", "1")]),
        }],
        needs: vec![
            Need {
                name: "with-realm",
                spec: json!({"realmRef": {"name": "id"}}),
                reason: "DependencyNotReady",
                says: "ProxmoxRealm id",
                comes: Comes::Object(
                    "ProxmoxRealm",
                    "id",
                    "openid: {issuerUrl: 'https://id.example.com', clientId: c}",
                ),
            },
            Need {
                name: "with-group",
                spec: json!({"realm": "pve", "groups": [{"groupRef": {"name": "team"}}]}),
                reason: "DependencyNotReady",
                says: "ProxmoxGroup team",
                comes: Comes::Object("ProxmoxGroup", "team", ""),
            },
            Need {
                name: "with-id",
                spec: json!({"realm": "pve", "groups": [{"group": "later"}]}),
                reason: "DependencyNotReady",
                says: "group later",
                comes: Comes::ByHand(group("later")),
            },
            Need {
                name: "with-password",
                spec: json!({"realm": "pve", "passwordSecretRef": {"name": "pw", "key": "password"}}),
                reason: "SecretNotFound",
                says: "Secret pw",
                comes: Comes::Manifest(
                    "apiVersion: v1\nkind: Secret\nmetadata: {name: pw}\nstringData: {password: long-enough}\n",
                ),
            },
        ],
        right: Right { privilege: "Realm.AllocateUser", path: "/access/realm/pve" },
        elsewhere: &["userId", "realmRef", "passwordSecretRef"],
    }
}
