//! Plays recorded scenarios against a simulator.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proxmox_identity::sim::pocket_id::{Options, Simulator};
use regex::Regex;
use serde_json::{Value, json};

use super::bodies::{encode, multipart, shown};
use super::client::{Answer, Client};
use super::matching::{Saved, differences, fill, fill_value, short, text_fits};

/// The static API key of the simulator.
pub const KEY: &str = "static-api-key-of-the-tests";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

static GROUPS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^\d+ groups were created\W+name (\D+)(\d+) … \D+(\d+)(?:, friendlyName (\D+)(\d+) … \D+(\d+))?")
});
static BURST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^GET (\S+) again and again.* from ([\d.]+); the first 429 came at request number (?:about )?(\d+)")
});

/// How many steps passed, and what was wrong with the others.
#[derive(Default)]
pub struct Report {
    pub passed: usize,
    pub failures: Vec<String>,
}

/// A scenario that is being played.
struct Player {
    client: Client,
    saved: Saved,
    session: String,
}

/// Plays one scenario on a simulator of its own.
pub async fn play(scenario: &Value) -> Report {
    let options = Options { api_key: Some(KEY.to_owned()), ..Options::default() };
    let simulator = Simulator::start(options).await.expect("it starts");
    let known = [("host", simulator.address().to_string()), ("api_key", KEY.to_owned())];
    let mut player = Player {
        client: Client::new(simulator.address(), simulator.ca_pem()),
        saved: known.map(|(name, value)| (name.to_owned(), value)).into(),
        session: String::new(),
    };
    let mut report = Report::default();
    for (index, step) in scenario["steps"].as_array().into_iter().flatten().enumerate() {
        let errors = if let Some(text) = step["setup"].as_str() {
            player.set_up(text).await
        } else if let Some(token) = step["decoded"].as_str() {
            player.decoded(step, token)
        } else {
            player.request(step).await
        };
        if errors.is_empty() {
            report.passed += 1;
        } else {
            let (name, auth, method, path) = (&scenario["name"], &step["auth"], &step["method"], &step["path"]);
            let what = format!("{name} step {index} as {auth}: {method} {path} {}", short(&step["json"]));
            report.failures.push(format!("{what}\n    {}", errors.join("\n    ")));
        }
    }
    report
}

impl Player {
    /// Does what a recording tells of in words.
    async fn set_up(&self, text: &str) -> Vec<String> {
        if let Some(found) = GROUPS.captures(text) {
            let number = |index: usize| found.get(index).and_then(|text| text.as_str().parse::<usize>().ok());
            let (first, last) = (number(2).expect("a number"), number(3).expect("a number"));
            for at in first..=last {
                let width = found[2].len();
                let name = format!("{}{at:0width$}", &found[1]);
                let friendly_name = match (found.get(4), number(5), number(6)) {
                    (Some(stem), Some(from), Some(to)) => {
                        let (steps, width) = (at - first, found[6].len());
                        let shown = if to > from { from + steps } else { from - steps };
                        format!("{}{shown:0width$}", stem.as_str())
                    }
                    _ => name.clone(),
                };
                let step = json!({
                    "auth": "api_key", "method": "POST", "path": "/api/user-groups",
                    "json": { "name": name, "friendlyName": friendly_name },
                });
                let status = self.send(&step).await.status;
                if status != 201 {
                    return vec![format!("creating group {name}: {status}")];
                }
            }
            return Vec::new();
        }
        let found = BURST.captures(text).expect("something to do");
        let at: u64 = found[3].parse().expect("a number");
        let step = json!({
            "auth": "api_key", "method": "GET", "path": found[1], "headers": { "X-Forwarded-For": found[2] },
        });
        let began = Instant::now();
        for number in 1..at + 30 {
            if self.send(&step).await.status == 429 {
                // The limit gives way a little while we ask.
                let latest = at + 5 + began.elapsed().as_secs();
                let fits = (at..=latest).contains(&number);
                return if fits { Vec::new() } else { vec![format!("limited at request {number}, want {at}")] };
            }
        }
        vec!["never limited".to_owned()]
    }

    /// Compares header and claims of a token that an answer gave.
    fn decoded(&self, step: &Value, token: &str) -> Vec<String> {
        let mut parts = self.saved[token].split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64");
            serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
        });
        let (header, claims) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut errors = differences(&step["header"], &header, &self.saved, "header");
        errors.extend(differences(&step["claims"], &claims, &self.saved, "claims"));
        errors
    }

    async fn request(&mut self, step: &Value) -> Vec<String> {
        if step["note"].as_str().is_some_and(|note| note.starts_with("two seconds later")) {
            tokio::time::sleep(Duration::from_millis(2200)).await;
        }
        let answer = self.send(step).await;
        let cookie = answer.header("set-cookie");
        if let Some(cookie) = cookie {
            cookie.split(';').next().unwrap_or_default().clone_into(&mut self.session);
        }
        let mut body = shown(&answer);
        let mut errors = Vec::new();
        for (name, path) in step["save"].as_object().into_iter().flatten() {
            let pointer = format!("/{}", path.as_str().unwrap_or_default().replace('.', "/"));
            match body.pointer(&pointer).and_then(Value::as_str) {
                Some(value) => drop(self.saved.insert(name.clone(), value.to_owned())),
                None => errors.push(format!("save {name}: nothing at {pointer}")),
            }
        }
        for name in ["access_token", "id_token", "refresh_token"] {
            if let Some(token) = body[name].as_str() {
                self.saved.insert(name.to_owned(), token.to_owned());
            }
        }
        if step["status"].as_u64() != Some(answer.status.into()) {
            errors.push(format!(
                "status: want {}, got {} {} {}",
                step["status"],
                answer.status,
                answer.reason,
                short(&body)
            ));
            return errors;
        }
        let want = step["response_content_type"].as_str();
        if want != answer.header("content-type") {
            errors.push(format!("content-type: want {want:?}, got {:?}", answer.header("content-type")));
        }
        for (name, want) in step["response_headers"].as_object().into_iter().flatten() {
            let (want, got) = (want.as_str().unwrap_or_default(), answer.header(&name.to_ascii_lowercase()));
            // The cookie is named so where APP_URL is https.
            let got = got.map(|got| got.strip_prefix("__Host-").unwrap_or(got)).unwrap_or_default();
            if !text_fits(want, got, &Saved::new()) {
                errors.push(format!("{name}: want {want:?}, got {got:?}"));
            }
        }
        if step["summarised"].is_string() {
            let rows = body["data"].as_array().into_iter().flatten();
            let names = rows.map(|row| row["name"].clone()).collect();
            body = json!({ "data_names": Value::Array(names), "pagination": body["pagination"] });
        }
        errors.extend(differences(&step["body"], &body, &self.saved, "body"));
        errors
    }

    async fn send(&self, step: &Value) -> Answer {
        let fill = |text: &Value| fill(text.as_str().unwrap_or_default(), &self.saved);
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        let mut header = |name: &str, value: String| headers.push((name.to_owned(), value));
        match step["auth"].as_str() {
            Some("api_key") => header("X-API-Key", KEY.to_owned()),
            Some("key") => header("X-API-Key", fill(&step["key"])),
            Some("session") => header("Cookie", self.session.clone()),
            Some("basic") => {
                let pair = format!("{}:{}", fill(&step["basic"][0]), fill(&step["basic"][1]));
                header("Authorization", format!("Basic {}", STANDARD.encode(pair)));
            }
            Some("bearer") => {
                // The recordings have no such values, but notes.
                let is_key = step["note"].as_str().is_some_and(|note| note.contains("API key"));
                let token = self.saved.get("access_token").map_or("not-a-jwt", String::as_str);
                header("Authorization", format!("Bearer {}", if is_key { KEY } else { token }));
            }
            _ => {}
        }
        for (name, value) in step["headers"].as_object().into_iter().flatten() {
            header(name, fill(value));
        }
        let (body, content_type) = self.body(step);
        header("Content-Length", body.len().to_string());
        if let Some(content_type) = content_type {
            header("Content-Type", content_type);
        }
        let mut target = fill(&step["path"]);
        if step["query"].is_object() {
            target = format!("{target}?{}", encode(&fill_value(&step["query"], &self.saved)));
        }
        let method = step["method"].as_str().expect("a method");
        self.client.send(method, &target, &headers, &body).await.expect("an answer")
    }

    fn body(&self, step: &Value) -> (Vec<u8>, Option<String>) {
        let sent = |content_type: &str, body: String| (body.into_bytes(), Some(content_type.to_owned()));
        let fields = step.as_object().expect("a step");
        if let Some(json) = fields.get("json") {
            sent("application/json", fill_value(json, &self.saved).to_string())
        } else if let Some(raw) = step["raw_body"].as_str() {
            sent(step["content_type"].as_str().unwrap_or_default(), fill(raw, &self.saved))
        } else if let Some(form) = fields.get("form") {
            sent("application/x-www-form-urlencoded", encode(&fill_value(form, &self.saved)))
        } else if let Some(files) = fields.get("multipart") {
            (multipart(files), Some("multipart/form-data; boundary=B".to_owned()))
        } else {
            (Vec::new(), None)
        }
    }
}
