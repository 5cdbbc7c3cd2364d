//! The operator's process with the rights that the chart gives it: they are enough, and none is left over.

use std::collections::BTreeSet;

use proxmox_identity::sim::control_plane::ControlPlane;
use proxmox_identity::sim::pocket_id;
use proxmox_identity::sim::pve::Options;
use serde_json::{Value, json};

use crate::deployed;
use crate::helm::{RELEASE, done, helm_on, installable, texts};
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

/// The ways to both systems.
const CONNECTIONS: [(&str, &str); 2] = [("ProxmoxConnection", "pve"), ("PocketIdConnection", "pocket-id")];

/// Objects of every kind that is in a namespace, with the reason for which each is as it should be.
fn objects() -> Vec<(&'static str, &'static str, String)> {
    let object = |kind, name, spec: &str| (kind, name, manifest(kind, name, spec));
    let in_pocket_id = |kind, name, spec: &str| {
        (kind, name, manifest(kind, name, spec).replace("connectionRef: {name: pve}", "connectionRef: {name: pocket-id}"))
    };
    vec![
        in_pocket_id("PocketIdGroup", "staff", "friendlyName: Staff"),
        in_pocket_id(
            "PocketIdClient",
            "proxmox",
            "callbackUrlsFrom: {connectionRef: {name: pve}}, allowedGroups: [{groupRef: {name: staff}}], \
             secretTemplate: {name: client}, logo: {configMapKeyRef: {name: logos, key: pve.svg}}",
        ),
        object(
            "ProxmoxRealm",
            "pocket-id",
            "realm: PocketID, openid: {clientRef: {name: proxmox}, usernameClaim: username, users: {samples: [alice]}}",
        ),
        object("ProxmoxGroup", "staff-of-pocket-id", "oidc: {groupRef: {name: staff}, realmRef: {name: pocket-id}}"),
        object(
            "ProxmoxRealm",
            "sso",
            "realm: SSO, openid: {issuerUrl: 'https://id.example.com', clientId: c, clientKeySecretRef: {name: sso, key: key}}",
        ),
        object("ProxmoxGroup", "staff", ""),
        object(
            "ProxmoxUser",
            "ci",
            "userId: ci@pve, passwordSecretRef: {name: ci, key: password}, groups: [{groupRef: {name: staff}}]",
        ),
        object("ProxmoxToken", "ci", "userRef: {name: ci}, secretTemplate: {name: ci-token}"),
        object("ProxmoxRole", "reader", "privileges: [VM.Audit]"),
        object("ProxmoxPool", "team", ""),
        object(
            "ProxmoxAcl",
            "staff",
            "poolRef: {name: team}, roles: [{roleRef: {name: reader}}], subjects: [{groupRef: {name: staff}}]",
        ),
        object(
            "ProxmoxAccessCheck",
            "staff",
            "subject: {groupRef: {name: staff}}, path: /pool/team, require: [VM.Audit]",
        ),
    ]
}

/// A Pocket ID beside Proxmox VE, and the way to it.
async fn pocket_id(world: &World) -> pocket_id::Simulator {
    let options = pocket_id::Options { release: pocket_id::Release::V2_14, ..pocket_id::Options::default() };
    let simulator = pocket_id::Simulator::start(options).await.expect("a simulator");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pocket-id"},
        "stringData": {"api-key": simulator.api_key()},
    });
    let logos = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "logos"}, "data": {"pve.svg": "<svg/>"},
    });
    let connection = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "PocketIdConnection", "metadata": {"name": "pocket-id"},
        "spec": {
            "url": simulator.url(), "apiKeySecretRef": {"name": "pocket-id", "key": "api-key"}, "resyncInterval": "1s",
            "tls": {"fingerprints": [simulator.fingerprint()]},
        },
    });
    for object in [secret, logos, connection] {
        world.apply(&object.to_string()).await;
    }
    simulator
}

/// The life of all kinds: made, put right twice, rotated and removed.
async fn life(world: &World) {
    let _pocket_id = pocket_id(world).await;
    let secret = |name: &str, key: &str, value: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{{key}: '{value}'}}\n")
    };
    for secret in [
        secret("pve", "token", &world.pve.token()),
        secret("sso", "key", "abc"),
        secret("ci", "password", "quite-a-long-one"),
    ] {
        world.apply(&secret).await;
    }
    let authority = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pve-ca"}, "data": {"ca.crt": world.pve.ca_pem()},
    });
    world.apply(&authority.to_string()).await;
    let connection = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxConnection", "metadata": {"name": "pve"},
        "spec": {
            "endpoints": [world.pve.url()], "auth": {"token": {"secretRef": {"name": "pve"}}}, "resyncInterval": "1s",
            "tls": {"caBundleRef": {"configMapKeyRef": {"name": "pve-ca", "key": "ca.crt"}}},
        },
    });
    world.apply(&connection.to_string()).await;
    let objects = objects();
    for (_, _, manifest) in &objects {
        world.apply(manifest).await;
    }
    for (kind, name, _) in &objects {
        world
            .until(&format!("{kind} {name} is Ready"), async || {
                let object = world.get_object(kind, name).await?;
                (crate::world::condition(&object, "Ready")?["status"] == "True").then_some(())
            })
            .await;
    }
    for (kind, name) in CONNECTIONS {
        world.ready(kind, name).await;
    }
    // The same again is a series of one Event.
    for _ in 0..2 {
        world.pve_call("DELETE", "/pools", &[("poolid", "team")]).await;
        world.until("the pool is back", async || world.pve_find("/pools/team").await).await;
    }
    let rotate = json!({"metadata": {"annotations": {"proxmox-identity.dev/rotate-requested-at": "now"}}});
    let rotate = kube::api::Patch::Merge(rotate);
    for (kind, name, status) in [("ProxmoxToken", "ci", "token"), ("PocketIdClient", "proxmox", "clientSecret")] {
        world.api(kind).patch(name, &kube::api::PatchParams::default(), &rotate).await.expect("annotated");
        world
            .until(&format!("{kind} {name} is rotated"), async || {
                let object = world.get_object(kind, name).await?;
                (object["status"][status]["lastHandledRotateAt"] == "now").then_some(())
            })
            .await;
    }
    for (kind, name, _) in objects.iter().rev() {
        world.delete(kind, name).await;
    }
    for (kind, name, _) in objects.iter().rev() {
        world.gone(kind, name).await;
    }
    for (kind, name) in CONNECTIONS {
        world.delete(kind, name).await;
        world.gone(kind, name).await;
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
