//! `run`: the operator.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::controller;
use crate::controller::leases::Election;

/// Watch the objects and make Proxmox VE and Pocket ID equal to them.
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
    /// Where its Leases are, and the Secrets of each ClusterProxmoxConnection. Without it it is the namespace of the service
    /// account, or of the kubeconfig's context.
    #[arg(long, env = "POD_NAMESPACE")]
    namespace: Option<String>,
    /// How long something may be retried before it counts as Stalled, such as 90s or 10m.
    #[arg(long, env = "PROXMOX_IDENTITY_PROGRESS_DEADLINE", default_value = "10m", value_parser = duration)]
    progress_deadline: Duration,
    /// How often what Kubernetes has told of changes is compared with what stands there, so that a change that it did not
    /// tell of is made up for.
    #[arg(long, env = "PROXMOX_IDENTITY_WATCH_REVIEW", default_value = "10m", value_parser = seconds)]
    watch_review: Duration,
    #[command(flatten)]
    replicas: Replicas,
}

/// How it shares the work with other replicas.
#[derive(Args)]
struct Replicas {
    /// Share the work with other replicas through Leases in the operator's namespace. Without it there must be no other one.
    #[arg(long, env = "PROXMOX_IDENTITY_LEADER_ELECTION")]
    leader_election: bool,
    /// How long a replica may go without renewing its Lease before others take over, in whole seconds such as 30s.
    #[arg(long, env = "PROXMOX_IDENTITY_LEASE_DURATION", default_value = "30s", value_parser = lease_duration)]
    lease_duration: Duration,
    /// The name of the Lease that says who holds what, and the beginning of those of the replicas.
    #[arg(long, env = "PROXMOX_IDENTITY_LEASE_NAME", default_value = "proxmox-identity", value_parser = lease_name)]
    lease_name: String,
    /// Into how many shards connections are divided, each of which one replica works on: 1 to 64.
    #[arg(long, env = "PROXMOX_IDENTITY_SHARDS", default_value_t = 1, value_parser = value_parser!(u8).range(1..=64))]
    shards: u8,
    /// What this replica calls itself in Leases and to Proxmox VE. Without it it is the name of the host.
    #[arg(long, env = "POD_NAME")]
    replica: Option<String>,
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
        let Self { listen, log_format, watch_namespace, namespace, progress_deadline, watch_review, replicas } = self;
        log(log_format);
        let client = kube::Client::try_default().await?;
        let own_namespace = namespace.or_else(|| own_namespace(&client));
        let election = replicas.election(own_namespace.as_deref())?;
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let own_namespace = own_namespace.unwrap_or_else(|| client.default_namespace().to_owned());
        let options = controller::Options {
            listen,
            namespace: watch_namespace,
            progress_deadline,
            watch_review,
            own_namespace,
            election,
        };
        Ok(controller::run(client, options, stop).await?)
    }
}

impl Replicas {
    /// How to share the work, if it is shared.
    fn election(self, namespace: Option<&str>) -> Result<Option<Election>, &'static str> {
        let Self { leader_election, lease_duration: duration, lease_name: name, shards, replica } = self;
        if !leader_election {
            return Ok(None);
        }
        let namespace = namespace.ok_or(
            "--leader-election needs to know the namespace of the operator, where its Leases are: set --namespace or \
             POD_NAMESPACE",
        )?;
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let replica = replica.unwrap_or_else(host);
        Ok(Some(Election { namespace: namespace.to_owned(), name, replica, duration, shards: shards.into() }))
    }
}

/// The namespace that the service account or the kubeconfig says. `default` is what is said where nothing is.
fn own_namespace(client: &kube::Client) -> Option<String> {
    Some(client.default_namespace().to_owned()).filter(|namespace| namespace != "default")
}

/// A Lease lasts whole seconds. What is shorter than two is spent with renewing it.
fn lease_duration(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    let is_whole = duration.subsec_nanos() == 0 && (2..=3600).contains(&duration.as_secs());
    is_whole.then_some(duration).ok_or_else(|| "give whole seconds from 2s to 1h".to_owned())
}

/// The name is a label's value too.
fn lease_name(text: &str) -> Result<String, String> {
    let is_name = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    is_name.then(|| text.to_owned()).ok_or_else(|| "give up to 63 of a-z, 0-9 and '-'".to_owned())
}

/// A second or more: to be asked for all the time is no interval.
fn seconds(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    (duration >= Duration::from_secs(1)).then_some(duration).ok_or_else(|| "give 1s or more".to_owned())
}

/// A duration as in our objects.
///
/// # Errors
/// When it is none, or negative: what is meant.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match text.parse::<kube::core::Duration>() {
        Ok(duration) if !text.is_empty() && !duration.is_negative() => Ok(duration.into()),
        Ok(_) | Err(_) => Err("give a duration such as 90s, 10m or 1h30m".to_owned()),
    }
}

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_span_events(FmtSpan::CLOSE).with_writer(std::io::stderr);
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

    #[test]
    fn a_lease_lasts_whole_seconds_and_has_the_name_of_a_label() {
        assert_eq!(lease_duration("1m30s"), Ok(Duration::from_secs(90)));
        for bad in ["", "1s", "2500ms", "2h", "-30s"] {
            assert!(lease_duration(bad).is_err(), "{bad:?}");
        }
        assert_eq!(lease_name("pve-2"), Ok("pve-2".to_owned()));
        for bad in ["", "-a", "a-", "a.b", "A", &"a".repeat(64)] {
            assert!(lease_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn leader_election_needs_a_namespace() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            replicas: Replicas,
        }
        let line = |arguments: &[&str]| <Line as clap::Parser>::parse_from(arguments).replicas;
        assert!(matches!(line(&["run"]).election(None), Ok(None)));
        let refused = line(&["run", "--leader-election"]).election(None);
        assert!(refused.is_err_and(|why| why.contains("--namespace")));
        let election = line(&["run", "--leader-election", "--shards=3"]).election(Some("ops"));
        let election = election.expect("a namespace").expect("an election");
        assert_eq!((election.shards, election.namespace.as_str()), (3, "ops"));
    }
}
