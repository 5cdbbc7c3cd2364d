//! Health, readiness and metrics over HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::controller::index::Index;
use crate::controller::metrics::Metrics;

/// Listens; the address with the port that was really taken is logged.
///
/// # Errors
/// When the address cannot be listened on.
pub(super) async fn serve(
    listen: SocketAddr,
    index: Arc<Index>,
    metrics: Arc<Metrics>,
    tasks: &mut JoinSet<()>,
) -> std::io::Result<()> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| std::io::Error::new(error.kind(), format!("cannot listen on {listen} (--listen): {error}")))?;
    tracing::info!(address = %listener.local_addr()?, "serving /metrics, /healthz and /readyz");
    tasks.spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let (index, metrics) = (Arc::clone(&index), Arc::clone(&metrics));
            tokio::spawn(async move {
                let answer = service_fn(move |request| {
                    let answer = answer(&index, &metrics, &request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a request for health or metrics broke off");
                }
            });
        }
    });
    Ok(())
}

fn answer(index: &Index, metrics: &Metrics, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/healthz") => (StatusCode::OK, "ok\n".to_owned()),
        (&Method::GET, "/readyz") => match (index.is_ready(), index.not_ready()) {
            (true, None) => (StatusCode::OK, "ok\n".to_owned()),
            (true, Some(absent)) => (StatusCode::OK, format!("ok; {absent}\n")),
            (false, waiting) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", waiting.unwrap_or_default())),
        },
        (&Method::GET, "/metrics") => (StatusCode::OK, metrics.text()),
        _ => (StatusCode::NOT_FOUND, "try /metrics, /healthz or /readyz\n".to_owned()),
    };
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
}
