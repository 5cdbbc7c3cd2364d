//! Argo CD's own code, by the program of `tests/argocd`, and what `examples/argocd` has for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::built;

/// A file or folder of the example.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/argocd").join(name)
}

/// All documents of a YAML file of the example.
pub fn documents(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(example(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The data of argocd-cm as the example has it.
pub fn config_map() -> Value {
    documents("argocd-cm.yaml").remove(0)["data"].clone()
}

/// The Application of a file of the example and its AppProject, for a namespace of a test.
pub fn application(name: &str, namespace: &str) -> (Value, Value) {
    let [mut project, mut application]: [Value; 2] =
        documents(name).try_into().expect("an AppProject and its Application");
    application["spec"]["destination"]["namespace"] = namespace.into();
    project["spec"]["destinations"][0]["namespace"] = namespace.into();
    (application, project)
}

/// The health that Argo CD with this argocd-cm shows of objects: status and message, or nothing.
pub async fn health_with(config_map: &Value, objects: &[Value]) -> Vec<Option<(String, String)>> {
    let said = ask(None, "health", &json!({"configMap": config_map, "objects": objects})).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = said.as_array().expect("a list").iter();
    said.map(|it| (!it.is_null()).then(|| (text(&it["status"]), text(&it["message"])))).collect()
}

/// Asks the program, which works on a control plane where one is given.
pub async fn ask(plane: Option<&ControlPlane>, what: &str, question: &Value) -> Value {
    let mut command = tokio::process::Command::new(built::program("argocd", "ARGOCD_JUDGE"));
    command.arg(what).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    if let Some(plane) = plane {
        command.env("KUBECONFIG", plane.kubeconfig());
    }
    let mut child = command.spawn().expect("it runs");
    let mut input = child.stdin.take().expect("standard input");
    let question = question.to_string();
    let write = async move {
        input.write_all(question.as_bytes()).await.expect("it listens");
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), write);
    let output = output.expect("it ends");
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
