//! The operator as the Deployment of a release would run it, for which there is no node here.

use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::Value;

use crate::account;
use crate::helm::{RELEASE, done, texts};

/// An object of a release.
pub fn read(plane: &ControlPlane, kind: &str, name: &str, namespace: &str) -> Value {
    let text = done(plane.kubectl().args(["get", kind, name, "--namespace", namespace, "--output=json"]));
    serde_json::from_str(&text).expect("JSON")
}

/// The words for `env` that start what the pod of the release in a namespace does: with its account and its arguments,
/// but on a port of its own.
pub fn words(plane: &ControlPlane, home: &str) -> Vec<String> {
    let deployment = read(plane, "deployment", RELEASE, home);
    let pod = &deployment["spec"]["template"]["spec"];
    let account = pod["serviceAccountName"].as_str().expect("an account");
    let token = done(plane.kubectl().args(["create", "token", account, "--namespace", home]));
    let kubeconfig = account::kubeconfig_of(plane, token.trim(), home);
    let arguments = texts(&pod["containers"][0]["args"]);
    assert!(arguments.contains(&"--listen=0.0.0.0:8080") && arguments.contains(&"--leader-election"));
    let arguments = arguments.into_iter().map(|argument| argument.replace("0.0.0.0:8080", "127.0.0.1:0"));
    let fixed = [
        format!("KUBECONFIG={}", kubeconfig.display()),
        format!("POD_NAMESPACE={home}"),
        "POD_NAME=operator-0".to_owned(),
        "RUST_LOG=info,proxmox_identity=debug".to_owned(),
        env!("CARGO_BIN_EXE_proxmox-identity").to_owned(),
    ];
    fixed.into_iter().chain(arguments).collect()
}
