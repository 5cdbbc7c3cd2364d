//! The command line: one file a command.

pub mod crds;
#[cfg(feature = "sim")]
mod demo;
pub mod ready;
pub mod run;
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
    Run(run::Run),
    /// Print the CRDs.
    Crds,
    Ready(ready::Ready),
    #[cfg(feature = "sim")]
    Demo(demo::Demo),
    /// Run a simulator of a remote system.
    #[cfg(feature = "sim")]
    #[command(subcommand)]
    Sim(sim::Simulate),
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let result: Result<(), Box<dyn std::error::Error>> = match CommandLine::parse().command {
        Command::Run(run) => on_runtime(run.run()),
        Command::Crds => crds::run().map_err(Into::into),
        Command::Ready(ready) => on_runtime(ready.run()),
        #[cfg(feature = "sim")]
        Command::Demo(demo) => on_runtime(demo.run()),
        #[cfg(feature = "sim")]
        Command::Sim(simulate) => on_runtime(sim::run(simulate)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command that needs the runtime.
fn on_runtime<E>(command: impl Future<Output = Result<(), E>>) -> Result<(), Box<dyn std::error::Error>>
where
    E: Into<Box<dyn std::error::Error>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(command).map_err(Into::into)
}
