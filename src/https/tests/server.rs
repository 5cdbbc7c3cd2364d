//! A TLS server on loopback that keeps what it was sent and answers raw texts.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::https::settings::{Fingerprint, TlsSettings};

/// A certificate with its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Identity {
    /// Signed by itself, and without any name if `names` is empty.
    pub(crate) fn self_signed(names: &[&str], expired: bool) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = params(names, expired);
        let certificate = params.self_signed(&key).expect("a certificate").der().clone();
        Self { certificate, key }
    }

    /// Signed by a CA of its own, whose PEM comes with it.
    pub(crate) fn issued(names: &[&str]) -> (Self, String) {
        let mut ca = params(&[], false);
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().expect("a key")).expect("a CA");
        let key = KeyPair::generate().expect("a key");
        let certificate = params(names, false).signed_by(&key, &ca).expect("a certificate").der().clone();
        (Self { certificate, key }, ca.pem())
    }
}

fn params(names: &[&str], expired: bool) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_after = rcgen::date_time_ymd(if expired { 2001 } else { 2100 }, 1, 1);
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Sends this and keeps the connection.
    Raw(String),
    /// Closes the connection without an answer.
    Cut,
    /// Sends this, which is not all, and closes the connection.
    Half(String),
    /// Never answers.
    Hang,
}

/// A request as text: start line, headers, body.
#[derive(Debug, Clone)]
pub(crate) struct Received(pub(crate) String);

impl Received {
    /// Method and path with query.
    pub(crate) fn line(&self) -> &str {
        self.0.lines().next().and_then(|line| line.strip_suffix(" HTTP/1.1")).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

type Answers = dyn Fn(&Received) -> Reply + Send + Sync;

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) fingerprint: Fingerprint,
    received: Arc<Mutex<Vec<Received>>>,
    asked_for: Arc<Mutex<Vec<Option<String>>>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Server {
    /// With a pinned certificate.
    pub(crate) async fn start(answers: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(Identity::self_signed(&[], false), answers).await
    }

    pub(crate) async fn with(identity: Identity, answers: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("an address"));
        let fingerprint = Fingerprint::of(&identity.certificate);
        let received = Arc::new(Mutex::new(Vec::new()));
        let asked_for = Arc::new(Mutex::new(Vec::new()));
        let (kept, names) = (Arc::clone(&received), Arc::clone(&asked_for));
        let acceptor = acceptor(identity);
        let answers: Arc<Answers> = Arc::new(answers);
        let listening = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, answers) = (acceptor.clone(), Arc::clone(&answers));
                let (received, asked_for) = (Arc::clone(&kept), Arc::clone(&names));
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    let name = tls.get_ref().1.server_name().map(str::to_owned);
                    asked_for.lock().expect("no panic").push(name);
                    serve(tls, &received, &answers).await;
                });
            }
        });
        Self { url, fingerprint, received, asked_for, listening }
    }

    /// Refuses new connections.
    pub(crate) async fn stop(&mut self) {
        self.listening.abort();
        assert!((&mut self.listening).await.is_err(), "it was stopped");
    }

    pub(crate) fn pinned(&self) -> TlsSettings {
        TlsSettings { fingerprints: vec![self.fingerprint], ..TlsSettings::default() }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    /// Method and path of each request, in order; of Proxmox VE below `/api2/json`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.received().iter().map(|request| request.line().replace("/api2/json", "")).collect()
    }

    /// The names that clients asked for in accepted handshakes.
    pub(crate) fn asked_for(&self) -> Vec<Option<String>> {
        self.asked_for.lock().expect("no panic").clone()
    }
}

fn acceptor(identity: Identity) -> TlsAcceptor {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate], key)
        .expect("a certificate with its key");
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    received: &Mutex<Vec<Received>>,
    answers: &Arc<Answers>,
) {
    while let Some(request) = read(&mut stream).await {
        received.lock().expect("no panic").push(request.clone());
        let (text, more) = match answers(&request) {
            Reply::Raw(text) => (text, true),
            Reply::Half(text) => (text, false),
            Reply::Cut => return,
            Reply::Hang => return std::future::pending().await,
        };
        if stream.write_all(text.as_bytes()).await.is_err() || stream.flush().await.is_err() || !more {
            return;
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((_, body)) = text.split_once("\r\n\r\n") {
            let request = Received(text.clone());
            let length: usize = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some(request);
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(chunk.get(..count)?),
        }
    }
}

/// An answer with any content type.
pub(crate) fn answer(status: &str, content_type: &str, body: &str) -> Reply {
    let kind = if content_type.is_empty() { String::new() } else { format!("Content-Type: {content_type}\r\n") };
    Reply::Raw(format!("HTTP/1.1 {status}\r\n{kind}Content-Length: {}\r\n\r\n{body}", body.len()))
}

/// An `http` proxy that takes CONNECT and keeps the lines it was sent.
pub(crate) async fn proxy() -> (String, Arc<Mutex<Vec<Received>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let received = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let Some(request) = read(&mut client).await else { return };
                kept.lock().expect("no panic").push(request.clone());
                let target = request.line().strip_prefix("CONNECT ").unwrap_or_default().to_owned();
                let Ok(mut server) = TcpStream::connect(target).await else { return };
                if client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok() {
                    // The end of either side ends the tunnel; there is nobody to tell.
                    tokio::io::copy_bidirectional(&mut client, &mut server).await.ok();
                }
            });
        }
    });
    (address, received)
}
