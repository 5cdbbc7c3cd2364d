//! Custom claims of users and groups (FACTS 8, recording `custom-claims`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::check::{Check, Rule};
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::tables::{Claim, Tables, claims_shown};

/// Claims that Pocket ID makes itself.
const RESERVED: [&str; 22] = [
    "acr",
    "amr",
    "aud",
    "auth_time",
    "azp",
    "display_name",
    "email",
    "email_verified",
    "exp",
    "family_name",
    "given_name",
    "groups",
    "iat",
    "iss",
    "jti",
    "name",
    "nbf",
    "nonce",
    "picture",
    "preferred_username",
    "sub",
    "type",
];

/// `GET /api/custom-claims/suggestions`: the keys that are in use, the most used first.
pub fn suggestions(_: &Call<'_>, tables: &Tables) -> Answer {
    let of_users = tables.users.iter().flat_map(|user| &user.claims);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for claim in of_users.chain(tables.groups.iter().flat_map(|group| &group.claims)) {
        *counts.entry(&claim.key).or_default() += 1;
    }
    let mut keys: Vec<&str> = counts.keys().copied().collect();
    keys.sort_by_key(|key| std::cmp::Reverse(counts[key]));
    Answer::ok(&json!(keys))
}

/// `PUT /api/custom-claims/user/{id}`
pub fn set_of_user(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let wanted = read(call)?;
    let user = tables.users.iter_mut().find(|user| user.id == call.id());
    replace(user.map(|user| &mut user.claims), wanted)
}

/// `PUT /api/custom-claims/user-group/{id}`
pub fn set_of_group(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let wanted = read(call)?;
    let group = tables.groups.iter_mut().find(|group| group.id == call.id());
    replace(group.map(|group| &mut group.claims), wanted)
}

fn read(call: &Call<'_>) -> Result<Vec<Claim>, Failure> {
    let mut wanted = Vec::new();
    for fields in call.list()? {
        let claim = Claim { key: fields.text("key")?, value: fields.text("value")? };
        Check::default()
            .field("Key", &claim.key, &[Rule::Required])
            .field("Value", &claim.value, &[Rule::Required])
            .done()?;
        wanted.push(claim);
    }
    let mut seen = BTreeSet::new();
    for Claim { key, .. } in &wanted {
        if RESERVED.contains(&key.as_str()) {
            return Err(Failure::new(400, "reserved_claim", format!("Claim {key} is reserved and can't be used")));
        }
        if !seen.insert(key) {
            return Err(Failure::new(400, "duplicate_claim", format!("Claim {key} is already defined")));
        }
    }
    Ok(wanted)
}

/// Claims that stay keep their place.
fn replace(claims: Option<&mut Vec<Claim>>, wanted: Vec<Claim>) -> Result<Answer, Failure> {
    // Up to 2.12 an unknown owner is a broken reference in the database.
    let claims = claims.ok_or_else(|| Failure::broken().later(Failure::not_found()))?;
    claims.retain(|claim| wanted.iter().any(|other| other.key == claim.key));
    for claim in wanted {
        match claims.iter_mut().find(|other| other.key == claim.key) {
            Some(other) => *other = claim,
            None => claims.push(claim),
        }
    }
    Ok(Answer::ok(&claims_shown(claims)))
}
