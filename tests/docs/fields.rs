//! Field references: a table of every field, made from the CRDs, in the page of each kind.

use std::fmt::Write as _;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use proxmox_identity::api::crd;

use crate::parameters::parameter;
use crate::{path, read, updates};

/// One field, by its path with dots; elements of lists are below `[]`.
struct Field<'a> {
    path: String,
    schema: &'a JSONSchemaProps,
    required: bool,
}

impl Field<'_> {
    fn is_leaf(&self) -> bool {
        below(self.schema).is_none()
    }

    /// What a value looks like, in words.
    fn form(&self) -> String {
        let mut words = form(self.schema);
        if self.required {
            words.push_str(", required");
        }
        if let Some(default) = &self.schema.default {
            write!(words, ", default `{}`", default.0.to_string().trim_matches('"')).expect("a String takes all");
        }
        words
    }

    fn meaning(&self) -> String {
        let text = self.schema.description.as_deref().unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
    }
}

fn form(schema: &JSONSchemaProps) -> String {
    if let Some(values) = &schema.enum_ {
        let values: Vec<_> =
            values.iter().map(|value| format!("`{}`", value.0.to_string().trim_matches('"'))).collect();
        return values.join(", ");
    }
    match schema.type_.as_deref() {
        Some("array") => match items(schema) {
            Some(items) if below(items).is_some() => "list of objects".to_owned(),
            Some(items) if items.enum_.is_some() => format!("list of {}", form(items)),
            Some(items) => format!("list of {}s", form(items)),
            None => "list".to_owned(),
        },
        Some("object") if schema.additional_properties.is_some() => "map of texts".to_owned(),
        Some("string") => "text".to_owned(),
        Some(other) => other.to_owned(),
        None => "any".to_owned(),
    }
}

fn items(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.items.as_ref()? {
        JSONSchemaPropsOrArray::Schema(items) => Some(items),
        JSONSchemaPropsOrArray::Schemas(_) => None,
    }
}

/// What the fields of a field are in: itself, or its elements.
fn below(schema: &JSONSchemaProps) -> Option<(&'static str, &JSONSchemaProps)> {
    let has_fields = |schema: &JSONSchemaProps| schema.properties.as_ref().is_some_and(|all| !all.is_empty());
    if has_fields(schema) {
        return Some(("", schema));
    }
    items(schema).filter(|items| has_fields(items)).map(|items| ("[]", items))
}

/// All fields below a schema, each before those below it.
fn fields<'a>(schema: &'a JSONSchemaProps, prefix: &str) -> Vec<Field<'a>> {
    let required = schema.required.clone().unwrap_or_default();
    let mut found = Vec::new();
    for (name, property) in schema.properties.iter().flatten() {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let below = below(property).map(|(brackets, schema)| fields(schema, &format!("{path}{brackets}")));
        found.push(Field { path, schema: property, required: required.contains(name) });
        // The conditions are those of Kubernetes.
        if name != "conditions" {
            found.extend(below.into_iter().flatten());
        }
    }
    found
}

fn part<'a>(crd: &'a CustomResourceDefinition, name: &str) -> Vec<Field<'a>> {
    let schema = crd.spec.versions[0].schema.as_ref().and_then(|it| it.open_api_v3_schema.as_ref()).expect("a schema");
    fields(&schema.properties.as_ref().expect("properties")[name], "")
}

fn spec_table(crd: &CustomResourceDefinition) -> String {
    let system = if crd.spec.names.kind.starts_with("PocketId") { "Pocket ID" } else { "Proxmox VE" };
    let mut table = format!("| field | type | meaning | in {system} |\n|---|---|---|---|\n");
    for field in part(crd, "spec") {
        let parameter = parameter(&crd.spec.names.kind, &field.path).unwrap_or_default();
        let (path, form, meaning) = (&field.path, field.form(), field.meaning());
        writeln!(table, "| `{path}` | {form} | {meaning} | {parameter} |").expect("a String takes all");
    }
    table
}

fn status_table(crd: &CustomResourceDefinition) -> String {
    let mut table = "| field | type | meaning |\n|---|---|---|\n".to_owned();
    for field in part(crd, "status") {
        let (path, form, meaning) = (&field.path, field.form(), field.meaning());
        writeln!(table, "| `{path}` | {form} | {meaning} |").expect("a String takes all");
    }
    table
}

/// A page with what stands between a mark and the end mark replaced.
fn with(page: &str, mark: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(mark)?;
    let (_, after) = rest.split_once("<!-- end -->")?;
    Some(format!("{before}{mark}\n{table}<!-- end -->{after}"))
}

#[test]
fn every_kind_has_a_page_with_all_its_fields_as_make_docs_writes_it() {
    for crd in crd::all() {
        let name = format!("docs/kinds/{}.md", crd.spec.names.singular.as_deref().expect("a name"));
        let page = read(&name);
        let filled = with(&page, "<!-- fields -->", &spec_table(&crd))
            .and_then(|page| with(&page, "<!-- status -->", &status_table(&crd)))
            .unwrap_or_else(|| panic!("{name} lacks <!-- fields -->, <!-- status --> or an <!-- end -->"));
        if updates() {
            std::fs::write(path(&name), &filled).expect("the page can be written");
        } else {
            assert!(page == filled, "{name} is not what the CRD says: run `make docs`");
        }
    }
}

#[test]
fn of_every_field_it_is_said_what_it_is_in_the_system_that_it_is_for() {
    for crd in crd::all() {
        let kind = &crd.spec.names.kind;
        for field in part(&crd, "spec").iter().filter(|field| field.is_leaf()) {
            assert!(parameter(kind, &field.path).is_some(), "tests/support/parameters.rs lacks {kind} {}", field.path);
        }
    }
}

#[test]
fn every_field_has_a_meaning() {
    for crd in crd::all() {
        for field in part(&crd, "spec").iter().chain(&part(&crd, "status")) {
            assert!(!field.meaning().is_empty(), "{} {}", crd.spec.names.kind, field.path);
        }
    }
}
