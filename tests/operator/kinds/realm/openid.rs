//! Realms of type openid.

use serde_json::{Value, json};

use super::{field, shared};
use crate::kinds::table::{Call, Comes, Field, Need, Right, Shown, Table, Thing};

crate::kinds::of_what_is_made!();
crate::kinds::of_what_refers!();
crate::kinds::of_what_can_be_empty!();

pub fn table() -> Table {
    let realm = "/access/domains/PocketID";
    Table {
        kind: "ProxmoxRealm",
        name: "pocket-id",
        fixed: json!({"realm": "PocketID", "openid": {}}),
        before: Vec::new(),
        secrets: "apiVersion: v1\nkind: Secret\nmetadata: {name: values}\nstringData: {keyone: keyone, keytwo: keytwo}\n",
        thing: Thing {
            claim: "realm PocketID",
            shown: Shown::Fields(realm),
            make: Call::new("POST", "/access/domains", &[("realm", "PocketID"), ("type", "openid")]),
            change: Call::new("PUT", realm, &[]),
            remove: Call::new("DELETE", realm, &[]),
        },
        fields: fields(),
        sets: Vec::new(),
        needs: needs(),
        right: Right { privilege: "Realm.Allocate", path: "/access/realm" },
        elsewhere: &[
            "openid/clientIdSecretRef",
            "openid/clientRef",
            "openid/usernameClaim",
            "openid/users/onRemoval",
            "openid/users/provision",
            "openid/users/samples",
            "openid/users/source",
            "pam",
            "pve",
            "syncJobs",
        ],
    }
}

fn list(path: &'static str, name: &'static str, one: (Value, &'static str), two: (Value, &'static str)) -> Field {
    field(path, name, one, two, Some(json!([])))
}

fn fields() -> Vec<Field> {
    let scopes = (json!(["openid", "groups"]), "openid groups");
    let more_scopes = (json!(["openid", "groups", "email"]), "openid groups email");
    let mut fields = shared("");
    fields.extend([
        Field::text("openid/issuerUrl", "issuer-url", "https://id.example.com", "https://other.example.com").required(),
        Field::text("openid/clientId", "client-id", "client-one", "client-two").required(),
        Field::secret("openid/clientKeySecretRef", "client-key", "keyone", "keytwo"),
        Field::flag("openid/users/autoCreate", "autocreate", "0"),
        Field::text("openid/groups/claim", "groups-claim", "teams", "roles"),
        Field::flag("openid/groups/autoCreate", "groups-autocreate", "0"),
        Field::flag("openid/groups/overwrite", "groups-overwrite", "0"),
        Field { absent: "email profile", ..list("openid/scopes", "scopes", scopes, more_scopes) },
        list("openid/acrValues", "acr-values", (json!(["one", "two"]), "one,two"), (json!(["two"]), "two")),
        list("openid/audiences", "audiences", (json!(["one", "two"]), "one,two"), (json!(["two"]), "two")),
        Field::text("openid/prompt", "prompt", "login", "consent"),
        Field::flag("openid/queryUserinfo", "query-userinfo", "1"),
    ]);
    fields
}

fn needs() -> Vec<Need> {
    let issuer = "https://id.example.com";
    vec![
        Need {
            name: "with-key",
            spec: json!({"openid": {
                "issuerUrl": issuer, "clientId": "c", "clientKeySecretRef": {"name": "key", "key": "key"}
            }}),
            reason: "SecretNotFound",
            says: "Secret key",
            comes: Comes::Manifest("apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {key: k}\n"),
        },
        Need {
            name: "with-id",
            spec: json!({"openid": {"issuerUrl": issuer, "clientIdSecretRef": {"name": "id", "key": "id"}}}),
            reason: "SecretNotFound",
            says: "Secret id",
            comes: Comes::Manifest("apiVersion: v1\nkind: Secret\nmetadata: {name: id}\nstringData: {id: i}\n"),
        },
    ]
}
