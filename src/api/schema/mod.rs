//! Schemas of the texts and scalar lists in our specs.

pub mod directory;
mod pocket_id;
pub mod policy;

pub use pocket_id::*;

use kube::core::{Rule, validate};
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::api::rules::{
    WORD, is_group, is_path, is_pool, is_realm, is_role, is_token, is_user, is_user_name, matches, rule,
};
use crate::core::ids::{AclPath, GroupId, MAX_ID, PoolId, RealmId, RoleId, StorageId, TokenId, UserId};

/// Longest group in an identity provider's claim: with `-<realm>` it must still be a group id.
const MAX_CLAIM_VALUE: usize = MAX_ID - 1 - MAX_REALM;
const MAX_REALM: usize = 32;
const MAX_USER: usize = 64;
const MAX_PATH: usize = 1024;
const MAX_URL: usize = 256;

fn text(max: usize, rule: impl Into<Option<Rule>>) -> Schema {
    let mut schema = json_schema!({ "type": "string", "maxLength": max });
    if let Some(rule) = rule.into() {
        validate(&mut schema, rule).expect("a rule is plain JSON");
    }
    schema
}

fn list(kind: &str, min: usize, max: usize, items: &Schema) -> Schema {
    json_schema!({
        "type": "array", "minItems": min, "maxItems": max, "items": items, "x-kubernetes-list-type": kind
    })
}

pub fn group_id(_: &mut SchemaGenerator) -> Schema {
    text(MAX_ID, rule(is_group("self"), format!("must be {}", GroupId::RULE)))
}

pub fn role_id(_: &mut SchemaGenerator) -> Schema {
    text(MAX_ID, rule(is_role("self"), format!("must be {}", RoleId::RULE)))
}

pub fn realm_id(_: &mut SchemaGenerator) -> Schema {
    text(MAX_REALM, rule(is_realm("self"), format!("must be {}", RealmId::RULE)))
}

pub fn pool_id(_: &mut SchemaGenerator) -> Schema {
    text(MAX_ID, rule(is_pool("self"), format!("must be {}", PoolId::RULE)))
}

pub fn user_id(_: &mut SchemaGenerator) -> Schema {
    text(MAX_USER, rule(is_user("self"), format!("must be {}", UserId::RULE)))
}

/// A user that can be the subject of an ACL entry.
pub fn grantee(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = user_id(generator);
    let root = rule(
        format!("self != '{}'", UserId::ROOT),
        "root@pam may do everything already: PVE accepts an entry for it and does not store it",
    );
    validate(&mut schema, root).expect("a rule is plain JSON");
    schema
}

/// The part of a user's id before the `@`.
pub fn user_name(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a user's name without its realm, without blanks, control characters, ':', '/', ',' and ';'";
    text(MAX_USER - 3, rule(is_user_name("self"), message))
}

pub fn token_id(_: &mut SchemaGenerator) -> Schema {
    text(MAX_USER + 1 + MAX_ID, rule(is_token("self"), format!("must be {}", TokenId::RULE)))
}

/// The part of a token's id after the `!`.
pub fn token_name(_: &mut SchemaGenerator) -> Schema {
    let message = "must be at least 2 letters, digits, '.', '-' or '_', the first a letter";
    text(MAX_ID, rule(matches("self", "[A-Za-z][A-Za-z0-9._-]+"), message))
}

pub fn acl_path(_: &mut SchemaGenerator) -> Schema {
    text(MAX_PATH, rule(is_path("self"), format!("must be {}", AclPath::RULE)))
}

/// A value of the identity provider's groups claim.
pub fn claim_value(_: &mut SchemaGenerator) -> Schema {
    let message = "must be one value of the groups claim, of letters, digits, '.', '-' and '_': PVE drops values with \
                   other characters, such as a blank, at login; and write it without the realm, PVE itself appends \
                   -<realm> (not @<realm>)";
    text(MAX_CLAIM_VALUE, rule(matches("self", &format!("{WORD}+")), message))
}

// Other texts.

pub fn object_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 253 })
}

pub fn data_key(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a key of a Secret or ConfigMap: letters, digits, '.', '-' and '_'";
    text(253, rule(matches("self", &format!("{WORD}+")), message))
}

pub fn comment(_: &mut SchemaGenerator) -> Schema {
    text(4096, None)
}

pub fn user_comment(_: &mut SchemaGenerator) -> Schema {
    text(2048, None)
}

pub fn person_name(_: &mut SchemaGenerator) -> Schema {
    text(1024, None)
}

pub fn email(_: &mut SchemaGenerator) -> Schema {
    let message = "must be an e-mail address, or empty";
    text(254, rule(format!("self == '' || {}", matches("self", r"[^\s@]+@[^\s@]+")), message))
}

/// A moment in RFC 3339, or nothing for never.
pub fn expiry(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a time such as 2027-01-31T00:00:00Z, or empty for never";
    let form = matches("self", r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})");
    text(32, rule(format!("self == '' || ({form} && timestamp(self) > timestamp('1970-01-01T00:00:00Z'))"), message))
}

/// Not a set: server-side apply drops a set that is emptied, and a role without privileges is one.
pub fn privileges(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a privilege such as VM.Audit, of letters and '.'";
    list("atomic", 0, 256, &text(64, rule(matches("self", "[A-Za-z]+([.][A-Za-z]+)+"), message)))
}

pub fn guests(_: &mut SchemaGenerator) -> Schema {
    let guest = json_schema!({ "type": "integer", "format": "int32", "minimum": 100, "maximum": 999_999_999 });
    list("atomic", 0, 1024, &guest)
}

pub fn storages(_: &mut SchemaGenerator) -> Schema {
    let storage = matches("self", "[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]");
    list("atomic", 0, 256, &text(MAX_ID, rule(storage, format!("must be {}", StorageId::RULE))))
}

pub fn realm_comment(_: &mut SchemaGenerator) -> Schema {
    let message = "must be one line: PVE refuses a line feed in the comment of a realm";
    text(4096, rule(r"!self.contains('\n') && !self.contains('\r')", message))
}

fn port() -> &'static str {
    "(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?"
}

fn host() -> &'static str {
    r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
}

pub fn endpoints(_: &mut SchemaGenerator) -> Schema {
    let message = "must be https://host or https://host:port, without path, query or user";
    let endpoint = text(MAX_URL, rule(matches("self", &format!("https://{}{}", host(), port())), message));
    list("atomic", 1, 16, &endpoint)
}

pub fn proxy_url(_: &mut SchemaGenerator) -> Schema {
    let message = "must be http://host:port, without path, query or user";
    text(MAX_URL, rule(matches("self", &format!("http://{}{}", host(), port())), message))
}

pub fn server_name(_: &mut SchemaGenerator) -> Schema {
    text(253, rule(matches("self", host()), "must be a host name or an IP address, as the certificate has it"))
}

pub fn ca_bundle(_: &mut SchemaGenerator) -> Schema {
    let message = "must be certificates in PEM form, which begin with -----BEGIN CERTIFICATE-----";
    text(65536, rule("self.contains('-----BEGIN CERTIFICATE-----')", message))
}

pub fn fingerprints(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a SHA-256 fingerprint as PVE shows it: 32 pairs of 0-9 and A-F, joined by ':'";
    list("set", 1, 16, &text(95, rule(matches("self", "([0-9A-F]{2}:){31}[0-9A-F]{2}"), message)))
}

fn duration(least: &str, most: &str) -> Schema {
    let cel = format!(
        "{} && duration(self) >= duration('{least}') && duration(self) <= duration('{most}')",
        matches("self", "([0-9]+(ms|s|m|h))+"),
    );
    text(32, rule(cel, format!("must be a duration such as 30s or 1m30s, at least {least} and at most {most}")))
}

pub fn request_timeout(_: &mut SchemaGenerator) -> Schema {
    duration("1s", "5m")
}

pub fn resync_interval(_: &mut SchemaGenerator) -> Schema {
    duration("1s", "24h")
}

/// How long a secret lives.
pub fn lifetime(_: &mut SchemaGenerator) -> Schema {
    duration("10s", "87600h")
}

fn map(values: &Schema) -> Schema {
    json_schema!({ "type": "object", "maxProperties": 64, "additionalProperties": values })
}

pub fn labels(_: &mut SchemaGenerator) -> Schema {
    let message = "must be the value of a label: up to 63 letters, digits, '.', '-' and '_'";
    map(&text(63, rule(matches("self", "([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?"), message)))
}

pub fn annotations(_: &mut SchemaGenerator) -> Schema {
    map(&text(4096, None))
}

pub fn secret_data(_: &mut SchemaGenerator) -> Schema {
    map(&text(16384, None))
}

pub fn issuer_url(_: &mut SchemaGenerator) -> Schema {
    let cel = format!("{} && {}", matches("self", "https?://[^/?#@]+(/[^?#]*)?"), matches("self", "[!-~]+"));
    text(MAX_URL, rule(cel, "must be the issuer's URL, https://host/path, without blanks, query, fragment or user"))
}

pub fn client_id(_: &mut SchemaGenerator) -> Schema {
    let message = "must be 1 to 256 printable ASCII characters without blanks at the ends";
    text(256, rule(matches("self", "[!-~]([ -~]*[!-~])?"), message))
}

pub fn username_claim(_: &mut SchemaGenerator) -> Schema {
    text(256, rule(matches("self", "[!-~]+"), "must be the name of a claim, printable ASCII without blanks"))
}

pub fn groups_claim(_: &mut SchemaGenerator) -> Schema {
    let message = "must be the name of a claim, of letters, digits, '.', '-' and '_', or empty";
    text(256, rule(matches("self", &format!("{WORD}*")), message))
}

/// Atomic, not a set: server-side apply drops a set that is emptied, so that «empty clears» could not be said.
pub fn scopes(_: &mut SchemaGenerator) -> Schema {
    let message = r#"must be one scope, printable ASCII without blanks, ',', ';', '"' and '\'"#;
    list("atomic", 0, 32, &text(256, rule(matches("self", r"[!#-+\x2d-:<-\[\]-~]+"), message)))
}

/// Values of `acr_values` or of the audience. Atomic as [`scopes`].
pub fn openid_values(_: &mut SchemaGenerator) -> Schema {
    let message = r#"must be one value, printable ASCII without blanks, ',', ';', '<', '>', '#' and '"'"#;
    list("atomic", 0, 32, &text(256, rule(matches("self", r"[!$-+\x2d-:=?-~]+"), message)))
}

pub fn prompt(_: &mut SchemaGenerator) -> Schema {
    let message = "must be none, login, consent, select_account or another word without blanks, or empty";
    text(256, rule(matches("self", "[!-~]*"), message))
}
