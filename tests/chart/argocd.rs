//! The example for Argo CD: its Applications and projects, and the chart as Argo CD applies it.

use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::{Value, json};

use crate::argocd_program::{application, ask, config_map, documents, example, health_with};
use crate::helm::{RELEASE, chart, done, helm, installable, of_kind};

const OPERATOR: &str = "applications/operator.yaml";
const CONFIGURATION: &str = "applications/configuration.yaml";

/// Where the example puts the operator.
const HOME: &str = "proxmox-identity";

/// The chart as Argo CD has it rendered: by the values of its Application.
fn rendered(chart: &std::path::Path) -> Vec<Value> {
    let (application, _) = application(OPERATOR, HOME);
    let folder = tempfile::tempdir().expect("a folder");
    let values = folder.path().join("values.json");
    std::fs::write(&values, application["spec"]["source"]["helm"]["valuesObject"].to_string()).expect("a file");
    let mut helm = helm();
    helm.args(["template", RELEASE, "--namespace", HOME]).arg(chart).arg("--values").arg(values);
    let documents = serde_saphyr::from_multiple::<Value>(&done(&mut helm)).expect("YAML");
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

/// The example's configuration as kustomize makes it.
fn configuration(plane: &ControlPlane) -> Vec<Value> {
    let text = done(plane.kubectl().arg("kustomize").arg(example("configuration")));
    serde_saphyr::from_multiple(&text).expect("YAML")
}

#[tokio::test]
async fn argo_cd_takes_the_applications_and_permits_what_is_in_them_and_not_more() {
    let manifests = [documents(OPERATOR), documents(CONFIGURATION)].concat();
    for application in manifests.iter().filter(|manifest| manifest["kind"] == "Application") {
        let path = application["spec"]["source"]["path"].as_str().expect("a path");
        assert!(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path).is_dir(), "{path}");
    }
    let content = |object: &Value| {
        let group = object["apiVersion"].as_str().expect("a version").split_once('/').map_or("", |(group, _)| group);
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        json!({"group": group, "kind": object["kind"], "namespace": namespace})
    };
    let of_operator: Vec<Value> = rendered(&chart("")).iter().map(content).collect();
    let ours = |kind| json!({"group": "proxmox-identity.dev", "kind": kind, "namespace": "identity"});
    let of_configuration = [ours("ProxmoxConnection"), ours("ProxmoxAcl")];
    let question = json!({
        "manifests": manifests, "contents": {"proxmox-identity-operator": of_operator, "proxmox-identity": of_configuration},
    });
    assert_eq!(ask(None, "applications", &question).await, json!([]));

    let secret = json!({"group": "", "kind": "Secret", "namespace": "identity"});
    let offered = json!({"group": "proxmox-identity.dev", "kind": "ClusterProxmoxConnection", "namespace": ""});
    let elsewhere = json!({"group": "proxmox-identity.dev", "kind": "ProxmoxAcl", "namespace": "proxmox-identity"});
    let mut misspelled = question;
    misspelled["contents"]["proxmox-identity"] = json!([secret, offered, elsewhere]);
    misspelled["manifests"][1]["spec"]["syncPolicy"]["syncOptions"] = json!(["ServerSideAply=true"]);
    misspelled["manifests"][3]["spec"]["destinaton"] = json!({});
    let said = ask(None, "applications", &misspelled).await;
    let said: Vec<&str> = said.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let says =
        ["destinaton", "ServerSideAply", "Secret of \"\"", "ClusterProxmoxConnection", "in \"proxmox-identity\""];
    assert!(says.iter().all(|word| said.iter().any(|it| it.contains(word))), "{said:#?}");
    assert_eq!(said.len(), says.len(), "{said:#?}");
}

/// Runs the commands that the example starts with, but for those about Applications, which this apiserver does not know.
fn start(plane: &ControlPlane) {
    let page = std::fs::read_to_string(example("README.md")).expect("a page");
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert!((1..=5).contains(&commands.len()), "{commands:?}");
    let kubectl = plane.kubectl();
    let (run, others): (Vec<&str>, Vec<&str>) = commands.into_iter().partition(|it| !it.contains("applications"));
    assert_eq!((run.len(), others.len()), (3, 2));
    for command in run {
        let script = format!("kubectl() {{ {} \"$@\"; }}; {command}", kubectl.get_program().display());
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).current_dir(env!("CARGO_MANIFEST_DIR"));
        shell.envs(kubectl.get_envs().filter_map(|(name, value)| Some((name, value?))));
        done(&mut shell);
    }
}

#[tokio::test]
async fn argo_cd_brings_the_configuration_once_the_operator_has_brought_the_crds() {
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    for namespace in [HOME, "argocd"] {
        done(plane.kubectl().args(["create", "namespace", namespace]));
    }
    let settings = ["configmap", "argocd-cm", "--namespace", "argocd"];
    done(plane.kubectl().arg("create").args(settings).arg("--from-literal=url=https://argocd.example.com"));
    start(&plane);
    let settings = done(plane.kubectl().arg("get").args(settings).arg("--output=json"));
    let settings = serde_json::from_str::<Value>(&settings).expect("JSON")["data"].clone();
    assert_eq!(settings["url"], "https://argocd.example.com");
    assert_eq!(settings["resource.customizations"], config_map()["resource.customizations"]);
    let sync = async |name: &str, namespace: &str, objects: Vec<Value>, seconds: u64| {
        let (application, project) = application(name, namespace);
        let question = json!({
            "configMap": settings, "application": application, "project": project, "objects": objects,
            "prune": true, "healthy": false, "seconds": seconds,
        });
        ask(Some(&plane), "sync", &question).await
    };
    // Too early; Argo CD tries again, as the Application says.
    let said = sync(CONFIGURATION, "identity", configuration(&plane), 60).await;
    assert_eq!(said["phase"], "Failed", "{said:#}");
    assert_eq!(documents(CONFIGURATION)[1]["spec"]["syncPolicy"]["retry"]["limit"], -1);

    let objects = rendered(installable().path());
    let said = sync(OPERATOR, HOME, objects.clone(), 60).await;
    assert_eq!(said["phase"], "Succeeded", "{}", said["message"]);
    let (compared, different) = (&said["comparison"], &said["comparison"]["different"]);
    assert_eq!(compared["ways"], json!(["structured-merge", "server-side"]));
    let hooks = objects.iter().filter(|object| !object["metadata"]["annotations"]["helm.sh/hook"].is_null());
    assert_eq!(compared["objects"], objects.len() - hooks.count(), "Argo CD runs no tests of Helm");
    let different = different.as_array().expect("a list").iter();
    let different: Vec<_> = different.map(|it| format!("{} {}", it["way"], it["object"])).collect();
    assert!(different.is_empty(), "{different:?}");
    done(plane.kubectl().args(["wait", "--for=condition=Established", "crd", "--all"]));

    // Left out by mistake, the CRDs stay all the same, and with them every object.
    let (crds, others): (Vec<Value>, Vec<Value>) =
        objects.into_iter().partition(|object| object["kind"] == "CustomResourceDefinition");
    let said = sync(OPERATOR, HOME, others, 60).await;
    let skipped = said["objects"].as_array().expect("a list").iter().filter(|it| it["status"] == "PruneSkipped");
    assert_eq!(skipped.count(), crds.len(), "{}", said["message"]);

    // No operator runs: the first wave is brought, and waited for.
    let said = sync(CONFIGURATION, "identity", configuration(&plane), 3).await;
    assert_eq!(said["phase"], "Running", "{said:#}");
    assert_eq!(said["health"], json!({"ProxmoxConnection/proxmox": "Progressing"}));
}

/// What Argo CD shows of the operator itself it knows by itself.
#[tokio::test]
async fn the_health_check_is_for_no_kind_but_ours() {
    let rendered = rendered(&chart(""));
    let deployment = of_kind(&rendered, "Deployment")[0].clone();
    let with = health_with(&config_map(), std::slice::from_ref(&deployment)).await;
    assert_eq!(with, health_with(&json!({}), &[deployment]).await);
}
