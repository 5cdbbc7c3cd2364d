//! Objects that another schema let in.

use std::path::Path;

use kube::core::DeserializeGuard;
use kube::{Resource, ResourceExt};
use proxmox_identity::api::{
    ClusterProxmoxConnection, PocketIdClient, PocketIdConnection, PocketIdGroup, ProxmoxAccessCheck, ProxmoxAcl,
    ProxmoxConnection, ProxmoxGroup, ProxmoxPool, ProxmoxRealm, ProxmoxRole, ProxmoxToken, ProxmoxUser,
};
use proxmox_identity::core::wants::{self, References};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::mutate::{self, Random};

/// So many objects are tried in a short run.
const SHORT: u64 = 5_000;

/// All objects of ours in the examples.
fn examples() -> Vec<Value> {
    let (mut found, mut folders) = (Vec::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")]);
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry").path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "yaml") {
                let text = std::fs::read_to_string(&path).expect("a file");
                found.extend(serde_saphyr::from_multiple::<Value>(&text).unwrap_or_default());
            }
        }
    }
    found.retain(|object| object["apiVersion"] == "proxmox-identity.dev/v1alpha1");
    found
}

/// One object of each kind with much in it, which the examples may lack.
const MORE: &str = "
apiVersion: proxmox-identity.dev/v1alpha1
kind: ProxmoxUser
metadata: {name: ann}
spec: {connectionRef: {name: a}, realm: pve, expiresAt: '2030-01-01T00:00:00Z', groups: [{group: g}], membershipPolicy: Exact, passwordSecretRef: {name: s, key: k}}
---
apiVersion: proxmox-identity.dev/v1alpha1
kind: ProxmoxToken
metadata: {name: ci}
spec: {connectionRef: {name: a}, user: ann@pve, lifetime: 720h, secretTemplate: {name: s, data: {a: '${secret}'}}, rotation: {interval: 240h}}
---
apiVersion: proxmox-identity.dev/v1alpha1
kind: ProxmoxPool
metadata: {name: lab}
spec: {connectionRef: {name: a}, poolId: a/b, members: {guests: [100], storages: [local]}, membershipPolicy: Exact}
---
apiVersion: proxmox-identity.dev/v1alpha1
kind: ProxmoxRole
metadata: {name: boss}
spec: {connectionRef: {name: a}, privileges: [VM.Audit]}
---
apiVersion: proxmox-identity.dev/v1alpha1
kind: ProxmoxRealm
metadata: {name: ld}
spec: {connectionRef: {name: a}, ldap: {servers: [127.0.0.1], baseDn: dc=a, userAttribute: uid}, syncJobs: [{id: j, schedule: '02:30', scope: users}]}
";

fn parsed<K: Resource<DynamicType = ()> + DeserializeOwned>(object: &Value) -> Option<K> {
    let guard: DeserializeGuard<K> = serde_json::from_value(object.clone()).ok()?;
    // Whatever it is otherwise, it is known by its name.
    assert_eq!(guard.name_any(), object["metadata"]["name"].as_str().unwrap_or_default());
    guard.0.ok()
}

/// What the operator makes of an object before anything of a cluster is known.
fn judge(object: &Value) -> bool {
    let references = References::default();
    match object["kind"].as_str().unwrap_or_default() {
        "ProxmoxRealm" => parsed::<ProxmoxRealm>(object).map(|it| {
            drop(wants::secrets_of_realm(&it, &references));
            drop(wants::of_realm(&it, &references));
        }),
        "ProxmoxRole" => parsed::<ProxmoxRole>(object).map(|it| drop(wants::of_role(&it))),
        "ProxmoxGroup" => parsed::<ProxmoxGroup>(object).map(|it| drop(wants::of_group(&it, &references))),
        "ProxmoxUser" => parsed::<ProxmoxUser>(object).map(|it| drop(wants::of_user(&it, &references))),
        "ProxmoxToken" => parsed::<ProxmoxToken>(object).map(|it| drop(wants::of_token(&it, &references))),
        "ProxmoxPool" => parsed::<ProxmoxPool>(object).map(|it| drop(wants::of_pool(&it))),
        "ProxmoxAcl" => parsed::<ProxmoxAcl>(object).map(|it| drop(wants::of_acl(&it, &references))),
        "ProxmoxConnection" => parsed::<ProxmoxConnection>(object).map(drop),
        "ClusterProxmoxConnection" => parsed::<ClusterProxmoxConnection>(object).map(drop),
        "ProxmoxAccessCheck" => parsed::<ProxmoxAccessCheck>(object).map(drop),
        "PocketIdConnection" => parsed::<PocketIdConnection>(object).map(drop),
        "PocketIdGroup" => parsed::<PocketIdGroup>(object).map(drop),
        "PocketIdClient" => parsed::<PocketIdClient>(object).map(drop),
        kind => panic!("{kind} is not known here"),
    }
    .is_some()
}

#[test]
fn an_object_of_another_schema_is_read_or_known_by_its_name_and_nothing_panics() {
    let mut seeds = examples();
    seeds.extend(serde_saphyr::from_multiple::<Value>(MORE).expect("manifests"));
    assert!(seeds.iter().all(judge), "all are fine before they are spoilt");
    let (mut read, all) = (0, mutate::count(SHORT));
    for number in 0..all {
        let mut random = Random::of(number);
        let mut object = random.one_of(&seeds).clone();
        for part in ["spec", "status"] {
            if object.get(part).is_some() {
                object[part] = mutate::json(&mut random, &object[part]);
            }
        }
        read += u64::from(judge(&object));
    }
    println!("{read} of {all} could be read");
    assert!(read > all / 10 && read < all, "{read} of {all} says little");
}
