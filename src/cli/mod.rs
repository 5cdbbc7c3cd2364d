//! The command line: one file a command.

pub mod crds;

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
    /// Print the CRDs.
    Crds,
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let result = match CommandLine::parse().command {
        Command::Crds => crds::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
