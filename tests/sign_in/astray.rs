//! What must not lead to a ticket.

use std::io::Write;
use std::sync::{Arc, Mutex};

use proxmox_identity::sim::browser::{Agreed, TurnedAway};
use proxmox_identity::sim::{pocket_id, pve};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::world::{World, with};

/// What the simulators log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn world() -> World {
    let world = World::new().await;
    world.realm("oid", &[]).await;
    world
}

async fn users(world: &World) -> Vec<String> {
    let users = world.pve("GET", "/access/users", &[]).await;
    let users = users.as_array().expect("a list").iter();
    users.map(|user| user["userid"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_sign_in_ends_once() {
    let world = world().await;
    let browser = world.browser();
    let address = browser.begin("oid").await.expect("a way");
    // Two codes, both good for the same state.
    let (one, other) = (browser.agree("ann", &address).await, browser.agree("ann", &address).await);
    assert_eq!(browser.come_back(&one.expect("agreed")).await.expect("in").user, "ann@oid");
    assert!(matches!(browser.come_back(&other.expect("agreed")).await, Err(TurnedAway::Refused)));
}

#[tokio::test]
async fn a_code_fits_only_the_sign_in_that_it_was_given_for() {
    let world = world().await;
    let browser = world.browser();
    let agree = async |user| browser.agree(user, &browser.begin("oid").await.expect("a way")).await.expect("agreed");
    let (ann, cem) = (agree("ann").await, agree("cem").await);
    for stolen in [
        Agreed { state: cem.state, code: ann.code.clone() },
        Agreed { state: ann.state, code: String::from("guess").into() },
        Agreed { state: "guess".to_owned(), code: ann.code },
    ] {
        assert!(matches!(browser.come_back(&stolen).await, Err(TurnedAway::Refused)));
    }
    assert_eq!(users(&world).await, ["root@pam"]);
}

#[tokio::test]
async fn a_reset_ends_all_sign_ins() {
    let world = world().await;
    let browser = world.browser();
    let agreed = browser.agree("ann", &browser.begin("oid").await.expect("a way")).await.expect("agreed");
    world.pve.reset();
    world.realm("oid", &[]).await;
    assert!(matches!(browser.come_back(&agreed).await, Err(TurnedAway::Refused)));
}

#[tokio::test]
async fn pocket_id_sends_people_back_only_where_its_client_says() {
    let world = world().await;
    let path = format!("/api/oidc/clients/{}", world.client);
    for (callback, refused) in [("https://127.0.0.1", true), ("https://127.0.0.1:*", false)] {
        let client = world.pocket_id("GET", &path, json!({})).await;
        world.pocket_id("PUT", &path, with(&client, "callbackURLs", json!([callback]))).await;
        let seen = world.sign_in("oid", "ann").await;
        assert_eq!(seen.is_err(), refused, "{callback}: {seen:?}");
        assert!(!refused || matches!(seen, Err(TurnedAway::WayBack(_))), "{callback}: {seen:?}");
    }
}

#[tokio::test]
async fn pocket_id_signs_in_only_users_that_it_has_and_that_are_not_disabled() {
    let world = world().await;
    assert!(matches!(world.sign_in("oid", "nobody").await, Err(TurnedAway::NoUser(_))));
    let found = world.pocket_id("GET", "/api/users?search=ann", json!({})).await;
    let path = format!("/api/users/{}", found["data"][0]["id"].as_str().expect("an id"));
    world.pocket_id("PUT", &path, with(&found["data"][0], "disabled", json!(true))).await;
    assert!(matches!(world.sign_in("oid", "ann").await, Err(TurnedAway::NotAllowed(_))));
}

#[tokio::test]
async fn a_user_that_cannot_be_written_does_not_get_in() {
    let world = world().await;
    for name in [pve::FaultName::HeldLock, pve::FaultName::NoQuorum] {
        world.pve.fault(pve::Fault { file: Some("user.cfg".to_owned()), ..pve::Fault::new(name) });
        assert!(matches!(world.sign_in("oid", "ann").await, Err(TurnedAway::Refused)));
    }
    assert_eq!(users(&world).await, ["root@pam"]);
    world.sign_in("oid", "ann").await.expect("in, once it can be written");
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_proves_no_issuer() {
    let pocket_id = pocket_id::Simulator::start(pocket_id::Options::default()).await.expect("it starts");
    let pve = pve::Simulator::start(pve::Options::default()).await.expect("it starts");
    let world = World::of(pve, pocket_id).await;
    world.realm("oid", &[]).await;
    let seen = world.sign_in("oid", "ann").await;
    assert!(matches!(&seen, Err(TurnedAway::NoWay(says)) if says == "Request failed"), "{seen:?}");
}

#[tokio::test]
async fn authorities_that_are_none_are_refused_at_the_start() {
    for pem in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let options = pve::Options { trust_ca: Some(pem.to_owned()), ..pve::Options::default() };
        assert!(pve::Simulator::start(options).await.is_err(), "{pem:?}");
    }
}

#[tokio::test]
async fn secrets_of_a_sign_in_are_not_shown() {
    let world = world().await;
    let browser = world.browser();
    let log = Log::default();
    let writer = log.clone();
    // With a single subscriber, a call that another test's thread makes first would be taken for unwatched for ever.
    let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
    let agreed = browser.agree("ann", &browser.begin("oid").await.expect("a way")).await.expect("agreed");
    let ann = browser.come_back(&agreed).await.expect("in");
    assert!(browser.come_back(&agreed).await.is_err());
    let log = String::from_utf8_lossy(&log.0.lock().expect("a log")).into_owned();
    let shown = format!("{log} {agreed:?} {ann:?} {:?} {:?}", world.pve.requests(), world.pocket_id.requests());
    for seen in ["no sign-in under way has this state", "/access/openid/login", "/api/oidc/token"] {
        assert!(shown.contains(seen), "{seen} is not in {shown}");
    }
    for secret in [agreed.code.expose_secret(), ann.ticket.expose_secret(), &world.secret] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
