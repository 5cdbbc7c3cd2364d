//! The command line: one file a command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "proxmox-identity", version, about)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    match CommandLine::parse().command {}
}
