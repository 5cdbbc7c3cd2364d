//! A server, and how it is reached.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::ServerName;
use url::Url;

use crate::https::message::root_cause;
use crate::https::observer::CallObserver;
use crate::https::settings::{SettingsError, TlsSettings, shown};
use crate::https::tls::{self, Seen};

/// Proxmox VE closes an idle connection after 5 s; a write must not meet that moment, or its answer counts as lost.
const IDLE: Duration = Duration::from_secs(4);
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How one server is reached.
pub(crate) struct Way<'a> {
    /// What it is called.
    pub(crate) system: &'static str,
    /// Its bare `https` URL.
    pub(crate) url: &'a Url,
    /// How it proves who it is.
    pub(crate) tls: &'a TlsSettings,
    /// An `http` proxy that takes CONNECT. The environment is never asked.
    pub(crate) proxy: Option<&'a Url>,
    /// How long one request may take, its answer included.
    pub(crate) request_timeout: Duration,
    /// Which of several replicas asks, for the server's access log.
    pub(crate) replica: Option<&'a str>,
}

/// One server.
pub(crate) struct Endpoint {
    pub(super) system: &'static str,
    pub(super) http: reqwest::Client,
    /// What requests go to; its host is the name to ask for in the handshake.
    pub(super) base: Url,
    /// Scheme, host and port as configured, for people.
    pub(super) shown: String,
    seen: Arc<Seen>,
    /// How long a request may take.
    pub(super) timeout: Duration,
    pub(super) observer: Arc<dyn CallObserver>,
}

impl Endpoint {
    pub(crate) fn new(way: &Way<'_>, observer: Arc<dyn CallObserver>) -> Result<Self, SettingsError> {
        let Way { system, url, tls, proxy, request_timeout, replica } = *way;
        let seen = Arc::new(Seen::default());
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(tls, Arc::clone(&seen))?)
            .https_only(true)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(request_timeout)
            .connect_timeout(CONNECT.min(request_timeout))
            .pool_idle_timeout(IDLE)
            .user_agent(user_agent(replica))
            .no_proxy();
        let mut base = url.clone();
        if let Some(proxy) = proxy {
            builder = builder.proxy(reqwest::Proxy::https(proxy.clone()).map_err(|_| SettingsError::Proxy)?);
        } else if let Some(ServerName::DnsName(name)) = tls::server_name(tls)? {
            // The HTTP client asks for the host of the URL, so that is the name, and it leads to the endpoint.
            let to = Redirected { host: url.host_str().unwrap_or_default().to_owned() };
            builder = builder.dns_resolver(to);
            base.set_host(Some(name.as_ref())).map_err(|_| SettingsError::ServerName(name.as_ref().to_owned()))?;
        }
        let http = builder.build().map_err(|error| SettingsError::Client(root_cause(&error)))?;
        Ok(Self { system, http, base, shown: shown(url), seen, timeout: request_timeout, observer })
    }

    /// Scheme, host and port as configured.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// What the server presented last.
    pub(crate) fn certificate(&self) -> Option<tls::Certificate> {
        self.seen.certificate()
    }
}

/// Who asks, for the server's access log.
fn user_agent(replica: Option<&str>) -> String {
    let agent = concat!("proxmox-identity/", env!("CARGO_PKG_VERSION"));
    replica.map_or_else(|| agent.to_owned(), |replica| format!("{agent} ({replica})"))
}

/// Leads every name to one host.
struct Redirected {
    host: String,
}

impl Resolve for Redirected {
    fn resolve(&self, _name: Name) -> Resolving {
        // An IPv6 address stands in brackets in a URL, and only there.
        let host = self.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
