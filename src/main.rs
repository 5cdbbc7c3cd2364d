//! The `proxmox-identity` command: parses the command line and dispatches.

use std::process::ExitCode;

fn main() -> ExitCode {
    proxmox_identity::cli::main()
}
