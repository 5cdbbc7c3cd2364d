//! What the simulator offers beside the API of Proxmox VE: faults, waits, counters, a state that lasts.

#[path = "replay/client.rs"]
mod client;

use std::path::Path;
use std::time::{Duration, Instant};

use client::{Answer, Client};
use proxmox_identity::sim::pve::{Fault, FaultName, Options, Simulator};
use serde_json::{Value, json};

const KEY: &str = "0a1b2c3d-0000-4000-8000-00000000abcd";

async fn start(options: Options) -> Simulator {
    Simulator::start(Options { root_token: Some(KEY.to_owned()), time_scale: 0.01, ..options })
        .await
        .expect("it starts")
}

async fn call(simulator: &Simulator, method: &str, path: &str, body: &str) -> Answer {
    let (token, length) = (simulator.token(), body.len());
    let json = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
    let headers = [
        ("Authorization".to_owned(), format!("PVEAPIToken={token}")),
        ("Content-Type".to_owned(), json.to_owned()),
        ("Content-Length".to_owned(), length.to_string()),
    ];
    let client = Client::new(simulator.address(), simulator.ca_pem());
    client.send(method, path, &headers, body.as_bytes()).await.expect("an answer or none")
}

async fn create_group(simulator: &Simulator, id: &str) -> Answer {
    call(simulator, "POST", "/api2/json/access/groups", &format!("groupid={id}")).await
}

async fn data(simulator: &Simulator, path: &str) -> Value {
    let answer = call(simulator, "GET", &format!("/api2/json{path}"), "").await;
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    body["data"].clone()
}

async fn groups(simulator: &Simulator) -> Vec<String> {
    let groups = data(simulator, "/access/groups").await;
    let ids = groups.as_array().into_iter().flatten().map(|group| group["groupid"].as_str().expect("an id").to_owned());
    ids.collect()
}

#[tokio::test]
async fn a_cut_leaves_open_whether_the_write_happened() {
    let simulator = start(Options::default()).await;
    simulator.fault(Fault { before: true, ..Fault::new(FaultName::Cut) });
    simulator.fault(Fault { skip: 1, ..Fault::new(FaultName::Cut) });
    assert_eq!(create_group(&simulator, "lost").await.status, 0);
    assert_eq!(create_group(&simulator, "kept").await.status, 0);
    assert_eq!(create_group(&simulator, "fine").await.status, 200);
    assert_eq!(groups(&simulator).await, ["fine", "kept"]);
}

#[tokio::test]
async fn a_proxy_in_between_answers_with_html() {
    let simulator = start(Options::default()).await;
    let fault = json!({ "name": "status", "file": "any-request", "skip": 1, "status": 503 }).to_string();
    assert_eq!(call(&simulator, "POST", "/sim/fault", &fault).await.status, 200);
    assert_eq!(call(&simulator, "GET", "/api2/json/version", "").await.status, 200);
    let answer = call(&simulator, "GET", "/api2/json/version", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (503, Some("text/html")));
    assert_eq!(call(&simulator, "GET", "/api2/json/version", "").await.status, 200);
}

#[tokio::test]
async fn a_fault_strikes_only_its_file_and_a_reset_clears_it() {
    let simulator = start(Options::default()).await;
    let fault = Fault { file: Some("domains.cfg".to_owned()), ..Fault::new(FaultName::NoQuorum) };
    simulator.fault(fault);
    assert_eq!(create_group(&simulator, "g").await.status, 200);
    assert_eq!(call(&simulator, "POST", "/sim/reset", "").await.status, 200);
    assert!(groups(&simulator).await.is_empty());
    let realm = "realm=o1&type=openid&issuer-url=https://x&client-id=c";
    assert_eq!(call(&simulator, "POST", "/api2/json/access/domains", realm).await.status, 200);
}

#[tokio::test]
async fn a_second_writer_looks_again_after_a_while() {
    let simulator = start(Options { write_latency: Duration::from_millis(5), ..Options::default() }).await;
    let started = Instant::now();
    let (first, second) = tokio::join!(create_group(&simulator, "a"), create_group(&simulator, "b"));
    assert_eq!((first.status, second.status), (200, 200));
    assert!(started.elapsed() >= Duration::from_millis(10), "two writes of 5 ms one after the other");
}

#[tokio::test]
async fn a_bad_login_is_late() {
    let simulator = start(Options::default()).await;
    let started = Instant::now();
    let client = Client::new(simulator.address(), simulator.ca_pem());
    let answer = client.send("GET", "/api2/json/version", &[], b"").await.expect("an answer");
    assert_eq!((answer.status, answer.reason.as_str()), (401, "No ticket"));
    assert!(started.elapsed() >= Duration::from_millis(30), "3 s scaled by 0.01");
}

async fn on_file(file: &Path) -> Simulator {
    start(Options { state: Some(file.to_owned()), ..Options::default() }).await
}

#[tokio::test]
async fn the_state_lasts_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state");
    let simulator = on_file(&file).await;
    let fingerprint = simulator.fingerprint();
    create_group(&simulator, "g").await;
    let user = call(&simulator, "POST", "/api2/json/access/users", "userid=u@pve&password=longenough&groups=g").await;
    assert_eq!(user.status, 200);
    simulator.stop().await;

    let simulator = on_file(&file).await;
    assert_eq!(simulator.fingerprint(), fingerprint);
    assert_eq!(data(&simulator, "/access/groups/g").await["members"], json!(["u@pve"]));
    let kept = std::fs::read_to_string(&file).expect("the state");
    assert!(!kept.contains("longenough"), "passwords are not kept in clear");
}

#[tokio::test]
async fn the_cluster_shows_its_own_authority() {
    let (one, other) = (start(Options::default()).await, start(Options::default()).await);
    let of = async |simulator| data(simulator, "/nodes/localhost/certificates/info").await;
    let (info, other) = (of(&one).await, of(&other).await);
    assert_eq!(info[0]["filename"], "pve-root-ca.pem");
    assert_eq!(info[0]["subject"], info[0]["issuer"]);
    assert_eq!(info[0]["pem"], one.ca_pem());
    assert_ne!(info[0]["fingerprint"], other[0]["fingerprint"]);
    assert_eq!(info[1]["fingerprint"], one.fingerprint());
    one.reset();
    assert_eq!(of(&one).await, info, "a reset does not make another cluster");
}

#[tokio::test]
async fn a_first_sign_in_makes_the_user_where_the_realm_allows_it() {
    let simulator = start(Options::default()).await;
    for (realm, autocreate) in [("open", 1), ("closed", 0)] {
        let form = format!("realm={realm}&type=openid&issuer-url=https://x&client-id=c&autocreate={autocreate}");
        assert_eq!(call(&simulator, "POST", "/api2/json/access/domains", &form).await.status, 200);
    }
    create_group(&simulator, "admins-open").await;
    let body = json!({ "userid": "ann@open", "groups": ["admins-open", "missing"] }).to_string();
    assert_eq!(call(&simulator, "POST", "/sim/login", &body).await.status, 200);
    assert_eq!(data(&simulator, "/access/users/ann@open").await["groups"], json!(["admins-open"]));
    assert!(simulator.login("ann@closed", &[]).await.is_err());
}

#[tokio::test]
async fn requests_are_counted_without_their_secrets() {
    let simulator = start(Options::default()).await;
    let form = "userid=u@pve&password=longenough";
    call(&simulator, "POST", "/api2/json/access/users", form).await;
    call(&simulator, "GET", "/api2/json/access/users?full=1", "").await;
    call(&simulator, "GET", "/api2/json/access/users", "").await;
    let requests = simulator.requests();
    assert_eq!(requests.count("GET", "/access/users"), 2);
    assert_eq!(requests.writes.len(), 1);
    assert_eq!(requests.writes[0].credential, "root@pam!admin");
    assert_eq!(requests.writes[0].form["password"], "<hidden>");
    let answer = call(&simulator, "GET", "/sim/requests", "").await;
    assert_eq!(answer.reason, "OK");
    assert!(!String::from_utf8_lossy(&answer.body).contains(KEY));
    simulator.clear_requests();
    assert_eq!(simulator.requests().count("GET", "/"), 0);
}

#[tokio::test]
async fn a_root_token_that_pve_would_not_take_is_refused() {
    let options = Options { root_token: Some(KEY.to_uppercase()), ..Options::default() };
    assert!(Simulator::start(options).await.is_err());
}
