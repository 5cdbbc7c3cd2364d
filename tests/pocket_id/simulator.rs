//! What the simulator offers beside the API of Pocket ID: faults, waits, counters, a state that lasts.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use proxmox_identity::sim::pocket_id::{Fault, FaultName, Options, Release, Simulator};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::ask::{Login, Pocket};
use super::client::Client;
use super::play::KEY;

async fn pocket() -> Pocket {
    Pocket::start(Options::default()).await
}

async fn create_group(pocket: &Pocket, name: &str) -> u16 {
    pocket.post("/api/user-groups", json!({ "name": name, "friendlyName": name })).await.status
}

async fn groups(pocket: &Pocket) -> Vec<String> {
    let listed = pocket.get("/api/user-groups").await.body;
    let rows = listed["data"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_cut_leaves_open_whether_the_write_happened() {
    let pocket = pocket().await;
    pocket.simulator.fault(Fault { before: true, ..Fault::new(FaultName::Cut) });
    pocket.simulator.fault(Fault { skip: 1, ..Fault::new(FaultName::Cut) });
    assert_eq!(create_group(&pocket, "lost").await, 0);
    assert_eq!(create_group(&pocket, "kept").await, 0);
    assert_eq!(create_group(&pocket, "fine").await, 201);
    assert_eq!(groups(&pocket).await, ["kept", "fine"]);
}

#[tokio::test]
async fn a_fault_strikes_only_writes_to_its_file_and_a_reset_clears_it() {
    let pocket = pocket().await;
    let fault = json!({ "name": "status", "file": "secrets", "status": 502, "skip": 1, "count": 2 });
    assert_eq!(pocket.post("/sim/fault", fault).await.status, 200);
    assert_eq!(create_group(&pocket, "team").await, 201);
    let client = pocket.client(json!({})).await;
    let path = format!("/api/oidc/clients/{client}/secret");
    assert_eq!(pocket.post("/api/oidc/clients/none/secret", json!({})).await.status, 404, "no write, so not counted");
    assert_eq!(pocket.post(&path, json!({})).await.status, 200);
    let struck = pocket.post(&path, json!({})).await;
    assert_eq!((struck.status, struck.header("content-type")), (502, Some("text/html")));
    assert_eq!(pocket.post("/sim/reset", json!({})).await.status, 200);
    assert!(groups(&pocket).await.is_empty());
    let client = pocket.client(json!({})).await;
    assert_eq!(pocket.post(&format!("/api/oidc/clients/{client}/secret"), json!({})).await.status, 200);
    assert_eq!(pocket.post("/sim/fault", json!({ "name": "held-lock" })).await.status, 400, "that is of Proxmox VE");
}

#[tokio::test]
async fn reads_and_writes_take_their_time() {
    let (read_latency, write_latency) = (Duration::from_millis(20), Duration::from_millis(40));
    let pocket = Pocket::start(Options { read_latency, write_latency, ..Options::default() }).await;
    let started = Instant::now();
    let (one, other) = tokio::join!(create_group(&pocket, "one"), create_group(&pocket, "other"));
    assert_eq!((one, other), (201, 201));
    assert!(started.elapsed() >= 2 * write_latency, "one after the other");
    let started = Instant::now();
    groups(&pocket).await;
    assert!(started.elapsed() >= read_latency);
    pocket.simulator.fault(Fault { ms: 90, ..Fault::new(FaultName::Delay) });
    let started = Instant::now();
    create_group(&pocket, "late").await;
    assert!(started.elapsed() >= Duration::from_millis(130));
}

#[tokio::test]
async fn the_state_lasts_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state");
    let options = Options { state: Some(file.clone()), ..Options::default() };
    let pocket = Pocket::start(options.clone()).await;
    let fingerprint = pocket.simulator.fingerprint();
    pocket.group("team").await;
    let client = pocket.client(json!({ "id": "pve" })).await;
    let said = pocket.post(&format!("/api/oidc/clients/{client}/secret"), json!({})).await;
    let secret = said.body["secret"].as_str().expect("a secret").to_owned();
    let user = pocket.simulator.add_user("ann", &["team"]).expect("a user");
    let keys = pocket.get("/.well-known/jwks.json").await.body;
    let users = pocket.get("/api/users").await.body;
    pocket.simulator.stop().await;

    let kept = std::fs::read_to_string(&file).expect("the state");
    assert!(!kept.contains(&secret), "secrets of clients are not kept in clear");
    let pocket = Pocket::start(options).await;
    assert_eq!(pocket.simulator.fingerprint(), fingerprint);
    assert_eq!(pocket.get("/.well-known/jwks.json").await.body, keys);
    assert_eq!(pocket.get("/api/users").await.body, users);
    assert_eq!(pocket.get(&format!("/api/users/{user}")).await.body["userGroups"][0]["name"], "team");
    let form = [("grant_type", "client_credentials")];
    assert_eq!(pocket.token(Login::Basic(&client, &secret), &form).await.status, 200);
}

#[tokio::test]
async fn a_later_release_goes_on_with_the_state_of_an_earlier_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { state: Some(folder.path().join("state")), ..Options::default() };
    let pocket = Pocket::start(options.clone()).await;
    let client = pocket.client(json!({ "id": "pve" })).await;
    let said = pocket.post("/api/oidc/clients/pve/secret", json!({})).await;
    let secret = said.body["secret"].as_str().expect("a secret").to_owned();
    pocket.simulator.stop().await;

    let pocket = Pocket::start(Options { release: Release::V2_14, ..options }).await;
    let listed = pocket.get("/api/oidc/clients/pve/secrets").await.body;
    assert_eq!(listed[0]["prefix"], secret[..4]);
    let tokens = pocket.token(Login::Basic(&client, &secret), &[("grant_type", "client_credentials")]).await;
    assert_eq!(tokens.body["expires_in"], 3600);
}

#[tokio::test]
async fn requests_are_counted_without_their_secrets() {
    let pocket = pocket().await;
    let client = pocket.client(json!({ "id": "pve" })).await;
    let user = pocket.simulator.add_user("ann", &[]).expect("a user");
    pocket.get("/api/oidc/clients?search=p").await;
    pocket.get("/api/oidc/clients/pve").await;
    let one_time = pocket.post(&format!("/api/users/{user}/one-time-access-token"), json!({})).await;
    let one_time = one_time.body["token"].as_str().expect("a token");
    pocket.send(Login::No, "POST", &format!("/api/one-time-access-token/{one_time}"), "", b"").await;
    pocket.token(Login::No, &[("client_id", &client), ("client_secret", "in-the-form")]).await;

    let requests = pocket.simulator.requests();
    assert_eq!((requests.count("GET", "/api/oidc/clients"), requests.count("POST", "/api/oidc/clients")), (2, 1));
    let write = &requests.writes[0];
    assert_eq!(
        (write.form["name"].as_str(), write.form["callbackURLs"].as_str()),
        ("Proxmox", "[\"https://pve.example.com\"]")
    );
    assert!(write.credential.starts_with("static-api-user-"));
    let shown = pocket.get("/sim/requests").await.body.to_string();
    for secret in [KEY, one_time, "in-the-form"] {
        assert!(!shown.contains(secret));
    }
    pocket.simulator.clear_requests();
    assert_eq!(pocket.simulator.requests().count("GET", "/"), 0);
}

#[tokio::test]
async fn the_rate_limit_counts_loopback_only_when_asked_or_from_2_10_on() {
    let cases = [
        (Options::default(), 350, false),
        (Options { limit_loopback: true, ..Options::default() }, 100, false),
        (Options { release: Release::V2_10, time_scale: 1e6, ..Options::default() }, 300, true),
    ];
    for (options, passes, says_when) in cases {
        let release = options.release;
        let pocket = Pocket::start(options).await;
        for _ in 0..passes {
            assert_eq!(pocket.get("/api/version/latest").await.status, 200, "{release:?}");
        }
        if passes > 300 {
            continue;
        }
        let limited = loop {
            let said = pocket.get("/api/version/latest").await;
            if said.status == 429 {
                break said;
            }
        };
        assert_eq!(limited.failure(), (429, "Too many requests"));
        let wait = limited.header("retry-after").map(|wait| wait.parse::<u64>().expect("seconds"));
        assert_eq!(wait.is_some(), says_when, "{release:?}");
        assert!(wait.is_none_or(|wait| (9_000..=10_000).contains(&wait)), "{wait:?}: 10 ms, scaled");
        assert_eq!(pocket.send(Login::No, "GET", "/healthz", "", b"").await.status, 204);
    }
}

#[tokio::test]
async fn users_are_added_without_a_request() {
    let pocket = pocket().await;
    pocket.group("team").await;
    pocket.simulator.clear_requests();
    let id = pocket.simulator.add_user("ann", &["team"]).expect("a user");
    assert_eq!(pocket.simulator.requests().count("POST", "/"), 0);
    let shown = pocket.get(&format!("/api/users/{id}")).await.body;
    assert_eq!((&shown["username"], &shown["userGroups"][0]["name"]), (&json!("ann"), &json!("team")));
    assert!(pocket.simulator.add_user("ann", &[]).is_err(), "taken");
    assert!(pocket.simulator.add_user("-ben", &[]).is_err(), "no user name");
    assert!(pocket.simulator.add_user("ben", &["missing"]).is_err());
}

/// The command as it runs.
struct Command {
    child: Child,
    line: Value,
}

impl Command {
    fn start(arguments: &[&str]) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_proxmox-identity"));
        let mut child = command
            .args(["sim", "pocket-id"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        Self { child, line: serde_json::from_str(&line).expect("JSON") }
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_command_says_how_it_is_reached() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state");
    let state = file.to_str().expect("a path");
    let command = Command::start(&["--root-token", KEY, "--compat", "2.14", "--state", state]);
    assert_eq!(command.line["token"], KEY);
    let kept: Value = serde_json::from_slice(&std::fs::read(&file).expect("the state")).expect("JSON");
    let pem = |name: &str| kept["certificates"][name].as_str().expect("a certificate");
    let served = CertificateDer::from_pem_slice(pem("served").as_bytes()).expect("a certificate");
    let bytes = digest(&SHA256, &served).as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
    assert_eq!(command.line["fingerprint"], bytes.join(":"));

    let url = command.line["url"].as_str().expect("a URL");
    let address = url.trim_start_matches("https://").parse().expect("an address");
    let client = Client::new(address, pem("authority"));
    let key = [("X-API-Key".to_owned(), KEY.to_owned())];
    let said = client.send("GET", "/.well-known/openid-configuration", &key, b"").await.expect("an answer");
    assert_eq!(serde_json::from_slice::<Value>(&said.body).expect("JSON")["issuer"], url);
    let said = client.send("GET", "/api/version/current", &key, b"").await.expect("an answer");
    assert_eq!(serde_json::from_slice::<Value>(&said.body).expect("JSON")["currentVersion"], "2.14.0");
}

#[tokio::test]
async fn a_key_that_pocket_id_would_not_take_is_refused() {
    let options = Options { api_key: Some("too-short".to_owned()), ..Options::default() };
    assert!(Simulator::start(options).await.is_err());
}
