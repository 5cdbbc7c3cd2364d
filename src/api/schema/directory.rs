//! Schemas of what realms of directories and second factors have.

use kube::core::{Rule, validate};
use schemars::{Schema, SchemaGenerator, json_schema};

use super::{list, map, text};
use crate::api::rules::{matches, rule};
use crate::core::ids::JobId;

const DN: &str = r"[^\p{Z}\p{Cc}]([^\p{Cc}]*[^\p{Z}\p{Cc}])?";
const ATTRIBUTE: &str = "[A-Za-z0-9._;-]{2,}";

/// A pattern, or nothing: what clears.
fn or_empty(pattern: &str, message: &str) -> Rule {
    rule(format!("self == '' || {}", matches("self", pattern)), format!("{message}, or empty"))
}

pub fn base_dn(_: &mut SchemaGenerator) -> Schema {
    text(256, rule(matches("self", DN), "must be a name in the directory such as dc=example,dc=com"))
}

pub fn optional_dn(_: &mut SchemaGenerator) -> Schema {
    text(256, or_empty(DN, "must be a name in the directory such as dc=example,dc=com"))
}

pub fn user_attribute(_: &mut SchemaGenerator) -> Schema {
    text(256, rule(matches("self", ATTRIBUTE), "must be the name of an attribute, such as uid"))
}

pub fn optional_attribute(_: &mut SchemaGenerator) -> Schema {
    text(256, or_empty(ATTRIBUTE, "must be the name of an attribute, such as cn"))
}

pub fn domain(_: &mut SchemaGenerator) -> Schema {
    text(256, rule(matches("self", "[!-~]+"), "must be a domain such as example.com"))
}

pub fn servers(_: &mut SchemaGenerator) -> Schema {
    let (name, ipv6) = ("[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", "[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*");
    let message = "must be a host name or an IP address, without protocol and port";
    list("atomic", 1, 2, &text(256, rule(matches("self", &format!("({name}|{ipv6})")), message)))
}

pub fn port_number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 65535 })
}

pub fn node_path(_: &mut SchemaGenerator) -> Schema {
    text(1024, or_empty("/[!-~]*", "must be an absolute path on the nodes without blanks"))
}

pub fn ldap_filter(_: &mut SchemaGenerator) -> Schema {
    text(2048, or_empty("[(].+[)]", "must be an LDAP filter such as (objectClass=person)"))
}

/// Atomic as [`super::scopes`].
pub fn attribute_names(_: &mut SchemaGenerator) -> Schema {
    let message = "must be the name of an object class, of letters, digits and '-'";
    list("atomic", 0, 32, &text(64, rule(matches("self", "[A-Za-z][A-Za-z0-9-]*"), message)))
}

pub fn sync_attributes(_: &mut SchemaGenerator) -> Schema {
    let mut schema = map(&text(256, rule(matches("self", "[A-Za-z0-9._;-]+"), "must be the name of an attribute")));
    let known = rule(
        "self.all(key, key in ['comment', 'email', 'enable', 'expire', 'firstname', 'keys', 'lastname'])",
        "a key must be a property of a user: comment, email, enable, expire, firstname, keys or lastname",
    );
    validate(&mut schema, known).expect("a rule is plain JSON");
    schema
}

pub fn vanished(_: &mut SchemaGenerator) -> Schema {
    list("atomic", 0, 3, &json_schema!({ "type": "string", "enum": ["acl", "entry", "properties"] }))
}

pub fn oath_digits(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "format": "int32", "minimum": 6, "maximum": 8 })
}

pub fn oath_step(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "format": "int32", "minimum": 10, "maximum": 3600 })
}

pub fn yubico_id(_: &mut SchemaGenerator) -> Schema {
    text(64, rule(matches("self", "[A-Za-z0-9]+"), "must be the id of the API, letters and digits"))
}

pub fn yubico_url(_: &mut SchemaGenerator) -> Schema {
    text(64, rule(matches("self", r"https?://[!-+\x2d-~]+"), "must be a URL without blanks and commas"))
}

pub fn job_id(_: &mut SchemaGenerator) -> Schema {
    text(64, rule(matches("self", "[A-Za-z][A-Za-z0-9_-]+"), format!("must be {}", JobId::RULE)))
}

pub fn schedule(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a calendar event such as daily, */30 or mon..fri 02:30";
    text(128, rule(matches("self", "[A-Za-z0-9*]([A-Za-z0-9*/.,: -]*[A-Za-z0-9*])?"), message))
}

pub fn job_comment(_: &mut SchemaGenerator) -> Schema {
    let message = "must be one line: PVE refuses a line feed in the comment of a job";
    text(512, rule(r"!self.contains('\n') && !self.contains('\r')", message))
}
