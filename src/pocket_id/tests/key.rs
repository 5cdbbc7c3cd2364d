//! When the key expires.

use serde_json::{Value, json};

use super::{connected, ok, raw, settings, settings_of, simulator};
use crate::core::secret::Secret;
use crate::https::settings::TlsSettings;
use crate::https::tls::client_config;
use crate::pocket_id::config::Settings;
use crate::sim::pocket_id::{Release, Simulator};

/// Signs up the first administrator in a browser and makes keys that expire then; says their tokens.
async fn keys(simulator: &Simulator, expiries: &[&str]) -> Vec<String> {
    let tls = TlsSettings { ca_pem: Some(simulator.ca_pem().to_owned()), ..TlsSettings::default() };
    let config = client_config(&tls, std::sync::Arc::default()).expect("a configuration");
    let browser = reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build().expect("a browser");
    let post = async |path: &str, cookie: &str, body: Value| {
        let request = browser.post(format!("{}{path}", simulator.url())).header("Cookie", cookie).json(&body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer
    };
    let user = json!({ "username": "root", "email": "root@example.com", "firstName": "R", "lastName": "T" });
    let answer = post("/api/signup/setup", "", user).await;
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
    let mut tokens = Vec::new();
    for expiry in expiries {
        let answer = post("/api/api-keys", &cookie, json!({ "name": "operator", "expiresAt": expiry })).await;
        let made: Value = answer.json().await.expect("JSON");
        tokens.push(made["token"].as_str().expect("a token").to_owned());
    }
    tokens
}

#[tokio::test]
async fn of_all_keys_of_a_user_the_expiry_of_the_own_one_is_told() {
    for release in [Release::V2_9, Release::V2_14] {
        let simulator = simulator(release).await;
        let tokens = keys(&simulator, &["2098-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]).await;
        let with = |key: &str| Settings { api_key: Secret::new(key), ..settings_of(&simulator) };
        assert_eq!(connected(&with(&tokens[1])).await.key_expiry().await, Ok(Some(4_070_908_800)), "{release:?}");
        // Both were used within a second: the first to expire is told.
        assert_eq!(connected(&with(&tokens[0])).await.key_expiry().await, Ok(Some(4_039_372_800)), "{release:?}");
        let never = connected(&settings_of(&simulator)).await.key_expiry().await;
        assert_eq!(never, Ok(None), "the static key does not expire");
    }
}

#[tokio::test]
async fn the_own_key_is_the_one_that_was_used_last() {
    let key = |id: u8, year: u16, used: &str| json!({ "id": id.to_string(), "expiresAt": format!("{year}-01-01T00:00:00Z"), "lastUsedAt": used });
    let (before, now) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
    let never = json!({ "id": "9", "expiresAt": "2026-06-01T00:00:00Z", "lastUsedAt": null });
    for (keys, expiry) in [
        (json!([key(1, 2097, before), key(2, 2099, now), never]), Some(4_070_908_800)),
        (json!([key(1, 2099, now), key(2, 2098, now), key(3, 2097, before)]), Some(4_039_372_800)),
        (json!([]), None),
    ] {
        let pagination = json!({ "totalPages": 1, "totalItems": keys.as_array().map(Vec::len) });
        let list = json!({ "data": keys, "pagination": pagination }).to_string();
        let server = raw(move |request| request.line().contains("/api/api-keys?").then(|| ok(&list))).await;
        let session = connected(&settings(&server.url, server.pinned())).await;
        assert_eq!(session.key_expiry().await, Ok(expiry));
    }
}
