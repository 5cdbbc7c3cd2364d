//! Schemas of the texts and lists in a policy.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::{MAX_ID, list, text};
use crate::api::rules::{is_path, matches, rule};
use crate::core::ids::AclPath;

/// The kinds that a policy can name.
const KINDS: [&str; 8] = [
    "ProxmoxRealm",
    "ProxmoxGroup",
    "ProxmoxUser",
    "ProxmoxToken",
    "ProxmoxRole",
    "ProxmoxAcl",
    "ProxmoxPool",
    "ProxmoxAccessCheck",
];

pub fn kind(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": KINDS })
}

pub fn kinds(generator: &mut SchemaGenerator) -> Schema {
    list("atomic", 1, 16, &kind(generator))
}

pub fn patterns(_: &mut SchemaGenerator) -> Schema {
    list("atomic", 0, 64, &json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX_ID }))
}

pub fn user_patterns(_: &mut SchemaGenerator) -> Schema {
    let message = "must be name@realm, with * for any text: without '@' or '*' it fits no user";
    list("atomic", 0, 64, &text(MAX_ID, rule("self.contains('@') || self.contains('*')", message)))
}

pub fn paths(_: &mut SchemaGenerator) -> Schema {
    list(
        "atomic",
        0,
        64,
        &text(256, rule(is_path("self"), format!("must be {}; all below it is meant too", AclPath::RULE))),
    )
}

pub fn privileges(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a privilege such as Sys.Modify, of letters and '.'";
    list("atomic", 0, 64, &text(64, rule(matches("self", "[A-Za-z]+([.][A-Za-z]+)+"), message)))
}

pub fn namespaces(_: &mut SchemaGenerator) -> Schema {
    let message = "must be the name of a namespace";
    list("set", 0, 256, &text(63, rule(matches("self", "[a-z0-9]([-a-z0-9]*[a-z0-9])?"), message)))
}
