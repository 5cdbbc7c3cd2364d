//! Alerts, dashboard and documentation are about metrics that the operator has.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use proxmox_identity::sim::pve::{Fault, FaultName};
use regex::Regex;
use serde_json::{Value, json};

use crate::built;
use crate::helm::{chart, of_kind, rendered};
use crate::world::World;

fn alerts() -> Vec<Value> {
    let set = "metrics.prometheusRule.enabled=true,metrics.prometheusRule.renderMode=alwaysRender,metrics.prometheusRule.runbookUrl=docs/metrics.md";
    let objects = rendered(&["--set", set]);
    let rules = &of_kind(&objects, "PrometheusRule")[0]["spec"]["groups"][0]["rules"];
    rules.as_array().expect("rules").clone()
}

fn text(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All expressions of alerts and dashboard.
fn expressions() -> Vec<String> {
    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(chart("files/dashboard.json")).expect("a file")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let shown = targets.map(|target| target["expr"].as_str().expect("an expression").to_owned());
    let alerts = alerts().into_iter().map(|alert| alert["expr"].as_str().expect("an expression").to_owned());
    alerts.chain(shown).collect()
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"proxmox_identity_[a-z_]+").expect("a pattern");
    name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

/// The metrics that the operator serves, by their names in queries.
fn served(metrics: &str) -> BTreeSet<String> {
    let described = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    described
        .flat_map(|(name, kind)| match kind {
            "counter" => vec![format!("{name}_total")],
            "histogram" => ["bucket", "sum", "count"].map(|part| format!("{name}_{part}")).to_vec(),
            _ => vec![name.to_owned()],
        })
        .collect()
}

/// What becomes of each expression when Prometheus evaluates it over these metrics.
fn evaluated(metrics: &str) -> Vec<Value> {
    let mut promql = Command::new(built::program("promql", "PROMQL"));
    let mut child = promql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    // What Grafana puts in for its variable.
    let queries: Vec<String> = expressions().iter().map(|it| it.replace("$__rate_interval", "2m")).collect();
    let question = json!({"metrics": metrics, "queries": queries}).to_string();
    child.stdin.take().expect("standard input").write_all(question.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn alerts_dashboard_and_page_name_metrics_that_are_served() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    world.ready("ProxmoxConnection", "pve").await;
    // A metric with labels is served once there is something to count: drift, and a lock that is not to be had.
    world.pve_call("DELETE", "/access/groups/g", &[]).await;
    world.until("the group is back", async || world.pve_find("/access/groups/g").await).await;
    world.pve.fault(Fault { file: Some("user.cfg".to_owned()), count: 1000, ..Fault::new(FaultName::HeldLock) });
    world.object("ProxmoxGroup", "locked", "").await;
    world.reason("ProxmoxGroup", "locked", "LockTimeout").await;
    let (_, metrics) = world.get("/metrics").await;
    let connected = r#"resource_condition{kind="ProxmoxConnection",type="Ready",status="True"} 1"#;
    assert!(metrics.contains(connected), "connections are counted too: {metrics}");
    let served = served(&metrics);
    assert!(served.len() > 10, "{metrics}");
    for expression in expressions() {
        let named = names(&expression);
        assert!(!named.is_empty(), "{expression}");
        assert!(named.is_subset(&served), "{expression}");
    }
    let page = text("docs/metrics.md");
    let (described, _) = page.split_once("## Alerts").expect("alerts");
    let whole = |name: &String| !name.ends_with("_sum") && !name.ends_with("_count") && !name.ends_with("_bucket");
    let rows: BTreeSet<String> = names(described).into_iter().collect();
    let metrics_of = |name: &String| name.trim_end_matches("_bucket").to_owned();
    let all: BTreeSet<String> =
        served.iter().filter(|name| whole(name) || name.ends_with("_bucket")).map(metrics_of).collect();
    assert_eq!(rows, all, "docs/metrics.md describes each metric");

    // Prometheus takes each of them, and finds what it selects, whatever the values of the labels are now.
    let evaluated = evaluated(&metrics);
    assert_eq!(evaluated.len(), expressions().len());
    for answer in &evaluated {
        assert!(answer.get("error").is_none() && answer.get("empty").is_none(), "{answer}");
    }
    let shown = evaluated.iter().filter(|answer| answer["series"] != 0).count();
    assert!(shown > evaluated.len() / 2, "most of the dashboard shows something: {evaluated:#?}");
}

#[test]
fn a_connection_that_does_not_work_is_told_of_as_one_whatever_it_leads_to() {
    let alerts = alerts();
    let expression = |name: &str| {
        let alert = alerts.iter().find(|alert| alert["alert"] == format!("ProxmoxIdentity{name}"));
        alert.unwrap_or_else(|| panic!("no alert {name}"))["expr"].clone()
    };
    for (kind, connections, objects) in [
        ("ProxmoxConnection", 1, 0),
        ("ClusterProxmoxConnection", 1, 0),
        ("PocketIdConnection", 1, 0),
        ("PocketIdClient", 0, 1),
        ("ProxmoxGroup", 0, 1),
        ("ProxmoxAccessCheck", 0, 0),
    ] {
        let labels = format!(r#"kind="{kind}",type="Ready",status="False""#);
        let answers = evaluated(&format!("proxmox_identity_resource_condition{{{labels}}} 1\n# EOF\n"));
        for (alert, series) in [("ConnectionNotReady", connections), ("ObjectNotReady", objects)] {
            let query = expression(alert);
            let answer = answers.iter().find(|answer| answer["query"] == query).expect("an answer");
            assert_eq!(answer["series"], series, "{kind}: {answer}");
        }
    }
}

#[test]
fn the_dashboard_arrives_whole() {
    let objects = rendered(&["--set", "metrics.dashboard.enabled=true"]);
    let map = of_kind(&objects, "ConfigMap")[0];
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    let arrived = map["data"]["proxmox-identity.json"].as_str().expect("a dashboard");
    assert_eq!(arrived.trim(), std::fs::read_to_string(chart("files/dashboard.json")).expect("a file").trim());
}

#[test]
fn every_alert_has_a_page_that_says_what_to_do() {
    let page = text("docs/metrics.md");
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let alerts = alerts();
    let names: Vec<&str> = alerts.iter().filter_map(|alert| alert["alert"].as_str()).collect();
    assert_eq!(headings, names);
    for alert in &alerts {
        let anchor = alert["alert"].as_str().expect("a name").to_lowercase();
        assert_eq!(alert["annotations"]["runbook_url"], format!("docs/metrics.md#{anchor}"));
        assert!(["critical", "warning", "info"].iter().any(|it| alert["labels"]["severity"] == *it));
    }
}
