//! One connection to a proxy, request by request.

use std::convert::Infallible;
use std::io::Error;
use std::sync::Arc;

use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use super::{Asked, Deed, Forged, Shared, lock};

type Body = BoxBody<Bytes, Error>;

/// Answers the requests of a connection. A failure ends it without an answer.
pub(super) async fn serve(shared: Arc<Shared>, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let service = hyper::service::service_fn(move |request| answer(Arc::clone(&shared), request));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
    };
    let body = body.collect().await.map_err(Error::other)?.to_bytes();
    let deed = (lock(&shared.rule))(&asked);
    lock(&shared.seen).push(asked.clone());
    match &deed {
        Deed::Answer(forged) => return Ok(forged.response()),
        Deed::Reset => return Err(Error::other("reset")),
        Deed::Silence => std::future::pending::<()>().await,
        Deed::Late(time) => tokio::time::sleep(*time).await,
        Deed::Pass | Deed::Lost | Deed::Cut | Deed::Instead(_) => {}
    }
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let url = format!("{}{target}", lock(&shared.upstream));
    let mut headers = head.headers;
    for ours in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(ours);
    }
    let sent = shared.http.request(head.method, url).headers(headers).body(body).send();
    let answered = sent.await.map_err(Error::other)?;
    match deed {
        Deed::Pass | Deed::Late(_) if asked.is_watch() && answered.status().is_success() => {
            Ok(watched(shared, asked, answered))
        }
        Deed::Pass | Deed::Late(_) => whole(answered).await,
        Deed::Cut => {
            let (head, body) = whole(answered).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            let half = body.slice(..body.len() / 2);
            let parts = [Ok(Frame::data(half)), Err(Error::other("cut"))];
            let mut response = Response::from_parts(head, StreamBody::new(stream::iter(parts)).boxed());
            response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
            Ok(response)
        }
        Deed::Instead(forged) => Ok(forged.response()),
        Deed::Lost | Deed::Answer(_) | Deed::Reset | Deed::Silence => Err(Error::other("lost")),
    }
}

/// The answer as it came, its reason phrase included.
fn started(answered: &reqwest::Response) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = answered.status();
    *response.headers_mut() = answered.headers().clone();
    for ours in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        response.headers_mut().remove(ours);
    }
    if let Some(reason) = answered.extensions().get::<hyper::ext::ReasonPhrase>() {
        response.extensions_mut().insert(reason.clone());
    }
    response
}

async fn whole(answered: reqwest::Response) -> Result<Response<Body>, Error> {
    let response = started(&answered);
    let body = answered.bytes().await.map_err(Error::other)?;
    Ok(response.map(|()| full(body)))
}

fn full(body: Bytes) -> Body {
    Full::new(body).map_err(|never: Infallible| match never {}).boxed()
}

fn watched(shared: Arc<Shared>, asked: Asked, answered: reqwest::Response) -> Response<Body> {
    let response = started(&answered);
    let (to, events) = mpsc::channel(16);
    tokio::spawn(async move { shared.watching.carry(&asked, answered, &to).await });
    let frames = stream::unfold(events, async |mut events| Some((events.recv().await?.map(Frame::data), events)));
    response.map(|()| BodyExt::boxed(StreamBody::new(frames)))
}

impl Forged {
    fn response(&self) -> Response<Body> {
        let mut response = Response::new(full(self.body.clone().into()));
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status");
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(value).expect("a value");
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
        response
    }
}
