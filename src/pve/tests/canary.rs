//! No secret is in a message, in `Debug`, or in a log, whatever the server echoes.

use std::collections::BTreeSet;

use super::server::{Received, Reply, Server, answer, failed, ok, on_connecting};
use super::{PASSWORD, UUID, connected, settings, ticket};
use crate::core::claim::Thing;
use crate::core::ids::RealmId;
use crate::core::secret::Secret;
use crate::core::snapshot::OptionValue;
use crate::core::write::Write;
use crate::https::tests::log::Log;
use crate::pve::config::Settings;
use crate::pve::read::SnapshotScope;
use crate::pve::realms::RealmCache;

const CLIENT_KEY: &str = "client-key-canary/+=";
const TICKET: &str = "PVE:u@pve:ticket-canary==";
const CSRF: &str = "csrf-canary";

/// A server that repeats all that it was sent in its failures, the way a careless one might.
fn echo(request: &Received) -> Reply {
    if request.line().ends_with("/access/ticket") {
        return ok(&format!(r#"{{"ticket":"{TICKET}","CSRFPreventionToken":"{CSRF}"}}"#));
    }
    if request.line() == "GET /api2/json/access/domains/realm-with-key" {
        return ok(&format!(r#"{{"type":"openid","digest":"d","client-key":"{CLIENT_KEY}"}}"#));
    }
    if request.line().ends_with("/domains/pam") {
        return ok(r#"{"type":"pam","digest":"d"}"#);
    }
    if request.line() == "GET /api2/json/access/domains" {
        return ok(r#"[{"realm":"realm-with-key","type":"openid"}]"#);
    }
    let known = [
        request.header("authorization").unwrap_or_default(),
        request.header("cookie").unwrap_or_default(),
        request.header("csrfpreventiontoken").unwrap_or_default(),
        request.header("cookie").map_or("", |_| TICKET),
        request.body(),
    ];
    let text = known.join(" ").replace(['\r', '\n'], " ");
    if request.line().starts_with("PUT") {
        let errors = serde_json::json!({ "data": null, "errors": { "client-key": text } }).to_string();
        return answer("400 Parameter verification failed.", "application/json;charset=UTF-8", &errors);
    }
    if request.line().ends_with("/permissions") { ok("{}") } else { failed(500, &text) }
}

/// Reads and writes, and gives everything that could be shown.
async fn shown(settings: &Settings) -> String {
    let session = connected(settings).await;
    let realm = RealmId::observed("realm-with-key");
    let scope = SnapshotScope { realms: BTreeSet::from([realm.clone()]), ..SnapshotScope::default() };
    let snapshot = session.snapshot(&scope, &RealmCache::default()).await;
    let options = [("client-key".to_owned(), OptionValue::Secret(Secret::new(CLIENT_KEY)))];
    let thing = Thing::Realm(realm);
    let create = Write::create(thing.clone(), options.clone().into());
    let update = Write::Update { thing, set: options.into(), unset: BTreeSet::new(), digest: None };
    let created = session.write(&create).await;
    let updated = session.write(&update).await;
    assert!(snapshot.is_ok() && created.is_err() && updated.is_err());
    format!("{settings:?} {snapshot:?} {create:?} {update:?} {created:?} {updated:?}")
}

#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let log = Log::start();
    let server = Server::start(|request| on_connecting(request).unwrap_or_else(|| echo(request))).await;
    let with_token = settings(&server.url, server.pinned());
    let with_ticket = Settings { auth: ticket(), ..with_token.clone() };
    let mut all = shown(&with_token).await + &shown(&with_ticket).await;
    assert!(all.contains("[secret]"), "something was scrubbed");
    let logged = log.text();
    assert!(logged.contains("called Proxmox VE") && logged.contains("/access/domains"), "{logged}");
    all.push_str(&logged);
    let sent: String = server.received().into_iter().map(|request| request.0).collect();
    let encoded = "canary-pass+word%25%26";
    for (secret, on_the_wire) in [
        (UUID, UUID),
        (PASSWORD, encoded),
        (encoded, encoded),
        (CLIENT_KEY, "client-key-canary%2F%2B%3D"),
        ("client-key-canary", "client-key-canary"),
        ("ticket-canary", "ticket%2Dcanary"),
        ("ticket%2Dcanary", "ticket%2Dcanary"),
        (CSRF, CSRF),
    ] {
        assert!(sent.contains(on_the_wire), "{secret} was used");
        assert!(!all.contains(secret), "{secret} is shown in {all}");
    }
}
