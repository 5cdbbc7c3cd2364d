//! How a simulator, or somebody with a browser, asks HTTPS servers.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, LazyLock};

use reqwest::redirect::Policy;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The authorities of the system.
static SYSTEM: LazyLock<RootCertStore> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
});

/// A client that trusts the authorities of the system and those in `pem`. It uses no proxy and follows no redirect.
///
/// # Errors
/// When `pem` has no certificate, or one that is no authority's.
pub fn client(pem: Option<&str>) -> Result<reqwest::Client, Error> {
    let mut roots = SYSTEM.clone();
    if let Some(pem) = pem {
        let invalid = |why: String| Error::new(ErrorKind::InvalidInput, format!("the authorities to trust: {why}"));
        let authorities: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let authorities = authorities.map_err(|error| invalid(error.to_string()))?;
        if authorities.is_empty() {
            return Err(invalid("there is no PEM certificate".to_owned()));
        }
        for authority in authorities {
            roots.add(authority).map_err(|error| invalid(error.to_string()))?;
        }
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = reqwest::Client::builder().tls_backend_preconfigured(tls).redirect(Policy::none()).no_proxy();
    builder.build().map_err(Error::other)
}
