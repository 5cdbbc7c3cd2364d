//! `sim`: runs a simulator until it is interrupted.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::sim::{pocket_id, pve};

/// Which simulator.
#[derive(Subcommand)]
pub enum Simulate {
    #[command(after_long_help = PVE_HELP)]
    Pve(Pve),
    #[command(after_long_help = POCKET_ID_HELP)]
    PocketId(PocketId),
}

/// Options that all simulators have.
#[derive(Args)]
struct Common {
    /// Where to listen; port 0 takes any
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep the state in this file over restarts
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How long a read takes
    #[arg(long, value_name = "MS", default_value_t = 0)]
    read_latency_ms: u64,
    /// How long a write holds its lock
    #[arg(long, value_name = "MS", default_value_t = 0)]
    write_latency_ms: u64,
    /// Scales every wait: a late 401, the poll of a lock and its giving up, the time for which a rate limit holds
    #[arg(long, value_name = "F", default_value_t = 1.0)]
    time_scale: f64,
}

const PVE_HELP: &str = "\
It prints one line of JSON when it listens: url, fingerprint (SHA-256 of its certificate) and token (of root@pam). \
People can sign in to it with a simulated Pocket ID beside it:

  proxmox-identity sim pocket-id --listen 127.0.0.1:1411 --root-token static-api-key-for-tests > pocket-id.json &
  jq -r .ca pocket-id.json > pocket-id.pem
  proxmox-identity sim pve --listen 127.0.0.1:8006 --trust-ca pocket-id.pem

A realm of type openid with issuer-url https://127.0.0.1:1411 then sends people there: POST \
/api2/json/access/openid/auth-url (realm, redirect-url) gives the address, and POST /api2/json/access/openid/login \
(state, code, redirect-url) a ticket for what came back. sim pocket-id --help shows how to sign users in there. Only \
providers on this machine are asked; for others it says that discovery is not available.";

/// Proxmox VE: the identity part of its API on loopback, over HTTPS
#[derive(Args)]
pub struct Pve {
    #[command(flatten)]
    common: Common,
    /// How much longer a write to user.cfg holds its lock for each ACL entry there: Proxmox VE reads and writes the whole
    /// file, which takes it some 60 µs an entry
    #[arg(long, value_name = "US", default_value_t = 0)]
    write_latency_per_entry_us: u64,
    /// Secret of root@pam!admin, a lower-case UUID [default: the kept one, or random]
    #[arg(long, value_name = "KEY")]
    root_token: Option<String>,
    /// Also start a directory of LDAP here, for realms of types ldap and ad; its people are ann and ben of
    /// dc=example,dc=com, and cn=admin,dc=example,dc=com logs in with bind-secret
    #[arg(long, value_name = "ADDR")]
    ldap: Option<SocketAddr>,
    /// Trust the authorities in this PEM file too, beside those of the system, when people sign in with
    /// OpenID
    #[arg(long, value_name = "FILE")]
    trust_ca: Option<PathBuf>,
    /// Which release to be; 9.1 knows no regenerate of tokens and no audiences of realms
    #[arg(long, value_enum, default_value = "9.2")]
    release: pve::Release,
}

const POCKET_ID_HELP: &str = "\
It prints one line of JSON when it listens: url (the issuer too), fingerprint (SHA-256 of its certificate), token (the \
static API key) and ca (the authority to trust, for sim pve --trust-ca). To try it:

  proxmox-identity sim pocket-id --listen 127.0.0.1:1411 --root-token static-api-key-for-tests

  curl -k -H 'X-API-Key: static-api-key-for-tests' https://127.0.0.1:1411/api/users/me
  curl -k -H 'X-API-Key: static-api-key-for-tests' https://127.0.0.1:1411/api/user-groups \\
       -d '{\"name\": \"proxmox_users\", \"friendlyName\": \"Proxmox Users\"}'

Users sign in without a passkey: POST /api/users/ID/one-time-access-token gives a token, and POST \
/api/one-time-access-token/TOKEN a session as a cookie, with which POST /api/oidc/authorize gives a code. What a user's \
tokens would say shows GET /api/oidc/clients/ID/preview/USER?scopes=openid+profile+email+groups without all that.

Paths of its own, without a login:

  POST /sim/reset           makes it empty, and clears faults and counters
  POST /sim/fault           {\"name\": \"cut\", \"file\": \"clients\", \"skip\": 1, \"count\": 2}: after one write to \
clients two are cut off. Names are status (a proxy's page with status), delay (by ms) and cut (before: true for before \
it takes effect). Files are clients, secrets, allowed-groups, logos, groups, members, users, claims, api-keys and \
sessions; without one any write counts, with any-request reads too
  GET  /sim/requests        how often each call was made, and the last writes
  POST /sim/requests/clear  counts from zero again";

/// Pocket ID: its admin API and its OpenID Connect provider on loopback, over HTTPS
#[derive(Args)]
pub struct PocketId {
    #[command(flatten)]
    common: Common,
    /// The static API key, of 16 characters or more [default: the kept one, or random]
    #[arg(long, value_name = "KEY")]
    root_token: Option<String>,
    /// Which release to be: 2.9 is recorded, the others follow what is known of their sources. From 2.10 on no callback
    /// URL is trusted on first use; from 2.12 on secrets may be chosen; from 2.13 on errors have codes and conflicts
    /// are 409; from 2.14 on clients have several secrets, and POST /secret is gone
    #[arg(long, value_enum, value_name = "RELEASE", default_value = "2.9")]
    compat: pocket_id::Release,
    /// Count requests from loopback too, which the rate limit of 2.9 exempts (100 at once, then one a second). Requests
    /// with X-Forwarded-For count for the address in it
    #[arg(long)]
    limit_loopback: bool,
}

/// Runs a simulator.
///
/// # Errors
/// When it cannot start.
pub async fn run(simulate: Simulate) -> std::io::Result<()> {
    match simulate {
        Simulate::Pve(options) => {
            let Pve { common, write_latency_per_entry_us, root_token, ldap, trust_ca, release } = options;
            let trust_ca = trust_ca.as_deref().map(read).transpose()?;
            let simulator = pve::Simulator::start(pve::Options {
                listen: common.listen,
                state: common.state,
                root_token,
                read_latency: Duration::from_millis(common.read_latency_ms),
                write_latency: Duration::from_millis(common.write_latency_ms),
                write_latency_per_entry: Duration::from_micros(write_latency_per_entry_us),
                time_scale: common.time_scale,
                ldap,
                trust_ca,
                release,
            })
            .await?;
            let (url, fingerprint, token) = (simulator.url(), simulator.fingerprint(), simulator.token());
            until_interrupted(&json!({ "url": url, "fingerprint": fingerprint, "token": token })).await?;
            simulator.stop().await;
        }
        Simulate::PocketId(options) => {
            let PocketId { common, root_token, compat, limit_loopback } = options;
            let simulator = pocket_id::Simulator::start(pocket_id::Options {
                listen: common.listen,
                state: common.state,
                api_key: root_token,
                read_latency: Duration::from_millis(common.read_latency_ms),
                write_latency: Duration::from_millis(common.write_latency_ms),
                time_scale: common.time_scale,
                release: compat,
                limit_loopback,
            })
            .await?;
            let (url, fingerprint, token) = (simulator.url(), simulator.fingerprint(), simulator.api_key());
            let line = json!({ "url": url, "fingerprint": fingerprint, "token": token, "ca": simulator.ca_pem() });
            until_interrupted(&line).await?;
            simulator.stop().await;
        }
    }
    Ok(())
}

/// The text of a file.
fn read(file: &Path) -> std::io::Result<String> {
    let named = |error: std::io::Error| std::io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    std::fs::read_to_string(file).map_err(named)
}

/// Says how the simulator is reached, and waits.
async fn until_interrupted(line: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    tokio::signal::ctrl_c().await
}
