//! The CRDs as they are published: what the types say, and what all kinds share.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, SelectableField,
};
use kube::CustomResourceExt;

use crate::api::object::System;
use crate::api::{
    ClusterProxmoxConnection, Object, PocketIdClient, PocketIdConnection, PocketIdGroup, ProxmoxAccessCheck,
    ProxmoxAcl, ProxmoxConnection, ProxmoxGroup, ProxmoxPool, ProxmoxRealm, ProxmoxRole, ProxmoxToken, ProxmoxUser,
};

const CATEGORY: &str = "proxmox";
const CONNECTION: &str = ".spec.connectionRef.name";

/// Fields of the status that only some kinds have.
const OF_SOME_KINDS: &[(&str, &[&str])] = &[
    ("writtenSecret", &["ProxmoxUser", "ProxmoxRealm"]),
    ("token", &["ProxmoxToken"]),
    ("syncJobs", REALMS),
    ("sync", REALMS),
    ("clientSecret", &["PocketIdClient"]),
    ("logo", &["PocketIdClient"]),
    ("clientInUse", REALMS),
    ("signIn", REALMS),
];

const REALMS: &[&str] = &["ProxmoxRealm"];

/// Fields of the spec that all kinds have, beside connectionRef.
const SHARED: &[&str] = &["managementPolicy", "adoptionPolicy", "deletionPolicy", "suspend"];

/// All kinds, in the order in which a person would write them.
pub fn all() -> Vec<CustomResourceDefinition> {
    vec![
        connection::<ProxmoxConnection>(),
        connection::<ClusterProxmoxConnection>(),
        object::<ProxmoxRealm>(),
        object::<ProxmoxGroup>(),
        object::<ProxmoxUser>(),
        object::<ProxmoxToken>(),
        object::<ProxmoxRole>(),
        object::<ProxmoxAcl>(),
        object::<ProxmoxPool>(),
        check(),
        pocket_id_connection(),
        object::<PocketIdGroup>(),
        object::<PocketIdClient>(),
    ]
}

fn connection<K: CustomResourceExt>() -> CustomResourceDefinition {
    publish(K::crd(), &[("Endpoint", ".status.endpoint"), ("Version", ".status.version")], None)
}

fn pocket_id_connection() -> CustomResourceDefinition {
    publish(PocketIdConnection::crd(), &[("Issuer", ".status.issuerUrl"), ("Version", ".status.version")], None)
}

fn check() -> CustomResourceDefinition {
    publish(ProxmoxAccessCheck::crd(), &[("Path", ".spec.path"), ("Connection", CONNECTION)], Some(CONNECTION))
}

fn object<K: Object>() -> CustomResourceDefinition {
    let mut crd = K::crd();
    for version in &mut crd.spec.versions {
        let schema = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        let Some(fields) = schema.and_then(|schema| schema.properties.as_mut()) else { continue };
        if K::SYSTEM == System::PocketId {
            for_pocket_id(fields);
        }
        let mut status = fields.get_mut("status").and_then(|status| status.properties.as_mut());
        for (field, kinds) in OF_SOME_KINDS {
            if let (false, Some(status)) = (kinds.contains(&K::KIND), &mut status) {
                status.remove(*field);
            }
        }
    }
    publish(crd, &[("External-ID", ".status.externalId"), ("Connection", CONNECTION)], Some(CONNECTION))
}

/// What all kinds share is said of Proxmox VE. Here it is Pocket ID, whose connections are of one kind.
fn for_pocket_id(fields: &mut BTreeMap<String, JSONSchemaProps>) {
    if let Some(status) = fields.get_mut("status") {
        say_pocket_id(status);
    }
    for (name, field) in fields.get_mut("spec").and_then(|spec| spec.properties.as_mut()).into_iter().flatten() {
        if SHARED.contains(&name.as_str()) {
            say_pocket_id(field);
        }
        if name == "connectionRef" {
            field.properties.iter_mut().for_each(|fields| drop(fields.remove("kind")));
        }
    }
}

fn say_pocket_id(schema: &mut JSONSchemaProps) {
    if let Some(description) = &mut schema.description {
        *description = description.replace(System::ProxmoxVe.name(), System::PocketId.name());
    }
    schema.properties.iter_mut().flat_map(BTreeMap::values_mut).for_each(say_pocket_id);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() {
        say_pocket_id(items);
    }
}

fn publish(
    mut crd: CustomResourceDefinition,
    columns: &[(&str, &str)],
    selectable: Option<&str>,
) -> CustomResourceDefinition {
    crd.spec.names.categories = Some(vec![CATEGORY.to_owned()]);
    for version in &mut crd.spec.versions {
        version.additional_printer_columns = Some(with_shared_columns(columns));
        version.selectable_fields = selectable.map(|path| vec![SelectableField { json_path: path.to_owned() }]);
        if let Some(schema) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            tidy(schema);
            if let Some(spec) = schema.properties.as_mut().and_then(|properties| properties.get_mut("spec")) {
                spec.properties.iter_mut().flat_map(BTreeMap::values_mut).for_each(atomic_where_empty);
            }
        }
    }
    crd
}

fn with_shared_columns(own: &[(&str, &str)]) -> Vec<CustomResourceColumnDefinition> {
    let ready = |field| format!(r#".status.conditions[?(@.type=="Ready")].{field}"#);
    let mut columns = vec![column("Ready", &ready("status")), column("Reason", &ready("reason"))];
    columns.extend(own.iter().map(|(name, json_path)| column(name, json_path)));
    let age = column("Age", ".metadata.creationTimestamp");
    columns.push(CustomResourceColumnDefinition { type_: "date".to_owned(), ..age });
    columns.push(CustomResourceColumnDefinition { priority: Some(1), ..column("Message", &ready("message")) });
    columns
}

fn column(name: &str, json_path: &str) -> CustomResourceColumnDefinition {
    CustomResourceColumnDefinition {
        name: name.to_owned(),
        json_path: json_path.to_owned(),
        type_: "string".to_owned(),
        ..Default::default()
    }
}

/// What may be empty is owned as a whole: server-side apply makes a null of a map that loses its last field, so that «none
/// of it» could not be said.
fn atomic_where_empty(schema: &mut JSONSchemaProps) {
    let may_be_empty = schema.required.as_ref().is_none_or(Vec::is_empty);
    if schema.type_.as_deref() == Some("object") && may_be_empty {
        schema.x_kubernetes_map_type = Some("atomic".to_owned());
    }
    schema.properties.iter_mut().flat_map(BTreeMap::values_mut).for_each(atomic_where_empty);
}

/// Two repairs on every level. A null is refused: an unset field is absent, and no rule and no reader has to tell it
/// from a null. And a description is one line a paragraph, since `kubectl explain` wraps lines by itself.
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.title = None;
    if let Some(description) = schema.description.as_mut() {
        let paragraphs: Vec<_> = description.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        *description = paragraphs.join("\n\n");
    }
    for property in schema.properties.iter_mut().flat_map(|properties| properties.values_mut()) {
        tidy(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() {
        tidy(items);
    }
}
