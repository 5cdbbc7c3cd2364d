//! The listening side of a simulator: TLS, and a task for each connection.

use std::io::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use super::certificates::Certificates;

/// Serves a certificate.
///
/// # Errors
/// When the certificate or its key is none.
pub fn acceptor(certificates: &Certificates) -> Result<TlsAcceptor, Error> {
    let wrong = Error::other::<Box<dyn std::error::Error + Send + Sync>>;
    let served = CertificateDer::from_pem_slice(certificates.served.as_bytes()).map_err(|error| wrong(error.into()))?;
    let key = PrivateKeyDer::from_pem_slice(certificates.key.as_bytes()).map_err(|error| wrong(error.into()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![served], key))
        .map_err(|error| wrong(error.into()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes connections, each in a task of its own; they all end with this one.
pub async fn accept<Serving>(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    serve: impl Fn(TlsStream<TcpStream>, SocketAddr) -> Serving + Clone + Send + 'static,
) where
    Serving: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, peer)) = accepted else { continue };
                let (acceptor, serve) = (acceptor.clone(), serve.clone());
                connections.spawn(async move {
                    let _ = stream.set_nodelay(true);
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, peer).await;
                    }
                });
            }
        }
    }
}
