//! `run`: the operator.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::controller;

/// Watch the objects and make Proxmox VE equal to them.
///
/// Reaches Kubernetes by KUBECONFIG, or by its service account in a cluster. What is logged can be chosen with
/// RUST_LOG, for example RUST_LOG=proxmox_identity=debug.
#[derive(Args)]
pub struct Run {
    /// Where /metrics, /healthz and /readyz are served.
    #[arg(long, env = "PROXMOX_IDENTITY_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// How to log: for people or for machines.
    #[arg(long, env = "PROXMOX_IDENTITY_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    log_format: LogFormat,
    /// The only namespace to watch. Without it all namespaces are.
    #[arg(long, env = "PROXMOX_IDENTITY_WATCH_NAMESPACE")]
    watch_namespace: Option<String>,
    /// Where the Secrets of each ClusterProxmoxConnection are. Without it it is the namespace of the service account, or
    /// of the kubeconfig's context.
    #[arg(long, env = "POD_NAMESPACE")]
    namespace: Option<String>,
    /// How long something may be retried before it counts as Stalled, such as 90s or 10m.
    #[arg(long, env = "PROXMOX_IDENTITY_PROGRESS_DEADLINE", default_value = "10m", value_parser = duration)]
    progress_deadline: Duration,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Lines for people.
    Human,
}

impl Run {
    /// Runs until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When Kubernetes cannot be reached as configured, or the address cannot be listened on.
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let Self { listen, log_format, watch_namespace, namespace, progress_deadline } = self;
        log(log_format);
        let client = kube::Client::try_default().await?;
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let options =
            controller::Options { listen, namespace: watch_namespace, progress_deadline, own_namespace: namespace };
        Ok(controller::run(client, options, stop).await?)
    }
}

/// A duration as in our objects.
fn duration(text: &str) -> Result<Duration, String> {
    match text.parse::<kube::core::Duration>() {
        Ok(duration) if !text.is_empty() && !duration.is_negative() => Ok(duration.into()),
        Ok(_) | Err(_) => Err("give a duration such as 90s, 10m or 1h30m".to_owned()),
    }
}

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Human => builder.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_duration_with_a_unit() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        for bad in ["", "600", "-10m", "10 minutes"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }
}
