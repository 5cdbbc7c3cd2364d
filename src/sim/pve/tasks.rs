//! Tasks: work that goes on after its call was answered.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::Failure;
use super::calls::{Call, Outcome};
use super::server::Server;
use crate::core::snapshot::Credential;
use crate::sim::clock::now;
use crate::sim::lock::lock;

/// One task.
#[derive(Debug, Clone)]
struct Task {
    upid: String,
    kind: &'static str,
    id: String,
    credential: Credential,
    started: i64,
    log: Vec<String>,
    /// `OK` or what went wrong, once it has ended.
    exit: Option<String>,
}

/// All tasks since the start.
#[derive(Debug, Default)]
pub struct Tasks(Vec<Task>);

/// A task at work.
pub struct Running {
    server: Arc<Server>,
    upid: String,
}

impl Running {
    /// Adds a line to its log.
    pub fn log(&self, line: impl Into<String>) {
        let line = line.into();
        self.with(|task| task.log.push(line));
    }

    fn with(&self, edit: impl FnOnce(&mut Task)) {
        if let Some(task) = lock(&self.server.tasks).0.iter_mut().find(|task| task.upid == self.upid) {
            edit(task);
        }
    }

    fn end(&self, outcome: Result<(), String>) {
        self.with(|task| match outcome {
            Ok(()) => {
                task.log.push("TASK OK".to_owned());
                task.exit = Some("OK".to_owned());
            }
            Err(error) => {
                task.log.push(format!("TASK ERROR: {error}"));
                task.exit = Some(error);
            }
        });
    }
}

/// Starts a task and answers with its id.
pub fn start<F>(
    server: &Arc<Server>,
    kind: &'static str,
    id: &str,
    credential: &Credential,
    work: impl FnOnce(Arc<Server>, Arc<Running>) -> F,
) -> String
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut tasks = lock(&server.tasks);
    let (number, started) = (tasks.0.len() + 1, now());
    let user = match credential {
        Credential::User(user) => user.to_string(),
        Credential::Token(token) => token.to_string(),
    };
    let upid = format!("UPID:pve1:{number:08X}:{number:08X}:{started:08X}:{kind}:{id}:{user}:");
    let (id, credential) = (id.to_owned(), credential.clone());
    tasks.0.push(Task { upid: upid.clone(), kind, id, credential, started, log: Vec::new(), exit: None });
    drop(tasks);
    let running = Arc::new(Running { server: Arc::clone(server), upid: upid.clone() });
    let work = work(Arc::clone(server), Arc::clone(&running));
    tokio::spawn(async move { running.end(work.await) });
    upid
}

fn find(call: &Call<'_>) -> Result<Task, Failure> {
    let upid = call.text("upid");
    let task = lock(&call.server.tasks).0.iter().find(|task| task.upid == upid).cloned();
    task.ok_or_else(|| Failure::die(format!("no such task '{upid}'")))
}

pub fn status(call: &Call<'_>) -> Outcome {
    let Task { upid, kind, id, credential, started, log: _, exit } = find(call)?;
    let mut shown = Map::new();
    shown.extend([
        ("upid".to_owned(), json!(upid)),
        ("type".to_owned(), json!(kind)),
        ("id".to_owned(), json!(id)),
        ("node".to_owned(), json!(call.text("node"))),
        ("user".to_owned(), json!(credential.user().as_str())),
        ("starttime".to_owned(), json!(started)),
        ("pid".to_owned(), json!(1)),
        ("pstart".to_owned(), json!(1)),
        ("status".to_owned(), json!(if exit.is_some() { "stopped" } else { "running" })),
    ]);
    if let Credential::Token(token) = &credential {
        shown.insert("tokenid".to_owned(), json!(token.name()));
    }
    shown.extend(exit.map(|exit| ("exitstatus".to_owned(), json!(exit))));
    Ok(Value::Object(shown))
}

/// The lines; a line with breaks in it is several (recording `realms-ldap-sync`).
pub fn log(call: &Call<'_>) -> Outcome {
    let Task { log, .. } = find(call)?;
    let lines: Vec<&str> = log.iter().flat_map(|line| line.split('\n')).collect();
    let limit = call.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50);
    let shown = lines.iter().enumerate().take(limit).map(|(index, line)| json!({ "n": index + 1, "t": line }));
    call.total.get_or_init(|| lines.len());
    Ok(shown.collect())
}
