//! Sentences about the client, against a small TLS server that answers what the test says.

mod answers;
mod canary;
mod classify;
mod fuzz;
mod lease;
mod login;
mod reading;
mod server;
mod tls;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::core::claim::Thing;
use crate::core::failure::Failure;
use crate::core::fields::Fields;
use crate::core::ids::{GroupId, UserId};
use crate::core::secret::Secret;
use crate::core::write::Write;
use crate::https::observer::{CallObserver, Unobserved};
use crate::https::settings::TlsSettings;
use crate::permit::Permit;
use crate::pve::client::Client;
use crate::pve::config::{Auth, Settings};
use crate::pve::session::Session;

/// The value of the token; it must be seen in requests only.
const UUID: &str = "c0ffee00-0123-4567-89ab-cdefc0ffee00";
const PASSWORD: &str = "canary-pass word%&";
const CLUSTER: &str = "3B:82:9B:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:33:C4";

fn token() -> Auth {
    Auth::token(&format!("ops@pve!full={UUID}\n")).expect("a token")
}

fn ticket() -> Auth {
    Auth::Ticket { user: UserId::observed("u@pve"), password: Secret::new(PASSWORD) }
}

fn settings(endpoint: &str, tls: TlsSettings) -> Settings {
    Settings {
        endpoints: vec![Url::parse(endpoint).expect("a URL")],
        auth: token(),
        tls,
        proxy: None,
        request_timeout: Duration::from_secs(5),
        replica: None,
    }
}

fn client(settings: &Settings) -> Client {
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    Client::new(settings, &observer).expect("a client")
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

fn create_group() -> Write {
    Write::create(Thing::Group(GroupId::observed("g1")), Fields::new())
}
