//! Schemas of the fields that only kinds of Pocket ID have (FACTS 3, 4).

use kube::core::validate;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::{MAX_CLAIM_VALUE, host, list, port, text};
use crate::api::rules::{WORD, matches, rule};
use crate::core::pocket_id::ids::ClientId;

/// The claims that are Pocket ID's own (recording `custom-claims`).
const RESERVED: &str = "['acr', 'amr', 'aud', 'auth_time', 'azp', 'display_name', 'email', 'email_verified', 'exp', \
                        'family_name', 'given_name', 'groups', 'iat', 'iss', 'jti', 'name', 'nbf', 'nonce', 'picture', \
                        'preferred_username', 'sub', 'type']";

pub fn pocket_id_url(_: &mut SchemaGenerator) -> Schema {
    let message = "must be https://host or https://host:port, without path, query or user";
    text(256, rule(matches("self", &format!("https://{}{}", host(), port())), message))
}

pub fn pocket_id_client_id(_: &mut SchemaGenerator) -> Schema {
    text(128, rule(matches("self", &format!("{WORD}{{2,}}")), format!("must be {}", ClientId::RULE)))
}

pub fn friendly_name(_: &mut SchemaGenerator) -> Schema {
    text(50, rule("size(self) >= 2", "must have at least 2 characters"))
}

pub fn display_name(_: &mut SchemaGenerator) -> Schema {
    text(50, rule("size(self) >= 1", "must not be empty"))
}

/// The name of a group of ours: so short as Pocket ID takes it, and so that Proxmox VE does not drop it.
pub fn own_group_name(_: &mut SchemaGenerator) -> Schema {
    let message = "must be 2 or more letters, digits, '.', '-' or '_': Proxmox VE drops values of the groups claim with other \
                   characters, such as a blank, at login; and write it without the realm";
    text(MAX_CLAIM_VALUE, rule(matches("self", &format!("{WORD}{{2,}}")), message))
}

/// The name of a group that may be somebody else's, so that any is taken.
pub fn group_name(_: &mut SchemaGenerator) -> Schema {
    text(255, rule("size(self) >= 2", "must have at least 2 characters"))
}

pub fn pocket_id_users(_: &mut SchemaGenerator) -> Schema {
    let message = "must be the name of a user: letters, digits, '_', '.', '@' and '-', a letter or digit at both ends";
    let name = matches("self", "[A-Za-z0-9]([A-Za-z0-9_.@-]*[A-Za-z0-9])?");
    list("atomic", 0, 1024, &text(50, rule(name, message)))
}

pub fn sample_users(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = pocket_id_users(generator);
    schema.insert("maxItems".to_owned(), 10.into());
    schema
}

pub fn custom_claims(_: &mut SchemaGenerator) -> Schema {
    let values = text(4096, rule("size(self) >= 1", "must not be empty"));
    let mut schema = json_schema!({ "type": "object", "maxProperties": 64, "additionalProperties": values });
    let reserved = rule(
        format!("self.all(claim, !(claim in {RESERVED}))"),
        "a custom claim cannot be one of Pocket ID's own, such as groups, email or sub",
    );
    validate(&mut schema, reserved).expect("a rule is plain JSON");
    schema
}

pub fn logo_url(_: &mut SchemaGenerator) -> Schema {
    let url = format!("{} && {}", matches("self", "https://[^/?#@]+/[^#]*"), matches("self", "[!-~]+"));
    text(1024, rule(url, "must be https://host/path"))
}

pub fn callback_urls(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a URL such as https://pve1.example.com:8006, with the port that people type unless it is 443; '*' \
                   stands for one part of a name or path, '**' for several of a path";
    let url = format!("{} && {}", matches("self", "https?://[^/?#@]+(/[^?#]*)?"), matches("self", "[!-~]+"));
    list("atomic", 0, 64, &text(256, rule(url, message)))
}
