//! What the OpenID Connect provider does beyond the recordings that are here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proxmox_identity::sim::pocket_id::{Options, Release};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use super::ask::{Login, Pocket, Said};

async fn pocket() -> Pocket {
    Pocket::start(Options::default()).await
}

/// The secret of a client, a fresh one.
async fn secret(pocket: &Pocket, client: &str) -> String {
    let said = pocket.post(&format!("/api/oidc/clients/{client}/secret"), json!({})).await;
    said.body["secret"].as_str().expect("a secret").to_owned()
}

async fn redeem(pocket: &Pocket, client: &str, secret: &str, code: &str) -> Said {
    pocket.token(Login::Basic(client, secret), &[("grant_type", "authorization_code"), ("code", code)]).await
}

#[tokio::test]
async fn tokens_are_signed_by_the_key_of_the_jwks() {
    let pocket = pocket().await;
    let client = pocket.client(json!({})).await;
    let user = pocket.simulator.add_user("ann", &[]).expect("a user");
    let session = pocket.session(&user).await;
    let authorized = pocket.authorize(&session, &client, json!({})).await;
    let code = authorized.body["code"].as_str().expect("a code");
    let tokens = redeem(&pocket, &client, &secret(&pocket, &client).await, code).await.body;

    let keys = pocket.send(Login::No, "GET", "/.well-known/jwks.json", "", b"").await.body;
    let number =
        |name: &str| URL_SAFE_NO_PAD.decode(keys["keys"][0][name].as_str().expect("a number")).expect("base64");
    let key = RsaPublicKeyComponents { n: number("n"), e: number("e") };
    for name in ["id_token", "access_token"] {
        let token = tokens[name].as_str().expect("a token");
        let (text, signature) = token.rsplit_once('.').expect("a signature");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        key.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).expect("a good signature");
    }
    let header = tokens["id_token"].as_str().and_then(|token| token.split('.').next()).expect("a header");
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).expect("base64")).expect("JSON");
    assert_eq!(header["kid"], keys["keys"][0]["kid"]);

    let said = pocket.send(Login::No, "GET", "/.well-known/openid-configuration", "", b"").await;
    assert_eq!(said.body["issuer"], json!(pocket.simulator.url()));
    assert_eq!(authorized.body["issuer"], said.body["issuer"]);
}

#[tokio::test]
async fn a_token_of_a_client_is_no_session_and_a_session_is_no_token() {
    let pocket = pocket().await;
    let client = pocket.client(json!({})).await;
    let user = pocket.simulator.add_user("ann", &[]).expect("a user");
    let session = pocket.session(&user).await;
    let authorized = pocket.authorize(&session, &client, json!({})).await;
    let secret = secret(&pocket, &client).await;
    let tokens = redeem(&pocket, &client, &secret, authorized.body["code"].as_str().expect("a code")).await.body;
    let access = tokens["access_token"].as_str().expect("a token");
    let me = pocket.send(Login::Bearer(access), "GET", "/api/users/me", "", b"").await;
    assert_eq!(me.failure(), (401, "You are not signed in"));
    let (_, session) = session.split_once('=').expect("a cookie");
    assert_eq!(pocket.send(Login::Bearer(session), "GET", "/api/users/me", "", b"").await.status, 200);
    assert_eq!(pocket.send(Login::Bearer(session), "GET", "/api/oidc/userinfo", "", b"").await.status, 401);
    let tampered = format!("{}x", &access[..access.len() - 1]);
    assert_eq!(pocket.send(Login::Bearer(&tampered), "GET", "/api/oidc/userinfo", "", b"").await.status, 401);
    assert_eq!(pocket.send(Login::Bearer(access), "GET", "/api/oidc/userinfo", "", b"").await.status, 200);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_dies_with_the_next_one() {
    let pocket = pocket().await;
    let client = pocket.client(json!({})).await;
    let code = [("grant_type", "authorization_code"), ("code", "none")];
    let none = pocket.token(Login::Basic(&client, ""), &code).await;
    assert_eq!(none.failure(), (400, "Client id or secret not provided"));
    let guessed = pocket.token(Login::Basic(&client, "guess"), &code).await;
    assert_eq!(guessed.failure(), (400, "Invalid client secret"), "there is none before the first");

    let first = secret(&pocket, &client).await;
    assert_eq!(redeem(&pocket, &client, &first, "none").await.failure(), (400, "Invalid authorization code"));
    let path = format!("/api/oidc/clients/{client}");
    let body = json!({ "name": "Proxmox", "callbackURLs": ["https://pve.example.com"] });
    assert!(!pocket.put(&path, body).await.body.to_string().contains(&first));
    assert_eq!(redeem(&pocket, &client, &first, "none").await.failure(), (400, "Invalid authorization code"));
    let second = secret(&pocket, &client).await;
    assert_eq!(redeem(&pocket, &client, &first, "none").await.failure(), (400, "Invalid client secret"));
    assert_eq!(redeem(&pocket, &client, &second, "none").await.failure(), (400, "Invalid authorization code"));

    let form = [("grant_type", "client_credentials"), ("client_id", client.as_str()), ("client_secret", &second)];
    assert_eq!(pocket.token(Login::No, &form).await.body["token_type"], "Bearer");
    assert_eq!(pocket.token(Login::Basic("none", &second), &code).await.failure(), (404, "Record not found"));
}

#[tokio::test]
async fn a_refresh_token_works_once() {
    let pocket = pocket().await;
    let client = pocket.client(json!({})).await;
    let user = pocket.simulator.add_user("ann", &[]).expect("a user");
    let authorized = pocket.authorize(&pocket.session(&user).await, &client, json!({})).await;
    let secret = secret(&pocket, &client).await;
    let tokens = redeem(&pocket, &client, &secret, authorized.body["code"].as_str().expect("a code")).await.body;
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let login = Login::Basic(&client, &secret);
    assert_eq!(pocket.token(login, &form).await.status, 200);
    assert_eq!(pocket.token(login, &form).await.failure(), (400, "Refresh token is invalid or expired"));
}

#[tokio::test]
async fn claims_follow_the_scopes() {
    let pocket = pocket().await;
    for group in ["one", "two"] {
        pocket.group(group).await;
    }
    let client = pocket.client(json!({})).await;
    let user = pocket.simulator.add_user("ann", &["one", "two"]).expect("a user");
    let claims = json!([{ "key": "tier", "value": "3" }]);
    assert_eq!(pocket.put(&format!("/api/custom-claims/user/{user}"), claims).await.status, 200);
    let preview = async |scopes: &str| {
        let path = format!("/api/oidc/clients/{client}/preview/{user}?scopes={scopes}");
        let said = pocket.get(&path).await;
        said.body["userInfo"].as_object().cloned().unwrap_or_default()
    };
    let names = |claims: &serde_json::Map<String, Value>| claims.keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(names(&preview("openid").await), "sub");
    assert_eq!(names(&preview("openid+email").await), "email email_verified sub");
    let all = preview("openid+groups+profile").await;
    assert_eq!(
        names(&all),
        "display_name family_name given_name groups name picture preferred_username sub tier",
        "custom claims come with the profile"
    );
    assert_eq!((&all["groups"], &all["tier"]), (&json!(["one", "two"]), &json!(3)));
}

#[tokio::test]
async fn a_preview_says_who_gets_in() {
    let pocket = pocket().await;
    let group = pocket.group("team").await;
    let client = pocket.client(json!({ "isGroupRestricted": true })).await;
    let (ann, ben) = (
        pocket.simulator.add_user("ann", &["team"]).expect("a user"),
        pocket.simulator.add_user("ben", &[]).expect("one"),
    );
    let status =
        async |user: &str| pocket.get(&format!("/api/oidc/clients/{client}/preview/{user}?scopes=openid")).await.status;
    assert_eq!((status(&ann).await, status(&ben).await), (403, 403), "nobody while the list is empty");
    let path = format!("/api/oidc/clients/{client}/allowed-user-groups");
    pocket.put(&path, json!({ "userGroupIds": [group] })).await;
    assert_eq!((status(&ann).await, status(&ben).await, status("nobody").await), (200, 403, 404));
    let without = pocket.get(&format!("/api/oidc/clients/{client}/preview/{ann}")).await;
    assert_eq!(without.failure(), (400, "Scopes are required"));
}

#[tokio::test]
async fn a_user_without_an_email_has_null_up_to_2_9_and_none_later() {
    for (release, expected) in [(Release::V2_9, Some(&Value::Null)), (Release::V2_10, None)] {
        let pocket = Pocket::of(release).await;
        let client = pocket.client(json!({})).await;
        let me = pocket.get("/api/users/me").await.id();
        let said = pocket.get(&format!("/api/oidc/clients/{client}/preview/{me}?scopes=openid+email")).await;
        assert_eq!(said.body["idToken"].get("email"), expected, "{release:?}");
    }
}
