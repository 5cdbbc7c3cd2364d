//! The values: checked by the schema, and listed in the README.

use std::collections::BTreeSet;
use std::{env, fs};

use serde_json::Value;

use crate::helm::{chart, done, helm, refused, variants};

#[test]
fn every_variant_passes_the_linter() {
    for (_, values) in variants() {
        done(helm().args(["lint", "--strict", "--values"]).arg(&values).arg(chart("")));
    }
}

#[test]
fn what_the_schema_does_not_know_is_refused() {
    for (set, says) in [
        ("imagee.tag=1", "additional properties 'imagee' not allowed"),
        ("image.tga=1", "additional properties 'tga' not allowed"),
        ("metrics.serviceMonitor.renderMode=sometimes", "value must be one of"),
        ("crds.keep=maybe", "got string, want boolean"),
        ("metrics.port=0", "minimum: got 0, want 1"),
        ("replicas=-1", "minimum: got -1, want 0"),
        ("shards=65", "maximum: got 65, want 64"),
        ("leaderElection.leaseDuration=1500ms", "does not match pattern"),
        ("podDisruptionBudget.minAvailable=half", "does not match pattern"),
        ("terminationGracePeriodSeconds=5", "minimum: got 5, want 15"),
        ("progressDeadline=ten", "does not match pattern"),
        ("watchReview=soon", "does not match pattern"),
        ("watchNamespace=A B", "does not match pattern"),
        ("image.digest=latest", "does not match pattern"),
        ("connections[0].name=a", "missing property 'spec'"),
        ("connections[0].name=a,connections[0].kind=PocketIdGroup", "value must be one of"),
        ("networkPolicy.proxmox.cidrs[0]=pve1", "does not match pattern"),
        ("networkPolicy.pocketId.cidrs[0]=id", "does not match pattern"),
    ] {
        let said = refused(helm().args(["template", "r"]).arg(chart("")).args(["--set", set]));
        assert!(said.contains(says), "{set}: {said}");
    }
    // A parent chart hands down its own globals, and the condition that it has for this one.
    done(helm().args(["template", "r"]).arg(chart("")).args(["--set", "global.other=1,enabled=true"]));
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (set, says) in [
        ("metrics.serviceMonitor.enabled=true,metrics.serviceMonitor.renderMode=failIfMissing", "ServiceMonitor"),
        ("metrics.podMonitor.enabled=true,metrics.podMonitor.renderMode=failIfMissing", "PodMonitor"),
        ("metrics.prometheusRule.enabled=true,metrics.prometheusRule.renderMode=failIfMissing", "PrometheusRule"),
        (
            "metrics.serviceMonitor.enabled=true,metrics.serviceMonitor.renderMode=alwaysRender,metrics.service.enabled=false",
            "metrics.serviceMonitor needs metrics.service.enabled",
        ),
        ("serviceAccount.create=false", "serviceAccount.name is needed"),
        ("replicas=2,leaderElection.enabled=false", "more than one of replicas needs leaderElection.enabled"),
        ("shards=2,leaderElection.enabled=false", "more than one of shards needs leaderElection.enabled"),
        (
            "podDisruptionBudget.enabled=true,podDisruptionBudget.maxUnavailable=",
            "needs minAvailable or maxUnavailable",
        ),
        (
            "watchNamespace=a,connections[0].name=c,connections[0].kind=ClusterProxmoxConnection,connections[0].spec.a=b",
            "an operator that watches one namespace has no ClusterProxmoxConnection",
        ),
    ] {
        let said = refused(helm().args(["template", "r"]).arg(chart("")).args(["--set", set]));
        assert!(said.contains(says), "{set}: {said}");
    }
}

/// The keys of a map and of the maps in it, as `a.b`.
fn keys(values: &Value, properties: impl Fn(&Value) -> Option<&Value> + Copy, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in properties(values).and_then(Value::as_object).into_iter().flatten() {
        found.insert(format!("{prefix}{key}"));
        found.extend(keys(value, properties, &format!("{prefix}{key}.")));
    }
    found
}

#[test]
fn values_and_schema_have_the_same_keys() {
    let values: Value = serde_saphyr::from_str(&text("values.yaml")).expect("YAML");
    let schema: Value = serde_json::from_str(&text("values.schema.json")).expect("JSON");
    let known = keys(&schema, |schema| schema.get("properties"), "");
    let here = keys(&values, |values| Some(values), "");
    // In free-form maps the schema knows nothing.
    let documented: BTreeSet<_> = table().into_iter().map(|row| row.key).collect();
    let free = |key: &String| documented.iter().any(|parent| key.starts_with(&format!("{parent}.")));
    let of_values: BTreeSet<_> = here.into_iter().filter(|key| !free(key)).collect();
    let for_parents = |key: &String| key == "enabled";
    let of_schema: BTreeSet<_> = known.into_iter().filter(|key| !free(key) && !for_parents(key)).collect();
    assert_eq!(of_values, of_schema);
    assert!(!of_values.is_empty());
}

fn text(name: &str) -> String {
    fs::read_to_string(chart(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

struct Row {
    key: String,
    default: String,
    meaning: String,
}

/// The values with their comments: a value without one, and without one above it, is an error.
fn table() -> Vec<Row> {
    let source = text("values.yaml");
    let values: Value = serde_saphyr::from_str(&source).expect("YAML");
    let (mut rows, mut path, mut comment) = (Vec::<Row>::new(), Vec::<(usize, &str)>::new(), String::new());
    for line in source.lines().filter(|line| !line.trim().is_empty()) {
        let (indent, content) = (line.len() - line.trim_start().len(), line.trim_start());
        if let Some(text) = content.strip_prefix("# ") {
            comment = match text.strip_prefix("-- ") {
                Some(start) => start.to_owned(),
                None => format!("{comment} {text}"),
            };
            continue;
        }
        let Some((key, _)) = content.split_once(':') else { continue };
        path.retain(|(other, _)| *other < indent);
        path.push((indent, key));
        let keys: Vec<&str> = path.iter().map(|(_, key)| *key).collect();
        let key = keys.join(".");
        if rows.last().is_some_and(|row| key.starts_with(&format!("{}.", row.key))) {
            assert!(comment.is_empty(), "{key} is part of a value with a comment");
            continue;
        }
        let value = keys.iter().fold(&values, |value, key| &value[*key]);
        if comment.is_empty() {
            assert!(value.as_object().is_some_and(|map| !map.is_empty()), "{key} lacks a comment");
            continue;
        }
        rows.push(Row { key, default: value.to_string(), meaning: std::mem::take(&mut comment) });
    }
    rows
}

const START: &str = "<!-- values -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_table_of_values_in_the_readme_is_what_make_chart_writes() {
    let rows = table().into_iter().map(|row| {
        format!("| `{}` | `{}` | {} |\n", row.key, row.default.replace('|', "\\|"), row.meaning.replace('|', "\\|"))
    });
    let table = format!("| value | default | meaning |\n|---|---|---|\n{}", rows.collect::<String>());
    let readme = text("README.md");
    let (before, rest) = readme.split_once(START).expect("a start");
    let (_, after) = rest.split_once(END).expect("an end");
    let expected = format!("{before}{START}{table}{END}{after}");
    if env::var_os("UPDATE_CHART").is_some() {
        fs::write(chart("README.md"), &expected).expect("the README can be written");
    }
    assert!(text("README.md") == expected, "the chart's README is not what values.yaml says: run `make chart`");
}
