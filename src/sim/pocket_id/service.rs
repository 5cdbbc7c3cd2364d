//! One request from its first byte to its answer: faults, the route, the rate limit, the login, the call.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Instant;

use http_body_util::Full;
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::answer::{Answer, HTML};
use super::auth::{self, Access, Caller};
use super::call::Call;
use super::failure::Failure;
use super::faults::{Fault, FaultName};
use super::http::Request;
use super::routes::{self, Found, Handler, Route};
use super::server::Server;
use crate::sim::lock::lock;
use crate::sim::{ANY_REQUEST, Write, faults};

/// Why a request gets no answer of Pocket ID.
enum Stop {
    Failure(Failure),
    /// A fault: what a proxy in between would say.
    Proxy(u16),
    /// A fault: the connection ends without an answer.
    Cut,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// What the journal says of a request.
#[derive(Default)]
struct Noted {
    path: String,
    credential: String,
}

/// Answers a request; an error cuts the connection.
pub async fn serve(
    server: &Server,
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
    let request = Request::read(request, peer).await?;
    if request.path.starts_with("/sim/") {
        return Ok(control(server, &request).into());
    }
    let mut noted = Noted { path: request.path.clone(), ..Noted::default() };
    let answer = match answer(server, &request, &mut noted).await {
        Ok(answer) => Some(answer),
        Err(Stop::Failure(failure)) => Some(failure.answer(server.options.release)),
        Err(Stop::Proxy(status)) => Some(Answer::content(status, "text/html", faults::proxy_page(status).into_bytes())),
        Err(Stop::Cut) => None,
    };
    let Noted { path, credential } = noted;
    let (status, bytes) = answer.as_ref().map_or((0, 0), |answer| (answer.status, answer.body.len()));
    let (form, agent) = (form(&request), request.header("user-agent").to_owned());
    let at_us = server.controls.age_us();
    let write = Write { method: request.method, path, form, credential, agent, status, at_us };
    server.controls.record(write, bytes);
    answer.map(Response::from).ok_or_else(|| "a fault cuts the connection".into())
}

/// Answers a call below `/sim/`.
fn control(server: &Server, request: &Request) -> Answer {
    let outcome = match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/sim/reset") => {
            server.reset();
            Ok(Value::Null)
        }
        (method, path) => server.controls.answer(method, path, &request.body),
    };
    outcome.map_or_else(|error| Answer::json(400, &json!({ "error": error })), |value| Answer::ok(&value))
}

async fn answer(server: &Server, request: &Request, noted: &mut Noted) -> Result<Answer, Stop> {
    let fault = server.controls.strike(ANY_REQUEST);
    before(fault.as_ref())?;
    let answer = match routes::find(&request.method, &request.path, server.options.release) {
        Found::Route(route, parameters) => {
            noted.path = route.noted_path(&request.path);
            routed(server, request, route, parameters, noted).await
        }
        Found::WithoutSlash(path) => {
            let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
            Ok(Answer::without_slash(&request.method, &format!("{path}{query}")))
        }
        Found::Nothing if request.path.starts_with("/api/") || request.path.starts_with("/.well-known/") => {
            Err(Failure::no_endpoint().into())
        }
        // Every other path is the web interface.
        Found::Nothing => Ok(Answer::content(200, HTML, b"<!doctype html><title>Pocket ID</title>\n".to_vec())),
    };
    after(fault.as_ref()).await?;
    answer
}

async fn routed(
    server: &Server,
    request: &Request,
    route: &Route,
    parameters: Vec<String>,
    noted: &mut Noted,
) -> Result<Answer, Stop> {
    if route.is_limited() {
        limit(server, request)?;
    }
    let caller = identify(server, request, route.access)?;
    noted.credential = caller.as_ref().map(|caller| caller.username.clone()).unwrap_or_default();
    let call = Call::new(server, request, parameters, caller);
    match route.handler {
        Handler::Show(show) => {
            sleep(server.options.read_latency).await;
            Ok(show(&call, &lock(&server.state.tables)))
        }
        Handler::Read(read) => {
            sleep(server.options.read_latency).await;
            Ok(read(&call, &lock(&server.state.tables))?)
        }
        Handler::Write(file, write) => {
            let _turn = server.writer.lock().await;
            sleep(server.options.write_latency).await;
            let (answer, fault) = {
                let mut tables = lock(&server.state.tables);
                let mut changed = tables.clone();
                let answer = write(&call, &mut changed)?;
                let fault = server.controls.strike(file);
                before(fault.as_ref())?;
                *tables = changed;
                server.state.keep(&tables).map_err(|_| Failure::broken())?;
                (answer, fault)
            };
            after(fault.as_ref()).await?;
            Ok(answer)
        }
    }
}

fn identify(server: &Server, request: &Request, access: Access) -> Result<Option<Caller>, Failure> {
    if access == Access::Public {
        return Ok(None);
    }
    let mut tables = lock(&server.state.tables);
    let users = tables.users.len();
    let caller = auth::identify(server, request, access, &mut tables)?;
    // The first use of the static key makes its user.
    if tables.users.len() > users {
        server.state.keep(&tables).map_err(|_| Failure::broken())?;
    }
    Ok(Some(caller))
}

/// Lets a fault strike before anything happens.
fn before(fault: Option<&Fault>) -> Result<(), Stop> {
    match fault {
        Some(fault) if fault.name == FaultName::Status => Err(Stop::Proxy(fault.status)),
        Some(fault) if fault.name == FaultName::Cut && fault.before => Err(Stop::Cut),
        _ => Ok(()),
    }
}

/// Lets a fault strike after it has happened.
async fn after(fault: Option<&Fault>) -> Result<(), Stop> {
    match fault {
        Some(fault) if fault.name == FaultName::Delay => sleep(fault.delay()).await,
        Some(fault) if fault.name == FaultName::Cut => return Err(Stop::Cut),
        _ => {}
    }
    Ok(())
}

fn limit(server: &Server, request: &Request) -> Result<(), Failure> {
    let mut limit = server.options.release.limit();
    let address = request.client_address();
    if address.is_loopback() && !limit.loopback && !server.options.limit_loopback {
        return Ok(());
    }
    limit.every = limit.every.mul_f64(server.options.time_scale.max(0.0));
    let taken = lock(&server.limits).take(address, limit, Instant::now());
    taken.map_err(|wait| Failure::too_many_requests(limit.says_when.then_some(wait)))
}

/// The fields of a body, for the journal.
fn form(request: &Request) -> BTreeMap<String, String> {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(fields)) => fields.into_iter().map(|(name, value)| (name, text(value))).collect(),
        _ if request.header("content-type").starts_with("application/x-www-form-urlencoded") => {
            url::form_urlencoded::parse(&request.body).into_owned().collect()
        }
        _ => BTreeMap::new(),
    }
}
