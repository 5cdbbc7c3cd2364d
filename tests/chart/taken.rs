//! What the chart renders is taken by a real apiserver, and is what it should be.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::ResourceExt;
use proxmox_identity::api::crd;
use serde_json::{Value, json};

use crate::helm::{chart, done, helm, of_kind, refused, rendered, texts, variants};
use crate::support::{cluster, control_plane};

/// CRDs by the names of the Prometheus Operator's, which take anything: whether its kinds are in order is not proven
/// here but for what the apiserver itself checks.
fn monitoring() -> Vec<Value> {
    let kinds =
        [("ServiceMonitor", "servicemonitors"), ("PodMonitor", "podmonitors"), ("PrometheusRule", "prometheusrules")];
    let crd = |(kind, plural): (&str, &str)| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.monitoring.coreos.com")},
            "spec": {
                "group": "monitoring.coreos.com", "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }}}],
            },
        })
    };
    kinds.into_iter().map(crd).collect()
}

#[tokio::test]
async fn every_variant_is_taken_by_the_apiserver() {
    let plane = control_plane().await;
    let namespace = cluster::namespace(&plane.client().await.expect("a client")).await;
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, objects: &[Value]| {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let path = dir.path().join(name);
        std::fs::write(&path, list.to_string()).expect("a file");
        path
    };
    let monitoring = write("monitoring", &monitoring());
    done(plane.kubectl().args(["apply", "--server-side", "-f"]).arg(monitoring));
    done(plane.kubectl().args(["wait", "--for=condition=Established", "crd", "--all"]));
    for (name, values) in variants() {
        let objects = rendered(&["--namespace", &namespace, "--values", &values.to_string_lossy()]);
        let file = write(&name, &objects);
        done(
            plane
                .kubectl()
                .args(["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f"])
                .arg(file),
        );
    }
}

#[tokio::test]
async fn every_variant_runs_where_only_restricted_pods_may() {
    let plane = control_plane().await;
    let namespace = cluster::namespace(&plane.client().await.expect("a client")).await;
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    done(plane.kubectl().args(["label", "namespace", &namespace, restricted]));
    let dir = tempfile::tempdir().expect("a folder");
    let apply = |pod: &Value| {
        let file = dir.path().join("pod.json");
        std::fs::write(&file, pod.to_string()).expect("a file");
        let mut kubectl = plane.kubectl();
        kubectl.args(["create", "--dry-run=server", "--namespace", &namespace, "-f"]).arg(file);
        kubectl
    };
    for (_, values) in variants() {
        let objects = rendered(&["--values", &values.to_string_lossy()]);
        for test in of_kind(&objects, "Pod") {
            let mut test = test.clone();
            test["metadata"]["namespace"] = namespace.as_str().into();
            done(&mut apply(&test));
        }
        let mut pod = of_kind(&objects, "Deployment")[0]["spec"]["template"].clone();
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = "operator".into();
        done(&mut apply(&pod));
        pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = true.into();
        let said = refused(&mut apply(&pod));
        assert!(said.contains("violates PodSecurity"), "{said}");
    }
}

#[test]
fn the_oldest_kubernetes_is_that_of_the_chart() {
    rendered(&["--kube-version", "1.31.0"]);
    rendered(&["--kube-version", "1.36.0"]);
    let said = refused(helm().args(["template", "r"]).arg(chart("")).args(["--kube-version", "1.30.9"]));
    assert!(said.contains("chart requires kubeVersion"), "{said}");
}

#[test]
fn the_crds_of_the_chart_are_the_operators() {
    let crds = |objects: &[Value]| -> BTreeMap<String, CustomResourceDefinition> {
        let crds = of_kind(objects, "CustomResourceDefinition").into_iter().cloned();
        let crds = crds.map(|crd| serde_json::from_value::<CustomResourceDefinition>(crd).expect("a CRD"));
        crds.map(|crd| (crd.name_any(), crd)).collect()
    };
    let chart = crds(&rendered(&[]));
    assert_eq!(chart.len(), crd::all().len());
    for crd in crd::all() {
        let ours = &chart[&crd.name_any()];
        assert_eq!(ours.spec, crd.spec, "{}", crd.name_any());
        assert_eq!(ours.annotations()["helm.sh/resource-policy"], "keep");
        assert_eq!(ours.annotations()["argocd.argoproj.io/sync-options"], "Prune=false");
        assert_eq!(ours.labels()["app.kubernetes.io/managed-by"], "Helm");
    }
    let going = crds(&rendered(&["--set", "crds.keep=false,crds.annotations.a=b"]));
    assert!(going.values().all(|crd| crd.annotations().iter().eq([(&"a".to_owned(), &"b".to_owned())])));
    assert!(crds(&rendered(&["--set", "crds.enabled=false"])).is_empty());
}

#[test]
fn one_namespace_needs_nothing_of_the_whole_cluster() {
    let (_, values) = variants().into_iter().find(|(name, _)| name == "one-namespace").expect("the variant");
    let objects = rendered(&["--values", &values.to_string_lossy()]);
    let mut kinds: Vec<&str> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["Deployment", "Pod", "Role", "Role", "RoleBinding", "RoleBinding", "Service", "ServiceAccount"]);
    assert!(objects.iter().all(|object| object["metadata"]["namespace"] == "default"));
}

#[test]
fn without_leader_election_there_is_never_a_second_pod_nor_a_right_to_leases() {
    for (set, strategy, leases, arguments) in [
        ("leaderElection.enabled=false", "Recreate", 0, false),
        ("leaderElection.enabled=true,replicas=3", "RollingUpdate", 1, true),
    ] {
        let objects = rendered(&["--set", set]);
        let spec = &of_kind(&objects, "Deployment")[0]["spec"];
        assert_eq!(spec["strategy"]["type"], strategy);
        let elects = |argument: &&str| *argument == "--leader-election";
        assert_eq!(texts(&spec["template"]["spec"]["containers"][0]["args"]).iter().any(elects), arguments, "{set}");
        let roles = of_kind(&objects, "Role");
        assert_eq!(roles.iter().filter(|role| role["rules"][0]["resources"][0] == "leases").count(), leases);
    }
}

#[test]
fn evictions_leave_what_is_said() {
    for (set, field, value) in [
        ("podDisruptionBudget.enabled=true", "maxUnavailable", json!(1)),
        ("podDisruptionBudget.enabled=true,podDisruptionBudget.minAvailable=2", "minAvailable", json!(2)),
        ("podDisruptionBudget.enabled=true,podDisruptionBudget.minAvailable=0", "minAvailable", json!(0)),
        ("podDisruptionBudget.enabled=true,podDisruptionBudget.minAvailable=50%", "minAvailable", json!("50%")),
    ] {
        let objects = rendered(&["--set", set]);
        let spec = &of_kind(&objects, "PodDisruptionBudget")[0]["spec"];
        assert_eq!(spec[field], value, "{set}");
        assert_eq!(spec.as_object().expect("a map").len(), 3, "one of the two: {spec}");
    }
    assert!(of_kind(&rendered(&[]), "PodDisruptionBudget").is_empty());
}

#[test]
fn monitoring_is_left_out_where_the_cluster_does_not_know_it() {
    let all = "metrics.serviceMonitor.enabled=true,metrics.podMonitor.enabled=true,metrics.prometheusRule.enabled=true";
    let count = |arguments: &[&str]| {
        let objects = rendered(arguments);
        objects.iter().filter(|object| object["apiVersion"] == "monitoring.coreos.com/v1").count()
    };
    assert_eq!(count(&["--set", all]), 0);
    let known = ["ServiceMonitor", "PodMonitor", "PrometheusRule"]
        .map(|kind| format!("--api-versions=monitoring.coreos.com/v1/{kind}"));
    assert_eq!(count(&["--set", all, &known[0], &known[1], &known[2]]), 3);
}

#[test]
fn an_image_is_named_by_registry_and_digest_or_tag() {
    for (set, image) in [
        ("image.tag=", "proxmox-identity:0.1.0"),
        ("image.registry=r.example.com,image.tag=v2", "r.example.com/proxmox-identity:v2"),
        ("global.imageRegistry=g.example.com,image.registry=r.example.com", "g.example.com/proxmox-identity:0.1.0"),
    ] {
        let objects = rendered(&["--set", set]);
        assert_eq!(of_kind(&objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]["image"], image);
    }
}

#[test]
fn the_version_of_the_chart_is_that_of_the_operator() {
    let text = std::fs::read_to_string(chart("Chart.yaml")).expect("Chart.yaml");
    let about: Value = serde_saphyr::from_str(&text).expect("YAML");
    assert_eq!(about["appVersion"], env!("CARGO_PKG_VERSION"));
    let listed = about["annotations"]["artifacthub.io/crds"].as_str().expect("a list");
    let listed: Vec<Value> = serde_saphyr::from_str(listed).expect("YAML");
    let names: Vec<&str> = listed.iter().filter_map(|crd| crd["name"].as_str()).collect();
    assert_eq!(names, crd::all().iter().map(ResourceExt::name_any).collect::<Vec<_>>());
}
