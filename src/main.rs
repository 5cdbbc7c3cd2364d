//! The `proxmox-identity` command: parses the command line and dispatches.

use std::process::ExitCode;

/// With thousands of objects it takes less memory and a third less CPU than that of glibc (docs/performance.md); what it is
/// told at its start stands in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    proxmox_identity::cli::main()
}
