//! The listening side of a simulator: TLS, and a task for each connection.

use std::io::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use super::certificates::Certificates;

/// An address that is taken, where nobody serves yet.
pub struct Bound {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    address: SocketAddr,
}

impl Bound {
    /// Takes an address for these certificates.
    ///
    /// # Errors
    /// When the address is taken already, or the certificate or its key is none.
    pub async fn take(listen: SocketAddr, certificates: &Certificates) -> Result<Self, Error> {
        let acceptor = acceptor(certificates)?;
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, acceptor, address })
    }

    /// The address, with the port that was really taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves there.
    pub fn serve<Serving>(
        self,
        serve: impl Fn(TlsStream<TcpStream>, SocketAddr) -> Serving + Clone + Send + 'static,
    ) -> Listening
    where
        Serving: Future<Output = ()> + Send + 'static,
    {
        let Self { listener, acceptor, address } = self;
        Listening { address, task: tokio::spawn(accept(listener, acceptor, serve)) }
    }
}

/// Who serves at an address; it stops when this is dropped.
pub struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops and waits until the address is free.
    pub async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a certificate.
fn acceptor(certificates: &Certificates) -> Result<TlsAcceptor, Error> {
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
async fn accept<Serving>(
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
