//! The operator's process with the rights that the chart gives it: they are enough, and none is left over.

use std::collections::BTreeSet;

use proxmox_identity::sim::control_plane::ControlPlane;
use proxmox_identity::sim::pve::Options;
use serde_json::{Value, json};

use crate::deployed;
use crate::helm::{RELEASE, done, helm_on, installable, texts};
use crate::life::life;
use crate::support::cluster;
use crate::world::{World, manifest};

/// Group, resource with subresource, and verb.
type Right = (String, String, String);

/// A release with an operator beside it, which has the release's rights, arguments and namespace.
struct Installed {
    world: World,
    plane: &'static ControlPlane,
    home: String,
    role: &'static str,
}

impl Installed {
    /// Installs the chart for all namespaces, or for that of the world.
    async fn new(one: bool) -> Self {
        let plane = ControlPlane::start_audited().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
        let plane: &'static ControlPlane = Box::leak(Box::new(plane));
        let world = World::on(plane, Options { time_scale: 0.02, ..Options::default() }).await;
        let home = cluster::namespace(&world.client).await;
        let (mut helm, chart) = (helm_on(plane), installable());
        helm.args(["install", RELEASE, "--namespace", &home]).arg(chart.path());
        if one {
            helm.args(["--set", &format!("watchNamespace={}", world.namespace)]);
        }
        done(&mut helm);
        done(plane.kubectl().args(["wait", "--for=condition=Established", "crd", "--all"]));
        let installed = Self { world, plane, home, role: if one { "role" } else { "clusterrole" } };
        installed.world.start(deployed::words(plane, &installed.home));
        installed
    }

    fn read(&self, kind: &str, name: &str, namespace: &str) -> Value {
        deployed::read(self.plane, kind, name, namespace)
    }

    /// Does what `helm test` has a pod do, for which there is no node here.
    async fn test(&self) {
        let hooks = done(helm_on(self.plane).args(["get", "hooks", RELEASE, "--namespace", &self.home]));
        let pod: Value = serde_saphyr::from_str(&hooks).expect("one hook");
        let arguments = texts(&pod["spec"]["containers"][0]["args"]);
        let service = self.read("service", "proxmox-identity-metrics", &self.home);
        let port = &service["spec"]["ports"][0]["port"];
        assert_eq!(arguments, ["ready", &format!("--url=http://proxmox-identity-metrics:{port}")]);
        let selector = service["spec"]["selector"].as_object().expect("labels");
        let selected = selector.iter().all(|(label, value)| pod["metadata"]["labels"][label] == *value);
        assert!(!selected, "the Service would lead to the test itself");
        let url = format!("--url=http://{}", self.world.address().await);
        let ready = |arguments: &[&str]| {
            let program = env!("CARGO_BIN_EXE_proxmox-identity");
            std::process::Command::new(program).args(arguments).output().expect("it runs")
        };
        let answer = ready(&["ready", &url]);
        assert_eq!(String::from_utf8_lossy(&answer.stdout), "ok\n");
        assert!(answer.status.success());
        let answer = ready(&["ready", "--url=http://127.0.0.1:1", "--timeout=1s"]);
        assert!(!answer.status.success());
        assert!(String::from_utf8_lossy(&answer.stderr).contains("Connection refused"), "{answer:?}");
    }

    /// What the roles grant.
    fn granted(&self) -> BTreeSet<Right> {
        let role = self.read(self.role, RELEASE, &self.world.namespace);
        let of_leases = self.read("role", &format!("{RELEASE}-leader-election"), &self.home);
        let mut granted = BTreeSet::new();
        for rule in [role, of_leases].iter().flat_map(|role| role["rules"].as_array().expect("rules")) {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for verb in texts(&rule["verbs"]) {
                        granted.insert((group.to_owned(), resource.to_owned(), verb.to_owned()));
                    }
                }
            }
        }
        granted
    }

    /// What the operator asked the apiserver for, each with the answer.
    fn asked(&self) -> Vec<(Right, u64)> {
        let account = format!("system:serviceaccount:{}:{RELEASE}", self.home);
        let log = std::fs::read_to_string(self.plane.audit_log()).expect("an audit log");
        // The last line may be under way.
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        events
            .filter(|event| event["user"]["username"] == account.as_str())
            .map(|event| {
                let about = &event["objectRef"];
                let resource = match about["subresource"].as_str() {
                    Some(subresource) => format!("{}/{subresource}", text(&about["resource"])),
                    None => text(&about["resource"]),
                };
                let right = (text(&about["apiGroup"]), resource, text(&event["verb"]));
                (right, event["responseStatus"]["code"].as_u64().unwrap_or_default())
            })
            .collect()
    }

    /// All went without a refusal, and every right was used, at the latest for a proper end.
    async fn judge(&self) {
        self.world.end_operator().await;
        let asked = self.asked();
        assert!(!asked.is_empty(), "the operator works as the service account");
        let refused: Vec<_> = asked.iter().filter(|(_, code)| *code == 403 || *code == 401).collect();
        assert!(refused.is_empty(), "{refused:?}");
        let log = self.world.log();
        let refusals: Vec<_> = log.lines().filter(|line| line.to_lowercase().contains("forbidden")).collect();
        assert!(refusals.is_empty(), "{refusals:?}");
        let used: BTreeSet<Right> = asked.into_iter().map(|(right, _)| right).collect();
        let unused: Vec<_> = self.granted().into_iter().filter(|right| !used.contains(right)).collect();
        assert!(unused.is_empty(), "granted and not used: {unused:?}");
    }
}

#[tokio::test]
async fn the_role_of_one_namespace_is_enough_and_not_more() {
    let installed = Installed::new(true).await;
    life(&installed.world).await;
    installed.test().await;
    installed.judge().await;
}

#[tokio::test]
async fn the_role_of_the_whole_cluster_is_enough_and_not_more() {
    let installed = Installed::new(false).await;
    let world = &installed.world;
    life(world).await;
    // And a connection that is offered by the label of a namespace, with its Secret beside the operator.
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "offer"}, "stringData": {"token": world.pve.token()},
    });
    let params = kube::api::PatchParams::apply("test");
    let home = world.api_in("Secret", &installed.home);
    home.patch("offer", &params, &kube::api::Patch::Apply(&secret)).await.expect("a Secret");
    let offer = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ClusterProxmoxConnection", "metadata": {"name": "offer"},
        "spec": {
            "endpoints": [world.pve.url()], "auth": {"token": {"secretRef": {"name": "offer"}}}, "resyncInterval": "1s",
            "tls": {"fingerprints": [world.pve.fingerprint()]},
            "allowedNamespaces": {"selector": {"matchLabels": {"proxmox": "yes"}}}, "policy": {"rules": [{}]},
        },
    });
    world.apply(&offer.to_string()).await;
    let group =
        manifest("ProxmoxGroup", "offered", "").replace("{name: pve}", "{kind: ClusterProxmoxConnection, name: offer}");
    world.apply(&group).await;
    world.reason("ProxmoxGroup", "offered", "PolicyDenied").await;
    done(installed.plane.kubectl().args(["label", "namespace", &world.namespace, "proxmox=yes"]));
    world.ready("ProxmoxGroup", "offered").await;
    world.delete("ProxmoxGroup", "offered").await;
    world.gone("ProxmoxGroup", "offered").await;
    world.delete("ClusterProxmoxConnection", "offer").await;
    world.gone("ClusterProxmoxConnection", "offer").await;
    installed.judge().await;
}
