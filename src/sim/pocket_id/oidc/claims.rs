//! Which claims tokens have (FACTS 8, recordings `oidc-flow-groups`, `oidc-flow-default-scopes`, `token-preview`,
//! `custom-claims`).

use serde_json::{Map, Value, json};

use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::tables::{Claim, Client, Tables, User};
use crate::sim::secrets::random_uuid;

/// Claims by name.
pub type Claims = Map<String, Value>;

fn claims(value: &Value) -> Claims {
    value.as_object().cloned().unwrap_or_default()
}

/// What a client may know of a user, by scope.
pub fn of_user(call: &Call<'_>, tables: &Tables, user: &User, scope: &str) -> Claims {
    let has = |name: &str| scope.split(' ').any(|scope| scope == name);
    let mut said = claims(&json!({ "sub": user.id }));
    if has("email") && !(user.email.is_none() && call.release().leaves_out_missing_email()) {
        said.extend(claims(&json!({ "email": user.email, "email_verified": user.email_verified })));
    }
    if has("profile") {
        let picture = format!("{}/api/users/{}/profile-picture.png", call.server.issuer, user.id);
        said.extend(claims(&json!({
            "preferred_username": user.username,
            "name": user.full_name(),
            "given_name": user.first_name,
            "family_name": user.last_name,
            "display_name": user.display_name,
            "picture": picture,
        })));
        // A user's own claim comes after those of its groups, and wins.
        let of_groups = tables.groups_of_user(&user.id).flat_map(|group| &group.claims);
        said.extend(of_groups.chain(&user.claims).map(|claim| (claim.key.clone(), sent(claim))));
    }
    if has("groups") {
        let names = tables.groups_of_user(&user.id).map(|group| Value::from(group.name.as_str()));
        said.insert("groups".to_owned(), names.collect());
    }
    said
}

/// A value that is JSON is sent as JSON.
fn sent(claim: &Claim) -> Value {
    serde_json::from_str(&claim.value).unwrap_or_else(|_| Value::from(claim.value.as_str()))
}

/// What every token of a client says of itself.
pub fn of_token(call: &Call<'_>, client: &Client, kind: &str, subject: &str) -> Claims {
    let minutes = client.lifetimes(call.release()).access;
    claims(&json!({
        "type": kind,
        "iss": call.server.issuer,
        "sub": subject,
        "aud": [client.id],
        "iat": call.now,
        "exp": call.now + 60 * minutes,
        "jti": random_uuid(),
    }))
}

/// The claims of an ID token, but for what is of the sign-in.
pub fn of_id_token(call: &Call<'_>, tables: &Tables, client: &Client, user: &User, scope: &str) -> Claims {
    let mut said = of_token(call, client, "id-token", &user.id);
    said.extend(of_user(call, tables, user, scope));
    said
}

/// Type of the access tokens of clients.
pub const ACCESS: &str = "oauth-access-token";

/// Whether a user gets in at a client.
pub fn must_get_in(tables: &Tables, client: &Client, user: &User) -> Result<(), Failure> {
    let sentence = "You're not allowed to access this service";
    if tables.lets_in(client, user) { Ok(()) } else { Err(Failure::new(403, "access_denied", sentence)) }
}
