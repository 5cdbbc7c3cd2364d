//! What the provider says of itself (recording `health-version-discovery`).

use serde_json::{Value, json};

use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::tables::Tables;

/// `GET /.well-known/openid-configuration`
pub fn metadata(call: &Call<'_>, _: &Tables) -> Answer {
    let issuer = &call.server.issuer;
    let at = |path: &str| Value::from(format!("{issuer}{path}"));
    Answer::ok(&json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "device_authorization_endpoint": at("/api/oidc/device/authorize"),
        "end_session_endpoint": at("/api/oidc/end-session"),
        "introspection_endpoint": at("/api/oidc/introspect"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "pushed_authorization_request_endpoint": at("/api/oidc/par"),
        "token_endpoint": at("/api/oidc/token"),
        "userinfo_endpoint": at("/api/oidc/userinfo"),
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": [
            "sub", "given_name", "family_name", "name", "email", "email_verified", "preferred_username", "picture",
            "groups",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", "client_credentials",
        ],
        "id_token_signing_alg_values_supported": ["RS256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "require_pushed_authorization_requests": false,
        "response_types_supported": ["code", "id_token"],
        "scopes_supported": ["openid", "profile", "email", "groups"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic", "client_secret_post", "private_key_jwt", "none",
        ],
    }))
}

/// `GET /.well-known/jwks.json`
pub fn keys(call: &Call<'_>, _: &Tables) -> Result<Answer, Failure> {
    Ok(Answer::ok(&call.signing_key()?.jwks()))
}
