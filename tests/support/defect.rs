//! What no log of the operator may have in it.

/// Whether a line tells of a defect: a panic, or what the operator itself calls an error.
pub fn is_told_in(line: &str) -> bool {
    line.contains("panicked at") || (line.contains("\"level\":\"ERROR\"") && line.contains("proxmox_identity"))
}
