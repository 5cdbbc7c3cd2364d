//! Plays recorded scenarios against a simulator.

pub mod client;
pub mod matching;
mod permissions;
pub mod random;
pub mod rename;
pub mod scenarios;

use std::net::Ipv4Addr;
use std::time::Duration;

use proxmox_identity::sim::pve::{Fault, FaultName, Options, Simulator};
use serde_json::{Map, Value};

use client::{Answer, Client};
use matching::{Captured, differences, fill, fill_value, short, text_fits};

/// Waits of PVE are shortened to this.
const TIME_SCALE: f64 = 0.01;

/// Where the directory of the recordings listened.
const RECORDED_PORT: &str = "13890";

/// How many steps passed, and what was wrong with the others.
#[derive(Default)]
pub struct Report {
    pub passed: usize,
    /// How many answers about permissions the operator's model was compared with.
    pub permissions: usize,
    pub failures: Vec<String>,
}

/// Plays one scenario on a simulator of its own. `user` says how the user of made-up tickets is called.
pub async fn play(scenario: &Value, ticket_user: &str) -> Report {
    let ldap = needs_directory(scenario).then_some((Ipv4Addr::LOCALHOST, 0).into());
    let options = Options { time_scale: TIME_SCALE, ldap, ..Options::default() };
    let simulator = Simulator::start(options).await.expect("it starts");
    // The directory was recorded at this port; here it takes a free one.
    let scenario = simulator.ldap().map_or_else(
        || scenario.clone(),
        |address| {
            let moved = scenario.to_string().replace(RECORDED_PORT, &address.port().to_string());
            serde_json::from_str(&moved).expect("a recording")
        },
    );
    let scenario = &scenario;
    for required in scenario["requires"].as_array().into_iter().flatten() {
        let fault = match required.as_str() {
            Some("held-lock") => Fault { skip: 1, count: 2, ..Fault::new(FaultName::HeldLock) },
            Some("no-quorum") => Fault { skip: 1, ..Fault::new(FaultName::NoQuorum) },
            _ => continue,
        };
        simulator.fault(Fault { file: Some("user.cfg".to_owned()), ..fault });
    }
    let client = Client::new(simulator.address(), simulator.ca_pem());
    let mut report = Report::default();
    let mut captured = Captured::new();
    for (index, step) in scenario["steps"].as_array().into_iter().flatten().enumerate() {
        if let Some(age) = ticket_age(step) {
            captured.insert("ticket".to_owned(), simulator.ticket(ticket_user, age).ticket);
        }
        if let Some(seconds) = step["sleep"].as_f64() {
            tokio::time::sleep(Duration::from_secs_f64(seconds * TIME_SCALE)).await;
        }
        // A task takes as long as it takes.
        while is_of_task(step) && is_running(&client, &simulator, scenario, step, &captured).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut errors = match send(&client, &simulator, scenario, step, &captured).await {
            Ok(answer) => compare(step, &answer, &mut captured),
            Err(error) => vec![format!("no answer: {error}")],
        };
        if permissions::is_about(step) {
            report.permissions += 1;
            errors.extend(permissions::differences(&simulator, step, &subject(scenario, step, &captured)).await);
        }
        if errors.is_empty() {
            report.passed += 1;
        } else {
            let (name, who) = (&scenario["name"], &step["as"]);
            let request = format!("{} {} {}", step["method"], step["path"], short(&step["form"]));
            report.failures.push(format!("{name} step {index} as {who}: {request}\n    {}", errors.join("\n    ")));
        }
    }
    report
}

/// Whose permissions a step asks for.
fn subject(scenario: &Value, step: &Value, captured: &Captured) -> String {
    let identity = &scenario["identities"][step["as"].as_str().unwrap_or_default()];
    let own = identity["token"].as_str().map(|token| fill(token, captured));
    let own = own.and_then(|token| token.split_once('=').map(|(id, _)| id.to_owned()));
    step["query"]["userid"].as_str().map(str::to_owned).or(own).unwrap_or_default()
}

/// Whether a directory with the recorded people is needed.
pub fn needs_directory(scenario: &Value) -> bool {
    scenario["requires"].as_array().into_iter().flatten().any(|required| required == "ldap")
}

fn is_of_task(step: &Value) -> bool {
    step["path"].as_str().is_some_and(|path| path.contains("/tasks/") && path.ends_with("/status"))
}

async fn is_running(
    client: &Client,
    simulator: &Simulator,
    scenario: &Value,
    step: &Value,
    captured: &Captured,
) -> bool {
    let answer = send(client, simulator, scenario, step, captured).await;
    answer.is_ok_and(|answer| String::from_utf8_lossy(&answer.body).contains("\"running\""))
}

/// Tickets of another age can only be made by whoever has the server's key; the notes say how old they are.
fn ticket_age(step: &Value) -> Option<i64> {
    step["note"].as_str()?.strip_prefix("ticket made ")?.strip_suffix(" s ago")?.parse().ok()
}

fn encode(form: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in form.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => items.iter().for_each(|item| {
                encoded.append_pair(name, &text(item));
            }),
            value => {
                encoded.append_pair(name, &text(value));
            }
        }
    }
    encoded.finish()
}

async fn send(
    client: &Client,
    simulator: &Simulator,
    scenario: &Value,
    step: &Value,
    captured: &Captured,
) -> std::io::Result<Answer> {
    let text = |name: &str| step[name].as_str().unwrap_or_default();
    let method = text("method");
    let base = step["base"].as_str().unwrap_or("/api2/json");
    let mut target = fill(base, captured) + &fill(text("path"), captured);
    if !step["query"].is_null() {
        target = format!("{target}?{}", encode(&fill_value(&step["query"], captured)));
    }
    let mut headers = credential(simulator, scenario, step, captured);
    let has_json = step.as_object().is_some_and(|step| step.contains_key("json"));
    let (body, content_type) = if !step["form"].is_null() {
        (Some(encode(&fill_value(&step["form"], captured))), Some("application/x-www-form-urlencoded"))
    } else if has_json {
        (Some(fill_value(&step["json"], captured).to_string()), Some("application/json"))
    } else if let Some(raw) = step["raw"].as_str() {
        (Some(fill(raw, captured)), step["content_type"].as_str())
    } else {
        (None, None)
    };
    let mut set = |name: &str, value: String| {
        headers.retain(|(header, _)| header != name);
        headers.push((name.to_owned(), value));
    };
    if let Some(content_type) = content_type {
        set("Content-Type", content_type.to_owned());
    }
    for (name, value) in step["headers_in"].as_object().unwrap_or(&Map::new()) {
        set(name, fill(value.as_str().unwrap_or_default(), captured));
    }
    if let Some(body) = &body {
        set("Content-Length", body.len().to_string());
    } else if matches!(method, "POST" | "PUT") {
        set("Content-Length", "0".to_owned());
    }
    client.send(method, &target, &headers, body.unwrap_or_default().as_bytes()).await
}

fn credential(simulator: &Simulator, scenario: &Value, step: &Value, captured: &Captured) -> Vec<(String, String)> {
    let header = |name: &str, value: String| (name.to_owned(), value);
    let (text, who) = (|value: &Value| fill(value.as_str().unwrap_or_default(), captured), step["as"].as_str());
    match who {
        Some("none") | None => Vec::new(),
        Some("root-token") => vec![header("Authorization", format!("PVEAPIToken={}", simulator.token()))],
        Some(name) => {
            let identity = &scenario["identities"][name];
            let mut headers = Vec::new();
            if !identity["token"].is_null() {
                headers.push(header("Authorization", format!("PVEAPIToken={}", text(&identity["token"]))));
            }
            if !identity["ticket"].is_null() {
                let ticket = text(&identity["ticket"]);
                let ticket = percent_encoding::utf8_percent_encode(&ticket, percent_encoding::NON_ALPHANUMERIC);
                headers.push(header("Cookie", format!("PVEAuthCookie={ticket}")));
                if !identity["csrf"].is_null() && step["method"] != "GET" {
                    headers.push(header("CSRFPreventionToken", text(&identity["csrf"])));
                }
            }
            headers
        }
    }
}

fn compare(step: &Value, answer: &Answer, captured: &mut Captured) -> Vec<String> {
    let mut errors = Vec::new();
    let reason = step["reason"].as_str().unwrap_or_default();
    let body = match std::str::from_utf8(&answer.body) {
        _ if answer.body.is_empty() => Value::Null,
        Ok(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        Err(_) => Value::from(String::from_utf8_lossy(&answer.body).into_owned()),
    };
    let same_status = step["status"].as_u64() == Some(u64::from(answer.status));
    if !same_status {
        errors.push(format!("status: want {} {reason:?}, got {} {:?}", step["status"], answer.status, answer.reason));
    } else if !text_fits(reason, &answer.reason) {
        errors.push(format!("reason: want {reason:?}, got {:?}", answer.reason));
    }
    let content_type = step["headers"]["content-type"].as_str();
    if content_type != answer.header("content-type") {
        errors.push(format!("content-type: want {content_type:?}, got {:?}", answer.header("content-type")));
    }
    if same_status {
        errors.extend(differences(&step["body"], &body, step["ordered"] == true, "body"));
    }
    for (name, pointer) in step["capture"].as_object().into_iter().flatten() {
        let pointer = pointer.as_str().unwrap_or_default();
        let found = body.pointer(pointer).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if found.is_none() {
            errors.push(format!("capture {name}: nothing at {pointer}"));
        }
        captured.insert(name.clone(), found.unwrap_or_else(|| "not-captured".to_owned()));
    }
    errors
}
