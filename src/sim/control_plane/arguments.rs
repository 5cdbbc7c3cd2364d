//! With which files and arguments etcd and kube-apiserver are started.

use std::net::TcpListener;
use std::path::Path;
use std::{fs, io};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::ControlPlaneError;
use super::program::Program;

/// The audit log in the directory of kube-apiserver.
pub(super) const AUDIT_LOG: &str = "audit.log";

/// What etcd stores, in the directory of the files.
pub(super) const DATA: &str = "etcd";

/// Whether requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audit {
    None,
    Metadata,
}

/// etcd on free ports, and where it answers its clients.
pub(super) fn start_etcd(binaries: &Path, files: &Path) -> Result<(Program, String), ControlPlaneError> {
    let [client, peer] = free_ports()?.map(|port| format!("http://127.0.0.1:{port}"));
    let arguments = vec![
        format!("--data-dir={}", files.join(DATA).display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    Ok((Program::start("etcd", binaries, arguments)?, client))
}

/// kube-apiserver with new keys, and a kubeconfig with all rights beside them.
pub(super) fn start_apiserver(
    binaries: &Path,
    dir: &Path,
    etcd: &str,
    audit: Audit,
) -> Result<Program, ControlPlaneError> {
    let [port, _] = free_ports()?;
    let serving = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    let accounts = rcgen::KeyPair::generate()?;
    let token = format!("{:x}", Sha256::digest(rcgen::KeyPair::generate()?.serialized_der()));
    let file = |name: &str, text: &str| -> io::Result<String> {
        let path = dir.join(name);
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let certificate = file("tls.crt", &serving.cert.pem())?;
    file("kubeconfig", &kubeconfig(port, &token, &certificate))?;
    let mut arguments = vec![
        format!("--etcd-servers={etcd}"),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--tls-cert-file={certificate}"),
        format!("--tls-private-key-file={}", file("tls.key", &serving.signing_key.serialize_pem())?),
        format!("--token-auth-file={}", file("tokens", &format!("{token},admin,admin,system:masters\n"))?),
        format!("--service-account-signing-key-file={}", file("accounts.key", &accounts.serialize_pem())?),
        format!("--service-account-key-file={}", file("accounts.pub", &accounts.public_key_pem())?),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        // Nothing here makes the default accounts that it asks for.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
    ];
    if audit == Audit::Metadata {
        let policy = json!({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}],
            "omitStages": ["RequestReceived"],
        });
        arguments.push(format!("--audit-policy-file={}", file("audit-policy.json", &policy.to_string())?));
        arguments.push(format!("--audit-log-path={}", dir.join(AUDIT_LOG).display()));
    }
    Ok(Program::start("kube-apiserver", binaries, arguments)?)
}

fn kubeconfig(port: u16, token: &str, certificate: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {
            "server": format!("https://127.0.0.1:{port}"), "certificate-authority": certificate,
        }}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "admin"}}],
        "current-context": "local",
    })
    .to_string()
}

/// Two ports that are free now.
fn free_ports() -> io::Result<[u16; 2]> {
    let (one, other) = (TcpListener::bind(("127.0.0.1", 0))?, TcpListener::bind(("127.0.0.1", 0))?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}
