//! The ServiceAccount that the chart gives the operator, with its rights and no others.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::discovery::ApiResource;
use kube::{Api, Client, Config};
use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::{Value, json};

use crate::helm::{RELEASE, rendered};

/// Stands for the namespace of the operator in what was rendered once for all.
const HOME: &str = "operators-namespace";

/// Stands for the namespace that it looks into.
const NAMESPACE: &str = "watched-namespace";

/// What the chart renders of accounts and rights, for one namespace.
static OF_NAMESPACE: LazyLock<Vec<Value>> = LazyLock::new(|| rights(&["--set", "watchNamespace=watched-namespace"]));

/// The same for all namespaces.
static OF_CLUSTER: LazyLock<Vec<Value>> = LazyLock::new(|| rights(&[]));

/// How far an operator looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Into its namespace.
    Namespace,
    /// Into all.
    Cluster,
}

fn rights(arguments: &[&str]) -> Vec<Value> {
    let mut objects = rendered(&[&["--namespace", HOME], arguments].concat());
    let kinds = ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"];
    let operators = [RELEASE.to_owned(), format!("{RELEASE}-leader-election")];
    let is_one_of = |text: &Value, all: &[&str]| text.as_str().is_some_and(|text| all.contains(&text));
    objects
        .retain(|it| is_one_of(&it["kind"], &kinds) && operators.iter().any(|name| it["metadata"]["name"] == **name));
    objects
}

/// The namespace of the account that works in another one.
pub fn home(namespace: &str) -> String {
    format!("{namespace}-operator")
}

/// Makes the account in a namespace of its own, with its rights in another or in all; answers with a kubeconfig for it.
pub async fn kubeconfig(plane: &ControlPlane, client: &Client, namespace: &str, reach: Reach) -> PathBuf {
    let home = home(namespace);
    put(client, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}})).await;
    let objects = match reach {
        Reach::Namespace => &*OF_NAMESPACE,
        Reach::Cluster => &*OF_CLUSTER,
    };
    for object in objects {
        let text = object.to_string().replace(HOME, &home).replace(NAMESPACE, namespace);
        let mut object: Value = serde_json::from_str(&text).expect("an object");
        if object["kind"] != "ServiceAccount" {
            // Those of a release have its name.
            let renamed = |name: &Value| name.as_str().unwrap_or_default().replace(RELEASE, &home);
            object["metadata"]["name"] = renamed(&object["metadata"]["name"]).into();
            if object.get("roleRef").is_some() {
                object["roleRef"]["name"] = renamed(&object["roleRef"]["name"]).into();
            }
        }
        put(client, object).await;
    }
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), &home);
    let request = TokenRequest { spec: TokenRequestSpec::default(), ..TokenRequest::default() };
    let answer = accounts.create_token_request(RELEASE, &PostParams::default(), &request).await.expect("a token");
    let path = kubeconfig_of(plane, &answer.status.expect("an answer").token, &home);
    effective(&path, namespace).await;
    path
}

/// A kubeconfig for whoever has this token, beside that of the control plane.
pub fn kubeconfig_of(plane: &ControlPlane, token: &str, name: &str) -> PathBuf {
    let text = std::fs::read_to_string(plane.kubeconfig()).expect("a kubeconfig");
    let mut kubeconfig: Value = serde_json::from_str(&text).expect("JSON");
    kubeconfig["users"][0]["user"] = json!({"token": token});
    let path = plane.kubeconfig().with_file_name(format!("{name}-kubeconfig"));
    std::fs::write(&path, kubeconfig.to_string()).expect("a file");
    path
}

async fn put(client: &Client, object: Value) {
    let object: DynamicObject = serde_json::from_value(object).expect("an object");
    let types = object.types.clone().expect("a kind");
    let (group, version) = types.api_version.rsplit_once('/').unwrap_or(("", &types.api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &types.kind));
    let api: Api<DynamicObject> = match &object.metadata.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let name = object.metadata.name.clone().expect("a name");
    api.patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(&object)).await.expect("applied");
}

/// Waits until the apiserver knows of the rights.
async fn effective(kubeconfig: &Path, namespace: &str) {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a config");
    let reviews = Api::<SelfSubjectAccessReview>::all(Client::try_from(config).expect("a client"));
    let review: SelfSubjectAccessReview = serde_json::from_value(json!({"spec": {"resourceAttributes": {
        "namespace": namespace, "group": "events.k8s.io", "resource": "events", "verb": "create",
    }}}))
    .expect("a review");
    let started = Instant::now();
    loop {
        let answer = reviews.create(&PostParams::default(), &review).await.expect("an answer");
        if answer.status.is_some_and(|status| status.allowed) {
            return;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "the account of {namespace} has no rights");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Judges the log of an operator: the apiserver's refusals name the account.
pub fn was_never_refused(log: &str) {
    let refused = |line: &&str| line.contains("is forbidden") && line.contains("system:serviceaccount:");
    let refusals: Vec<&str> = log.lines().filter(refused).collect();
    assert!(refusals.is_empty(), "refused by Kubernetes: {refusals:#?}");
}
