//! The commands `sim pocket-id` and `sim pve`, side by side as their help shows.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A simulator that runs; it ends when this is dropped.
struct Running {
    child: Child,
    line: Value,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxmox-identity"));
        let command = command.arg("sim").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        Self { child, line: serde_json::from_str(&line).expect("JSON") }
    }

    fn says(&self, name: &str) -> &str {
        self.line[name].as_str().expect("text")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn proxmox_ve_sends_people_to_a_pocket_id_whose_authority_it_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pocket-id.pem");
    let pocket_id = Running::start(&["pocket-id"]);
    std::fs::write(&file, pocket_id.says("ca")).expect("written");
    let pve = Running::start(&["pve", "--trust-ca", file.to_str().expect("a path")]);

    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().expect("a client");
    let post = async |path: &str, form: &[(&str, &str)]| {
        let request = http.post(format!("{}/api2/json/access/{path}", pve.says("url"))).form(form);
        let answer = request.header("Authorization", format!("PVEAPIToken={}", pve.says("token"))).send().await;
        answer.expect("an answer").json::<Value>().await.expect("JSON")
    };
    let issuer = pocket_id.says("url");
    let realm = [("realm", "PocketID"), ("type", "openid"), ("issuer-url", issuer), ("client-id", "proxmox")];
    assert_eq!(post("domains", &realm).await, json!({ "data": null }));
    let answer = post("openid/auth-url", &[("realm", "PocketID"), ("redirect-url", "https://pve.example.com")]).await;
    let address = answer["data"].as_str().unwrap_or_else(|| panic!("no address: {answer}"));
    assert!(address.starts_with(&format!("{issuer}/authorize?")), "{address}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxmox-identity"));
    let ended = command.args(["sim", "pve", "--trust-ca", "/nowhere/ca.pem"]).output().expect("it runs");
    let says = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && says.contains("/nowhere/ca.pem: "), "{says}");
}
