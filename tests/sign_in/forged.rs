//! A provider that says whatever it is told, and what Proxmox VE makes of that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proxmox_identity::sim::browser::{Agreed, SignedIn, TurnedAway};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::World;

/// What it answers to the next who asks.
#[derive(Default)]
struct Script {
    methods: Value,
    id_token: String,
    userinfo: Value,
    /// What was asked last for tokens.
    asked: String,
}

struct Provider {
    issuer: String,
    key: EcdsaKeyPair,
    script: Arc<Mutex<Script>>,
}

fn key() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key")
}

fn signed(key: &EcdsaKeyPair, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encode(&json!({ "alg": "ES256" })), encode(claims));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).expect("a signature");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let (key, script) = (key(), Arc::<Mutex<Script>>::default());
        let public = key.public_key().as_ref();
        let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&public[range]);
        let (x, y) = (coordinate(1..33), coordinate(33..65));
        let keys = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "x": x, "y": y }] });
        let (serving, address) = (Arc::clone(&script), issuer.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &address, &keys, &serving).await;
            }
        });
        Self { issuer, key, script }
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(mut stream: TcpStream, issuer: &str, keys: &Value, script: &Mutex<Script>) {
    let mut request = vec![0; 16 * 1024];
    let mut read = 0;
    // The form comes with the head, or right after it.
    while !is_complete(&request[..read]) {
        match stream.read(&mut request[read..]).await {
            Ok(more) if more > 0 => read += more,
            _ => return,
        }
    }
    let request = String::from_utf8_lossy(&request[..read]).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = {
        let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
        match path.as_str() {
            "/.well-known/openid-configuration" => json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "jwks_uri": format!("{issuer}/keys"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "token_endpoint_auth_methods_supported": script.methods,
            }),
            "/keys" => keys.clone(),
            "/token" => {
                script.asked = request;
                json!({ "access_token": "access", "token_type": "Bearer", "id_token": script.id_token })
            }
            _ => script.userinfo.clone(),
        }
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
    i64::try_from(now).expect("not so late") + seconds
}

/// Realms for the provider, where `sub` is the name of users unless said.
async fn world(realms: &[(&str, &[(&str, &str)])]) -> (World, Provider) {
    let (world, provider) = (World::new().await, Provider::start().await);
    for (realm, options) in realms {
        let mut all = vec![("issuer-url", provider.issuer.as_str()), ("client-id", "pve"), ("client-key", "s3cret/+")];
        let names = options.iter().any(|(name, _)| *name == "username-claim");
        all.extend((!names).then_some(("username-claim", "subject")));
        all.extend(*options);
        world.realm(realm, &all).await;
    }
    (world, provider)
}

/// Signs in with an ID token that is good but for these claims; the key is that of the provider, if there is no other.
async fn sign_in(
    world: &World,
    provider: &Provider,
    realm: &str,
    claims: &Value,
    other: Option<&EcdsaKeyPair>,
) -> Result<SignedIn, TurnedAway> {
    let browser = world.browser();
    let address = browser.begin(realm).await.expect("a way");
    let asked = |name: &str| address.query_pairs().find(|(key, _)| key == name).expect("a parameter").1.into_owned();
    let mut said = json!({
        "iss": provider.issuer, "sub": "ann", "aud": ["pve"], "iat": in_seconds(0), "exp": in_seconds(60),
        "nonce": asked("nonce"),
    });
    for (name, value) in claims.as_object().expect("claims") {
        said[name] = value.clone();
    }
    provider.script().id_token = signed(other.unwrap_or(&provider.key), &said);
    browser.come_back(&Agreed { state: asked("state"), code: String::from("code").into() }).await
}

#[tokio::test]
async fn an_id_token_must_be_signed_and_meant_for_this_sign_in() {
    let own: &[(&str, &str)] = &[("query-userinfo", "0")];
    let more: &[(&str, &str)] = &[("query-userinfo", "0"), ("audiences", "grafana,vault")];
    let (world, provider) = world(&[("own", own), ("more", more)]).await;
    let stranger = key();
    for (realm, claims, signer, gets_in) in [
        ("own", json!({}), None, true),
        ("own", json!({}), Some(&stranger), false),
        ("own", json!({ "iss": "https://127.0.0.1" }), None, false),
        ("own", json!({ "aud": ["grafana"] }), None, false),
        ("own", json!({ "aud": ["pve", "grafana"], "azp": "pve" }), None, false),
        ("more", json!({ "aud": ["pve", "grafana"], "azp": "pve" }), None, true),
        ("more", json!({ "aud": ["pve", "other"], "azp": "pve" }), None, false),
        ("own", json!({ "nonce": "another" }), None, false),
        ("own", json!({ "nonce": null }), None, false),
        ("own", json!({ "exp": in_seconds(-60) }), None, false),
    ] {
        let seen = sign_in(&world, &provider, realm, &claims, signer).await;
        assert_eq!(seen.is_ok(), gets_in, "{claims} {seen:?}");
        assert!(gets_in || matches!(seen, Err(TurnedAway::Refused)), "{claims} {seen:?}");
    }
}

#[tokio::test]
async fn what_the_provider_answers_on_asking_comes_over_the_id_token() {
    let by_upn: &[(&str, &str)] = &[("username-claim", "upn")];
    let (world, provider) = world(&[("asks", by_upn)]).await;
    for (userinfo, expected) in [
        (json!({ "sub": "ann" }), Some("of-token@asks")),
        (json!({ "sub": "ann", "upn": "of-userinfo" }), Some("of-userinfo@asks")),
        (json!({ "sub": "somebody-else", "upn": "of-userinfo" }), None),
    ] {
        provider.script().userinfo = userinfo.clone();
        let seen = sign_in(&world, &provider, "asks", &json!({ "upn": "of-token" }), None).await;
        assert_eq!(seen.ok().map(|seen| seen.user).as_deref(), expected, "{userinfo}");
    }
}

#[tokio::test]
async fn the_secret_of_the_client_goes_where_the_provider_wants_it() {
    let (world, provider) = world(&[("own", &[("query-userinfo", "0")])]).await;
    let header = format!("authorization: Basic {}", STANDARD.encode("pve:s3cret%2F%2B"));
    let form = "client_secret=s3cret%2F%2B".to_owned();
    for (methods, expected) in [
        (json!(null), &header),
        (json!(["client_secret_basic", "client_secret_post"]), &header),
        (json!(["client_secret_post"]), &form),
    ] {
        provider.script().methods = methods.clone();
        sign_in(&world, &provider, "own", &json!({}), None).await.expect("in");
        let asked = provider.script().asked.clone();
        assert!(asked.contains(expected) && asked.contains("code_verifier="), "{methods}: {asked}");
    }
}

#[tokio::test]
async fn the_address_of_a_sign_in_asks_for_what_the_realm_says() {
    let options: &[(&str, &str)] = &[("prompt", "select_account"), ("acr-values", "a,b"), ("scopes", "email groups")];
    let (world, provider) = world(&[("plain", &[("scopes", "")]), ("asking", options)]).await;
    let asked = async |realm: &str| {
        let address = world.browser().begin(realm).await.expect("a way");
        assert!(address.as_str().starts_with(&format!("{}/authorize?", provider.issuer)), "{address}");
        let found =
            |name: &str| address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(found("code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(found("redirect_uri"), Some(world.pve.url()));
        assert_eq!(found("client_id").as_deref(), Some("pve"));
        ["scope", "prompt", "acr_values"].map(|name| found(name).unwrap_or_default())
    };
    assert_eq!(asked("plain").await, ["openid email profile", "", ""]);
    assert_eq!(asked("asking").await, ["openid email groups", "select_account", "a b"]);
}
