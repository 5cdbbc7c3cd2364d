//! The CRDs as they are published: what the types say, and what all kinds share.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, SelectableField,
};
use kube::CustomResourceExt;

use crate::api::{Object, ProxmoxAcl, ProxmoxConnection, ProxmoxGroup, ProxmoxPool, ProxmoxRealm};

const CATEGORY: &str = "proxmox";
const CONNECTION: &str = ".spec.connectionRef.name";

/// All kinds, in the order in which a person would write them.
pub fn all() -> Vec<CustomResourceDefinition> {
    vec![
        connection(),
        object::<ProxmoxRealm>(),
        object::<ProxmoxGroup>(),
        object::<ProxmoxAcl>(),
        object::<ProxmoxPool>(),
    ]
}

fn connection() -> CustomResourceDefinition {
    publish(
        ProxmoxConnection::crd(),
        [column("Endpoint", ".status.endpoint"), column("Version", ".status.version")],
        None,
    )
}

fn object<K: Object>() -> CustomResourceDefinition {
    let selectable = SelectableField { json_path: CONNECTION.to_owned() };
    publish(K::crd(), [column("External-ID", ".status.externalId"), column("Connection", CONNECTION)], Some(selectable))
}

fn publish<const N: usize>(
    mut crd: CustomResourceDefinition,
    columns: [CustomResourceColumnDefinition; N],
    selectable: Option<SelectableField>,
) -> CustomResourceDefinition {
    crd.spec.names.categories = Some(vec![CATEGORY.to_owned()]);
    for version in &mut crd.spec.versions {
        version.additional_printer_columns = Some(shared_columns(columns.clone()));
        version.selectable_fields = selectable.clone().map(|field| vec![field]);
        if let Some(schema) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            tidy(schema);
        }
    }
    crd
}

fn shared_columns<const N: usize>(own: [CustomResourceColumnDefinition; N]) -> Vec<CustomResourceColumnDefinition> {
    let ready = |field| format!(r#".status.conditions[?(@.type=="Ready")].{field}"#);
    let mut columns = vec![column("Ready", &ready("status")), column("Reason", &ready("reason"))];
    columns.extend(own);
    columns.push(CustomResourceColumnDefinition {
        type_: "date".to_owned(),
        ..column("Age", ".metadata.creationTimestamp")
    });
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

/// Two repairs on every level. A null counts as unset: the apiserver drops it where the schema does not take it, so
/// that no rule and no reader has to tell it from an absent field. And a description is one paragraph a line, since
/// `kubectl explain` wraps lines by itself.
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
