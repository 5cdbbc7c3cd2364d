//! What other namespaces have to do with an object: the labels by which a connection is offered to them, and objects in them
//! that cannot be read.

use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use proxmox_identity::api::crd;
use proxmox_identity::sim::control_plane::ControlPlane;
use proxmox_identity::sim::pve::Options;
use serde_json::{Value, json};

use crate::account::Reach;
use crate::proxy::{Asked, Deed, Forged, Proxy};
use crate::support::cluster;
use crate::world::{World, manifest};

/// An operator that looks into all namespaces of a control plane of its own, through a proxy.
async fn world() -> (World, Proxy, Vec<String>) {
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    let plane: &'static ControlPlane = Box::leak(Box::new(plane));
    cluster::install_crds(&plane.client().await.expect("a client")).await;
    let options = Options { time_scale: 0.02, ..Options::default() };
    let world = World::reaching(Reach::Cluster, plane, options).await;
    let (proxy, through) = Proxy::before_apiserver(world.kubeconfig()).await;
    let namespace = format!("--namespace={}", world.namespace);
    let words = [
        &through,
        "RUST_LOG=trace",
        env!("CARGO_BIN_EXE_proxmox-identity"),
        "run",
        "--listen=127.0.0.1:0",
        namespace.as_str(),
    ];
    let words = words.map(str::to_owned).to_vec();
    (world, proxy, words)
}

fn lists(asked: &Asked) -> bool {
    asked.method == "GET" && asked.path == "/api/v1/namespaces" && !asked.is_watch()
}

#[tokio::test]
async fn while_the_labels_of_namespaces_are_not_known_nothing_counts_as_no_longer_allowed() {
    let (world, proxy, words) = world().await;
    world.start(words.clone());
    let (url, fingerprint, token) = (world.pve.url(), world.pve.fingerprint(), world.pve.token());
    let namespace = world.namespace.clone();
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: token}}\nstringData: {{token: '{token}'}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: ClusterProxmoxConnection\nmetadata: {{name: pve}}\nspec: \
             {{endpoints: ['{url}'], auth: {{token: {{secretRef: {{name: token}}}}}}, tls: {{fingerprints: \
             ['{fingerprint}']}}, resyncInterval: 1s, policy: {{rules: [{{}}], onRevoke: Remove}}, allowedNamespaces: \
             {{selector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}}}}}\n"
        ))
        .await;
    let group = manifest("ProxmoxGroup", "g", "").replace("{name: pve}", "{kind: ClusterProxmoxConnection, name: pve}");
    world.apply(&group).await;
    world.ready("ProxmoxGroup", "g").await;
    let writes = world.pve_writes();
    let failures = [
        Deed::Answer(Forged::status(500, "InternalError")),
        Deed::Answer(Forged::status(429, "TooManyRequests")),
        Deed::Answer(Forged::page(404)),
        Deed::Reset,
        Deed::Answer(Forged::status(403, "Forbidden")),
    ];
    for deed in failures {
        world.kill_operator();
        let (fails, about) = (deed.clone(), format!("{deed:?}"));
        proxy.rule(move |asked| if lists(asked) { fails.clone() } else { Deed::Pass });
        world.start(words.clone());
        proxy.take_seen();
        world
            .until("the namespaces were asked for", async || {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                (proxy.take_seen().iter().any(lists)).then_some(())
            })
            .await;
        let is_refused = matches!(&deed, Deed::Answer(Forged { status: 403, .. }));
        let is_ready = async || (world.get("/readyz").await.0 == 200).then_some(());
        if is_refused {
            world.until("it does without them", is_ready).await;
            let message = world.reason("ProxmoxGroup", "g", "DependencyNotReady").await;
            assert!(message.contains("labels"), "{message}");
        } else {
            assert_eq!(is_ready().await, None, "{about}: what may yet be listed is waited for");
        }
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        assert_eq!((world.groups().await, world.pve_writes()), (vec!["g".to_owned()], writes), "{about}");
    }
    proxy.heal();
    world.ready("ProxmoxGroup", "g").await;
    assert_eq!(world.pve_writes(), writes);
}

/// CRDs that take anything as a ProxmoxAcl, as those of another release may take what this one cannot read.
async fn take_anything(world: &World) {
    let mut crds = crd::all();
    let acl = crds.iter_mut().find(|crd| crd.spec.names.kind == "ProxmoxAcl").expect("the kind");
    for version in &mut acl.spec.versions {
        let schema = version.schema.as_mut().and_then(|it| it.open_api_v3_schema.as_mut()).expect("a schema");
        schema.x_kubernetes_validations = None;
        let name = json!({"type": "object", "properties": {"name": {"type": "string"}}});
        let anything = json!({
            "type": "object", "properties": {"connectionRef": name}, "x-kubernetes-preserve-unknown-fields": true,
        });
        let anything = serde_json::from_value(anything).expect("a schema");
        schema.properties.as_mut().expect("fields").insert("spec".to_owned(), anything);
    }
    cluster::install(&world.client, crds).await;
}

#[tokio::test]
async fn while_an_object_of_another_namespace_cannot_be_read_nothing_counts_as_surplus() {
    let (world, _proxy, words) = world().await;
    take_anything(&world).await;
    let (home, neighbour) = (world.namespace.clone(), cluster::namespace(&world.client).await);
    let (url, fingerprint, token) = (world.pve.url(), world.pve.fingerprint(), world.pve.token());
    world.pve_call("POST", "/access/groups", &[("groupid", "theirs")]).await;
    let entry = [("path", "/vms"), ("groups", "theirs"), ("roles", "PVEAuditor")];
    world.pve_call("PUT", "/access/acl", &entry).await;
    let put = async |namespace: &str, object: Value| {
        let kind = object["kind"].as_str().expect("a kind").to_owned();
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        let name = object.metadata.name.clone().expect("a name");
        let params = PatchParams::apply("test").force();
        world.api_in(&kind, namespace).patch(&name, &params, &Patch::Apply(&object)).await.expect("taken");
    };
    let api = "proxmox-identity.dev/v1alpha1";
    for namespace in [&home, &neighbour] {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"},
            "stringData": {"token": token}});
        put(namespace, secret).await;
        put(
            namespace,
            json!({"apiVersion": api, "kind": "ProxmoxConnection", "metadata": {"name": "pve"}, "spec": {
                "endpoints": [url], "auth": {"token": {"secretRef": {"name": "token"}}},
                "tls": {"fingerprints": [fingerprint]}, "resyncInterval": "1s",
            }}),
        )
        .await;
    }
    // For the entry that stands, in a way that nobody here understands.
    put(
        &neighbour,
        json!({"apiVersion": api, "kind": "ProxmoxAcl", "metadata": {"name": "theirs"}, "spec": {
            "connectionRef": {"name": "pve"}, "path": ["/vms"], "everything": true,
        }}),
    )
    .await;
    world.start(words);
    for namespace in [&home, &neighbour] {
        world
            .until("both connections are known to be to one cluster", async || {
                let connections = world.api_in("ProxmoxConnection", namespace);
                let connection = connections.get("pve").await.expect("a connection");
                connection.data["status"]["clusterId"].is_string().then_some(())
            })
            .await;
    }
    let exact = "path: /vms, entryPolicy: Exact, roles: [{role: PVEVMUser}], subjects: [{group: ours}]";
    world.object("ProxmoxGroup", "ours", "").await;
    world.object("ProxmoxAcl", "exact", exact).await;
    world
        .until("the exact one has what it wants", async || {
            world.acl().await.iter().any(|it| it == "/vms PVEVMUser group:ours 1").then_some(())
        })
        .await;
    world.passes(6).await;
    assert!(world.acl().await.iter().any(|it| it == "/vms PVEAuditor group:theirs 1"), "it may be somebody's");
    let message = world.reason("ProxmoxAcl", "exact", "DependencyNotReady").await;
    assert!(message.contains("the operator's log names it") && !message.contains(&neighbour), "{message}");
    let told = format!("ProxmoxAcl {neighbour}/theirs");
    assert!(world.log().lines().any(|line| line.contains(&told) && line.contains("WARN")), "{told}");
    world.api_in("ProxmoxAcl", &neighbour).delete("theirs", &DeleteParams::default()).await.expect("deleted");
    world
        .until("it is nobody's", async || {
            (!world.acl().await.iter().any(|it| it.contains("group:theirs"))).then_some(())
        })
        .await;
    world.ready("ProxmoxAcl", "exact").await;
}
