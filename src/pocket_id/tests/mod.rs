//! Sentences about the client, against the simulator in all its releases and a server that misbehaves.

mod canary;
mod connecting;
mod failing;
mod fuzz;
mod key;
mod pacing;
mod previewing;
mod reading;
mod refreshing;
mod settings;
mod writing;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use url::Url;

use crate::core::failure::Failure;
use crate::core::pocket_id::ids::{ClientId, GroupId};
use crate::core::pocket_id::snapshot::{Scope, Snapshot};
use crate::core::pocket_id::write::{Answer, Write};
use crate::core::secret::Secret;
use crate::https::observer::{CallObserver, Unobserved};
use crate::https::settings::TlsSettings;
use crate::https::tests::server::{Received, Reply, Server, answer};
use crate::permit::Permit;
use crate::pocket_id::client::Client;
use crate::pocket_id::config::Settings;
use crate::pocket_id::details::Details;
use crate::pocket_id::pace::{Limit, Pacing};
use crate::pocket_id::session::Session;
use crate::sim::pocket_id::{Options, Release, Simulator};

/// The static key; it must be seen in requests only.
const KEY: &str = "canary-static-api-key";

const RELEASES: [Release; 5] = [Release::V2_9, Release::V2_10, Release::V2_12, Release::V2_13, Release::V2_14];

/// Nobody waits.
const UNHURRIED: Limit = Limit { burst: 100_000, every: Duration::from_millis(1) };
const UNPACED: Pacing = Pacing { low: UNHURRIED, high: UNHURRIED, pause: Duration::from_millis(1) };

/// Without rate limit.
async fn simulator(release: Release) -> Simulator {
    start(Options { release, time_scale: 0.0, ..Options::default() }).await
}

async fn start(options: Options) -> Simulator {
    let options = Options { api_key: Some(KEY.to_owned()), ..options };
    Simulator::start(options).await.expect("it starts")
}

fn settings(url: &str, tls: TlsSettings) -> Settings {
    Settings {
        url: Url::parse(url).expect("a URL"),
        api_key: Secret::new(KEY),
        tls,
        request_timeout: Duration::from_secs(5),
        replica: None,
    }
}

fn settings_of(simulator: &Simulator) -> Settings {
    let ca_pem = Some(simulator.ca_pem().to_owned());
    settings(&simulator.url(), TlsSettings { ca_pem, ..TlsSettings::default() })
}

fn paced(settings: &Settings, pacing: Pacing) -> Client {
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    Client::pacing(settings, &observer, pacing).expect("a client")
}

fn client(settings: &Settings) -> Client {
    paced(settings, UNPACED)
}

async fn connected(settings: &Settings) -> Session {
    client(settings).connect(&Permit::unlimited()).await.expect("a session")
}

/// The failure to connect.
async fn refusal(settings: &Settings) -> Failure {
    match client(settings).connect(&Permit::unlimited()).await {
        Ok(_) => panic!("connected"),
        Err(failure) => failure,
    }
}

async fn everything(session: &Session) -> Snapshot {
    let scope = Scope { users: true, ..Scope::default() };
    session.snapshot(&scope, &mut Details::default()).await.expect("a snapshot")
}

fn create_group(name: &str) -> Write {
    Write::CreateGroup { name: name.to_owned(), friendly_name: format!("The {name}") }
}

async fn group(session: &Session, name: &str) -> GroupId {
    match session.write(&create_group(name)).await.expect("a group") {
        Answer::Group(id) => id,
        other => panic!("{other:?}"),
    }
}

/// A client that lets in who is in certain groups.
fn restricted(name: &str) -> Map<String, Value> {
    let fields = json!({ "name": name, "callbackURLs": ["https://pve.example.com:8006"], "isGroupRestricted": true });
    fields.as_object().expect("an object").clone()
}

fn create_client(id: &str) -> Write {
    Write::CreateClient { client: ClientId::observed(id), fields: restricted(id) }
}

fn allow(client: &str, groups: &[&GroupId]) -> Write {
    let groups = groups.iter().map(|group| (*group).clone()).collect();
    Write::AllowGroups { client: ClientId::observed(client), groups }
}

fn ids(names: &[&str]) -> BTreeSet<ClientId> {
    names.iter().map(|name| ClientId::observed(name)).collect()
}

/// A server that answers some requests so, and says on connecting that it is 2.9.
async fn raw(answers: impl Fn(&Received) -> Option<Reply> + Send + Sync + 'static) -> Server {
    Server::start(move |request| {
        answers(request).unwrap_or_else(|| match request.line() {
            "GET /api/version/current" => ok(r#"{"currentVersion":"2.9.0"}"#),
            "GET /.well-known/openid-configuration" => ok(r#"{"issuer":"https://id.example.com"}"#),
            _ => failed(404, "Record not found"),
        })
    })
    .await
}

/// A success.
fn ok(body: &str) -> Reply {
    answer("200 OK", "application/json; charset=utf-8", body)
}

/// A failure in one sentence.
fn failed(status: u16, sentence: &str) -> Reply {
    answer(&status.to_string(), "application/json; charset=utf-8", &json!({ "error": sentence }).to_string())
}
