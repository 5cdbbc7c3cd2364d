//! One request from its first byte to its answer, with the checks in PVE's order (FACTS 8): login, path and
//! method, conflict of path and body, permission, parameters, the call.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::answer::{Answer, Failure, Format};
use super::auth;
use super::calls::{self, Call};
use super::control;
use super::faults::FaultName;
use super::guard::Caller;
use super::http::Request;
use super::methods::{self, Method, PathParameters, Rule};
use super::parameters::{Raw, RawParameters, decode_form, decode_json, verify};
use super::server::Server;
use crate::core::snapshot::Credential;
use crate::sim::clock::now;
use crate::sim::{ANY_REQUEST, Write};

/// Every 401 is that late.
const LATE: Duration = Duration::from_secs(3);

/// What is known of a request on its way, for the answer and the journal.
struct Progress {
    format: Format,
    protected: bool,
    path: String,
    form: RawParameters,
    credential: Option<Credential>,
    total: Option<usize>,
}

/// Answers a request; `None` cuts the connection.
pub async fn answer(server: &Arc<Server>, request: &Request) -> Option<Answer> {
    let target = request.target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path.starts_with("/sim/") {
        return Some(control::answer(server, &request.method, path, &request.body).await);
    }
    let fault = server.controls.strike(ANY_REQUEST);
    let mut progress = Progress {
        format: Format::Json,
        protected: false,
        path: String::new(),
        form: RawParameters::new(),
        credential: None,
        total: None,
    };
    let cut = fault.as_ref().is_some_and(|fault| fault.name == FaultName::Cut);
    let outcome = match fault {
        Some(fault) if fault.name == FaultName::Status => Err(Failure::Proxy(fault.status)),
        Some(fault) if fault.name == FaultName::Cut && fault.before => Err(Failure::Cut),
        fault => {
            if let Some(fault) = fault.filter(|fault| fault.name == FaultName::Delay) {
                sleep(fault.delay()).await;
            }
            outcome(server, request, path, query, &mut progress).await
        }
    };
    let outcome = if cut { Err(Failure::Cut) } else { outcome };
    let (format, protected) = (progress.format, progress.protected);
    let mut answer = Answer::new(outcome, progress.total, format, protected);
    let (status, bytes) = answer.as_ref().map_or((0, 0), |answer| (answer.status, answer.body.len()));
    record(server, request, progress, (status, bytes));
    if let Some(answer) = answer.as_mut().filter(|answer| answer.status == 401) {
        server.wait(LATE).await;
        answer.protected = false;
    }
    answer
}

fn record(server: &Server, request: &Request, progress: Progress, (status, bytes): (u16, usize)) {
    let text = |value: Raw| match value {
        Raw::Text(text) => text,
        Raw::Flag(flag) => u8::from(flag).to_string(),
        Raw::List(items) => items.join(","),
        Raw::Object => String::new(),
    };
    let write = Write {
        method: request.method.clone(),
        path: progress.path,
        form: progress.form.into_iter().map(|(name, value)| (name, text(value))).collect(),
        credential: match progress.credential {
            Some(Credential::User(user)) => user.to_string(),
            Some(Credential::Token(token)) => token.to_string(),
            None => String::new(),
        },
        agent: request.header("user-agent").unwrap_or_default().to_owned(),
        status,
        at_us: server.controls.age_us(),
    };
    server.controls.record(write, bytes);
}

async fn outcome(
    server: &Arc<Server>,
    request: &Request,
    path: &str,
    query: &str,
    progress: &mut Progress,
) -> Result<Value, Failure> {
    if !matches!(request.method.as_str(), "GET" | "POST" | "PUT" | "DELETE") {
        let reason = format!("method '{}' not available", request.method);
        return Err(Failure::Plain { status: 501, reason, body: String::new() });
    }
    (progress.format, progress.path) = locate(path)?;
    let found = methods::find(&request.method, &progress.path);
    let credential = login(server, request, found.as_ref(), &progress.path)?;
    progress.credential.clone_from(&credential);
    progress.form = parameters(request, query)?;

    let Some((method, in_path)) = found else {
        let message = format!("Method '{} {}' not implemented", request.method, progress.path);
        return Err(Failure::status(501, message));
    };
    progress.protected = method.protected;
    if !method.allowtoken && auth::brings_token(request) {
        let uri = &progress.path;
        return Err(Failure::forbidden(&format!("URI '{uri}' not available with API token, need proper ticket.\n")));
    }
    let mut given = progress.form.clone();
    merge(&mut given, in_path)?;
    let files = server.state.files();
    let caller = credential.map(|credential| Caller::new(credential, &files, now()));
    if let Some(caller) = &caller {
        caller.check(&method.rule, &given)?;
    }
    let parameters = verify(method, &given, server.options.release.lacks())?;
    if method.verb == "GET" {
        sleep(server.options.read_latency).await;
    }
    let (caller, parameters) = (caller.as_ref(), &parameters);
    let call = Call { server, files: &files, caller, parameters, total: OnceLock::new() };
    let outcome = calls::dispatch(method, &call).await;
    progress.total = call.total.into_inner();
    outcome
}

/// The format and the path below it; `%2F` is undone before the path is split (FACTS 12).
fn locate(path: &str) -> Result<(Format, String), Failure> {
    let bytes: Vec<u8> = path.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let decoded: String = percent_encoding::percent_decode(&bytes).map(char::from).collect();
    // Perl's `$` again: a newline at the end is not seen (recording `newline-ids`).
    let decoded = super::formats::chomp(&decoded);
    let Some(rest) = decoded.strip_prefix("/api2") else {
        let text = format!("no such file '{decoded}'");
        return Err(Failure::Plain { status: 500, reason: text.clone(), body: format!("{text}\n") });
    };
    let rest = rest.trim_start_matches('/');
    let (name, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase()) {
        return Err(Failure::plain(501, "no such uri"));
    }
    let path = format!("/{}", path.trim_start_matches('/'));
    match name {
        "json" => Ok((Format::Json, path)),
        "extjs" => Ok((Format::ExtJs, path)),
        _ => Err(Failure::plain(501, &format!("no formatter for uri {path}, {name}"))),
    }
}

/// Who is calling; a few calls need no login, and only by their exact path (recording `auth-none`).
fn login(
    server: &Server,
    request: &Request,
    found: Option<&(&'static Method, PathParameters)>,
    path: &str,
) -> Result<Option<Credential>, Failure> {
    let open = found.is_some_and(|(method, _)| matches!(method.rule, Rule::World)) && !path.ends_with('/');
    if open { Ok(None) } else { auth::identify(&server.state, request).map(Some) }
}

fn parameters(request: &Request, query: &str) -> Result<RawParameters, Failure> {
    if request.header("transfer-encoding").is_some() {
        return Err(Failure::plain(501, "chunked transfer encoding not supported"));
    }
    if request.too_large {
        return Err(Failure::plain(501, "for data too large"));
    }
    let query: Vec<u8> = query.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let mut parameters = body_parameters(request)?;
    // The query wins (recording `http-bodies`).
    parameters.extend(decode_form(&query));
    Ok(parameters)
}

fn body_parameters(request: &Request) -> Result<RawParameters, Failure> {
    if matches!(request.method.as_str(), "GET" | "DELETE") {
        if request.body.is_empty() {
            return Ok(RawParameters::new());
        }
        return Err(Failure::plain(501, &format!("Unexpected content for method '{}'", request.method)));
    }
    let content_type = request.header("content-type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    match kind {
        "application/json" => decode_json(&request.body),
        "" | "application/x-www-form-urlencoded" => Ok(decode_form(&request.body)),
        _ => Err(Failure::plain(506, &format!("upload 'Content-Type '{content_type}' not implemented"))),
    }
}

/// Adds what stands in the path; a body that says otherwise is refused.
fn merge(given: &mut RawParameters, in_path: PathParameters) -> Result<(), Failure> {
    let mut errors = BTreeMap::new();
    for (name, value) in in_path {
        let value = Raw::Text(value);
        if given.get(&name).is_some_and(|other| *other != value) {
            let conflict = "duplicate parameter (already defined in URI) with conflicting values!";
            errors.insert(name.clone(), conflict.to_owned());
        }
        given.insert(name, value);
    }
    if errors.is_empty() { Ok(()) } else { Err(Failure::parameters(errors)) }
}
