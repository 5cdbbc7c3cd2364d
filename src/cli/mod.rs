//! The command line: one file a command.

#[cfg(feature = "sim")]
mod sim;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "proxmox-identity", version, about)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a simulator of a remote system
    #[cfg(feature = "sim")]
    #[command(subcommand)]
    Sim(sim::Simulate),
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    match CommandLine::parse().command {
        #[cfg(feature = "sim")]
        Command::Sim(simulate) => run(sim::run(simulate)),
    }
}

/// Runs a command that needs the runtime; what went wrong goes to stderr.
#[cfg(feature = "sim")]
fn run(command: impl Future<Output = std::io::Result<()>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
