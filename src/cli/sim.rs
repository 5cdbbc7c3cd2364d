//! `sim`: runs a simulator until it is interrupted.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::sim::pve::{Options, Release, Simulator};

/// Which simulator.
#[derive(Subcommand)]
pub enum Simulate {
    /// Proxmox VE: the identity part of its API on loopback, over HTTPS
    Pve(Pve),
}

/// Options of `sim pve`.
#[derive(Args)]
pub struct Pve {
    /// Where to listen; port 0 takes any
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep the state in this file over restarts
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Secret of root@pam!admin, a lower-case UUID [default: the kept one, or random]
    #[arg(long, value_name = "KEY")]
    root_token: Option<String>,
    /// How long a read takes
    #[arg(long, value_name = "MS", default_value_t = 0)]
    read_latency_ms: u64,
    /// How long a write holds its lock
    #[arg(long, value_name = "MS", default_value_t = 0)]
    write_latency_ms: u64,
    /// Scales every wait: the late 401, the poll of a lock and its giving up
    #[arg(long, value_name = "F", default_value_t = 1.0)]
    time_scale: f64,
    /// Also start a directory of LDAP here, for realms of types ldap and ad; its people are ann and ben of
    /// dc=example,dc=com, and cn=admin,dc=example,dc=com logs in with bind-secret
    #[arg(long, value_name = "ADDR")]
    ldap: Option<SocketAddr>,
    /// Which release to be; 9.1 knows no regenerate of tokens and no audiences of realms
    #[arg(long, value_enum, default_value = "9.2")]
    release: Release,
}

/// Runs a simulator.
///
/// # Errors
/// When it cannot start.
pub async fn run(simulate: Simulate) -> std::io::Result<()> {
    let Simulate::Pve(options) = simulate;
    let simulator = Simulator::start(Options {
        listen: options.listen,
        state: options.state,
        root_token: options.root_token,
        read_latency: Duration::from_millis(options.read_latency_ms),
        write_latency: Duration::from_millis(options.write_latency_ms),
        time_scale: options.time_scale,
        ldap: options.ldap,
        release: options.release,
    })
    .await?;
    let line = json!({
        "url": simulator.url(), "fingerprint": simulator.fingerprint(), "token": simulator.token(),
    });
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}
