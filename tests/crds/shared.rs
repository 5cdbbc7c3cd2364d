//! What all kinds have in common.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use proxmox_identity::api::conditions::{Motion, Ready, Verdict};
use proxmox_identity::api::connection_status::{Administrators, ConnectionStatus, Extent, ListVisibility, Unmanaged};
use proxmox_identity::api::pocket_id_client::ClientSecretStatus;
use proxmox_identity::api::pocket_id_connection::PocketIdConnectionStatus;
use proxmox_identity::api::status::{
    ClientInUse, LastChange, LedgerEntry, LedgerState, ObjectStatus, Origin, SecretState,
};
use proxmox_identity::api::{
    FIELD_MANAGER, PocketIdClient, PocketIdConnection, ProxmoxConnection, ProxmoxGroup, ProxmoxPool, ProxmoxRealm,
    Reason, crd,
};
use serde_json::{Value, json};

use crate::support;
use crate::verdict::{Kind, spec};

fn now() -> Time {
    Time(Timestamp::from_second(1_795_334_171).expect("a time"))
}

fn verdict() -> Verdict {
    Verdict {
        ready: Ready::False,
        reason: Reason::Forbidden,
        message: "Sys.Audit is missing".into(),
        motion: Motion::Reconciling,
        drift: None,
        warning: None,
    }
}

fn status() -> ObjectStatus {
    let entry = LedgerEntry { claim: "group a".into(), origin: Origin::Created, state: LedgerState::Intended };
    ObjectStatus {
        observed_generation: Some(1),
        conditions: verdict().conditions(1, &[], &now()),
        external_id: Some("a".into()),
        ledger: vec![entry],
        written_secret: None,
        token: None,
        client_secret: None,
        logo: None,
        client_in_use: None,
        sign_in: None,
        sync_jobs: Vec::new(),
        sync: None,
        pending_changes: vec!["create group a".into()],
        last_handled_reconcile_at: Some("now".into()),
        last_change: Some(LastChange { time: now(), summary: "created group a".into() }),
    }
}

fn connection_status() -> ConnectionStatus {
    let note = Some("needs Sys.Audit on /access".into());
    ConnectionStatus {
        missing_privileges: Vec::new(),
        observed_generation: Some(1),
        conditions: verdict().conditions(1, &[], &now()),
        external_id: Some("3B:82".into()),
        cluster_id: Some("3B:82".into()),
        version: Some("9.2.11".into()),
        endpoint: Some("https://pve1:8006".into()),
        certificate_expiry: Some(now()),
        objects: Some(3),
        last_pass: Some(now()),
        visibility: vec![ListVisibility { list: "acl".into(), extent: Extent::Partial, note }],
        unmanaged: vec![Unmanaged { kind: "groups".into(), count: 1, newest: vec!["a".into()] }],
        administrators: Some(Administrators { count: 1, unmanaged: 0, names: vec!["a@pve".into()] }),
        last_handled_reconcile_at: Some("now".into()),
    }
}

fn pocket_id_status() -> PocketIdConnectionStatus {
    PocketIdConnectionStatus {
        observed_generation: Some(1),
        conditions: verdict().conditions(1, &[], &now()),
        external_id: Some("https://id".into()),
        issuer_url: Some("https://id".into()),
        version: Some("2.14.0".into()),
        api_key_expiry: Some(now()),
        rate_limit: Some("300 at once, then 100/s".into()),
        certificate_expiry: Some(now()),
        objects: Some(3),
        last_handled_reconcile_at: Some("now".into()),
    }
}

fn client_secret() -> ClientSecretStatus {
    ClientSecretStatus {
        secret_state: SecretState::Delivered,
        secret_name: "a".into(),
        issue: 2,
        issued_at: Some(now()),
        next_rotation: Some(now()),
        last_handled_rotate_at: Some("now".into()),
        others: vec!["00000000-0000-0000-0000-000000000001".into()],
        retiring: true,
    }
}

fn apply_status(kind: &str, status: impl serde::Serialize) -> Patch<Value> {
    Patch::Apply(json!({"apiVersion": "proxmox-identity.dev/v1alpha1", "kind": kind, "status": status}))
}

#[tokio::test]
async fn a_new_object_never_counts_as_current() {
    let kind = Kind::of::<ProxmoxGroup>().await;
    let created = kind.store("a", &spec(&json!({}))).await;
    assert_eq!(created.data["status"], json!({"observedGeneration": -1}));
    let kind = Kind::of::<ProxmoxConnection>().await;
    let endpoint = json!({"endpoints": ["https://a:8006"], "auth": {"token": {"secretRef": {"name": "a"}}}});
    assert_eq!(kind.store("a", &endpoint).await.data["status"], json!({"observedGeneration": -1}));
    let kind = Kind::of::<PocketIdConnection>().await;
    let pocket_id = json!({"url": "https://a", "apiKeySecretRef": {"name": "a", "key": "key"}});
    assert_eq!(kind.store("a", &pocket_id).await.data["status"], json!({"observedGeneration": -1}));
}

#[tokio::test]
async fn a_status_comes_back_as_it_was_written() {
    let client = crate::client().await;
    let namespace = support::cluster::namespace(&client).await;
    let params = PatchParams::apply(FIELD_MANAGER).validation_strict();
    Kind::within::<ProxmoxGroup>(client.clone(), &namespace).store("a", &spec(&json!({}))).await;
    let groups = Api::<ProxmoxGroup>::namespaced(client.clone(), &namespace);
    let written = groups.patch_status("a", &params, &apply_status("ProxmoxGroup", status())).await.expect("written");
    assert_eq!(written.status, Some(status()));
    let again = groups.patch_status("a", &params, &apply_status("ProxmoxGroup", status())).await.expect("written");
    assert_eq!(again.metadata.resource_version, written.metadata.resource_version, "the same again writes nothing");

    let endpoint = json!({"endpoints": ["https://a:8006"], "auth": {"token": {"secretRef": {"name": "a"}}}});
    Kind::within::<ProxmoxConnection>(client.clone(), &namespace).store("a", &endpoint).await;
    let connections = Api::<ProxmoxConnection>::namespaced(client, &namespace);
    let patch = apply_status("ProxmoxConnection", connection_status());
    let written = connections.patch_status("a", &params, &patch).await.expect("written");
    assert_eq!(written.status, Some(connection_status()));
}

#[tokio::test]
async fn the_statuses_of_pocket_id_come_back_as_they_were_written() {
    let client = crate::client().await;
    let namespace = support::cluster::namespace(&client).await;
    let params = PatchParams::apply(FIELD_MANAGER).validation_strict();
    let pocket_id = json!({"url": "https://a", "apiKeySecretRef": {"name": "a", "key": "key"}});
    Kind::within::<PocketIdConnection>(client.clone(), &namespace).store("a", &pocket_id).await;
    let connections = Api::<PocketIdConnection>::namespaced(client.clone(), &namespace);
    let patch = apply_status("PocketIdConnection", pocket_id_status());
    let written = connections.patch_status("a", &params, &patch).await.expect("written");
    assert_eq!(written.status, Some(pocket_id_status()));

    let fields = spec(&json!({"clientId": "ab", "callbackUrls": ["https://a.example"]}));
    Kind::within::<PocketIdClient>(client.clone(), &namespace).store("a", &fields).await;
    let clients = Api::<PocketIdClient>::namespaced(client.clone(), &namespace);
    let with_secret = ObjectStatus { client_secret: Some(client_secret()), ..status() };
    let patch = apply_status("PocketIdClient", with_secret.clone());
    let written = clients.patch_status("a", &params, &patch).await.expect("written");
    assert_eq!(written.status, Some(with_secret));

    let openid = json!({"realm": "ab", "openid": {"clientRef": {"name": "a"}}});
    Kind::within::<ProxmoxRealm>(client.clone(), &namespace).store("a", &spec(&openid)).await;
    let realms = Api::<ProxmoxRealm>::namespaced(client, &namespace);
    let in_use = ClientInUse { name: "a".into(), issue: 2 };
    let with_client = ObjectStatus { client_in_use: Some(in_use), ..status() };
    let patch = apply_status("ProxmoxRealm", with_client.clone());
    let written = realms.patch_status("a", &params, &patch).await.expect("written");
    assert_eq!(written.status, Some(with_client));
}

#[tokio::test]
async fn policies_have_defaults_and_the_connection_cannot_change() {
    let kind = Kind::of::<ProxmoxPool>().await;
    let stored = kind.store("a", &spec(&json!({}))).await;
    let expected =
        json!({"connectionRef": {"name": "pve"}, "managementPolicy": "Manage", "adoptionPolicy": "IfIdentical"});
    assert_eq!(stored.data["spec"], expected);
    let typed: ProxmoxPool = serde_json::from_value(serde_json::to_value(&stored).expect("JSON")).expect("a pool");
    assert_eq!(serde_json::to_value(&typed.spec).expect("JSON"), expected, "what we read is what stands there");
    let words = "connectionRef cannot be changed";
    kind.refuses("a", &[(json!({"connectionRef": {"name": "other"}}), words)]).await;
    kind.refuses("b", &[(json!({}), "spec.connectionRef: Required value")]).await;
    kind.refuses("b", &[(spec(&json!({"deletionPolicy": "Keep"})), "supported values: \"Delete\", \"Orphan\"")]).await;
    kind.refuses("b", &[(spec(&json!({"adoptionPolicy": "Maybe"})), "supported values")]).await;
    let all =
        json!({"managementPolicy": "Observe", "adoptionPolicy": "Never", "deletionPolicy": "Orphan", "suspend": true});
    kind.takes("a", &[spec(&all)]).await;
}

#[tokio::test]
async fn objects_are_found_by_their_connection() {
    let kind = Kind::of::<ProxmoxPool>().await;
    for (name, connection) in [("a", "one"), ("b", "two"), ("c", "one")] {
        kind.store(name, &json!({"connectionRef": {"name": connection}})).await;
    }
    let found = kind.api.list(&ListParams::default().fields("spec.connectionRef.name=one")).await.expect("a list");
    let names: Vec<_> = found.items.into_iter().filter_map(|object| object.metadata.name).collect();
    assert_eq!(names, ["a", "c"]);
}

#[tokio::test]
async fn kubectl_shows_the_columns() {
    let client = crate::client().await;
    let namespace = support::cluster::namespace(&client).await;
    Kind::within::<ProxmoxGroup>(client.clone(), &namespace).store("a", &spec(&json!({}))).await;
    let groups = Api::<ProxmoxGroup>::namespaced(client, &namespace);
    let patch = apply_status("ProxmoxGroup", status());
    groups.patch_status("a", &PatchParams::apply(FIELD_MANAGER), &patch).await.expect("written");

    let columns = |arguments: &[&str]| {
        let mut kubectl = support::CONTROL_PLANE.get().expect("started").kubectl();
        let output = kubectl.args(["get", "--namespace", &namespace]).args(arguments).output().expect("kubectl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect::<Vec<Vec<_>>>()
    };
    let shown = columns(&["pvegroup", "--output=wide"]);
    assert_eq!(shown[0], ["NAME", "READY", "REASON", "EXTERNAL-ID", "CONNECTION", "AGE", "MESSAGE"]);
    assert_eq!(shown[1][..5], ["a", "False", "Forbidden", "a", "pve"]);
    assert_eq!(columns(&["proxmox"])[1][..2], ["proxmoxgroup.proxmox-identity.dev/a", "False"]);
    for short in ["pveconn", "pverealm", "pveacl", "pvepool", "pvecheck", "pidconn", "pidgroup", "pidclient"] {
        assert!(columns(&[short]).is_empty(), "{short}");
    }
}

/// An unset field is absent, never null: no rule and no reader has to tell them apart.
#[tokio::test]
async fn a_null_is_refused() {
    let kind = Kind::of::<ProxmoxGroup>().await;
    kind.refuses("a", &[(spec(&json!({"groupId": null})), "spec.groupId in body must be of type string")]).await;
    kind.refuses("a", &[(spec(&json!({"oidc": null})), "spec.oidc in body must be of type object")]).await;
}

#[test]
fn every_field_is_documented() {
    fn undocumented(schema: &Value, path: &str, found: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if property["description"].as_str().is_none_or(str::is_empty) {
                found.push(path.clone());
            }
            undocumented(property, &path, found);
            undocumented(&property["items"], &path, found);
        }
    }
    for crd in crd::all() {
        let crd = serde_json::to_value(crd).expect("JSON");
        let mut found = Vec::new();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        for part in ["spec", "status"] {
            undocumented(&schema["properties"][part], part, &mut found);
        }
        assert!(found.is_empty(), "{}: {found:?}", crd["metadata"]["name"]);
    }
}
