//! `ready`: asks a running operator whether it is ready.

use std::time::{Duration, Instant};

use clap::Args;
use url::Url;

use crate::cli::run::duration;
use crate::https::message::root_cause;

/// How often it is asked.
const INTERVAL: Duration = Duration::from_secs(1);

/// Ask a running operator whether it is ready, and wait until it is.
///
/// Prints what it says at /readyz. It is ready when it has read all objects once; kinds whose CRDs are missing are
/// named, and are an error here.
#[derive(Args)]
pub struct Ready {
    /// Where the operator serves health and metrics.
    #[arg(long, env = "PROXMOX_IDENTITY_URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// How long to wait, such as 30s or 2m.
    #[arg(long, default_value = "1m", value_parser = duration)]
    timeout: Duration,
}

/// Why the operator is not ready.
#[derive(Debug, thiserror::Error)]
pub enum ReadyError {
    /// The URL is one that nothing can be asked at.
    #[error("{0} is not the URL of an operator, such as http://127.0.0.1:8080")]
    Url(Url),
    /// The client could not be made, or nobody answers.
    #[error("nobody answers: {}", root_cause(.0))]
    NoAnswer(#[from] reqwest::Error),
    /// It answers, and is not ready.
    #[error("it is not ready: {0}")]
    NotReady(String),
}

impl Ready {
    /// Asks until the answer is yes or the time is up.
    ///
    /// # Errors
    /// When it is not ready in time; the last answer is the error.
    pub async fn run(self) -> Result<(), ReadyError> {
        let Self { url, timeout } = self;
        let asked = url.join("/readyz").map_err(|_| ReadyError::Url(url))?;
        // The client insists on a provider, also where nothing is encrypted; one that is there already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(timeout.max(INTERVAL)).build()?;
        let begun = Instant::now();
        loop {
            match ask(&client, &asked).await {
                Ok(said) => {
                    println!("{said}");
                    return Ok(());
                }
                Err(error) if begun.elapsed() + INTERVAL > timeout => return Err(error),
                Err(_) => tokio::time::sleep(INTERVAL).await,
            }
        }
    }
}

async fn ask(client: &reqwest::Client, url: &Url) -> Result<String, ReadyError> {
    let answer = client.get(url.clone()).send().await?;
    let status = answer.status();
    let said = answer.text().await?.trim().to_owned();
    // What follows "ok" are kinds that the apiserver does not know.
    if status.is_success() && said == "ok" { Ok(said) } else { Err(ReadyError::NotReady(said)) }
}
