//! Paths that Proxmox VE has permissions on. A check on another one would pass or fail for no reason: whatever is
//! granted on `/` seems to be held there.

use crate::core::ids::AclPath;

/// Whether a path is of a shape that Proxmox VE knows (recordings `acl-paths-valid`, `acl-paths-invalid`). What lies below
/// networks and mapped devices differs from version to version, and is not judged.
pub(super) fn is_known(path: &AclPath) -> bool {
    let parts: Vec<&str> = path.as_str().split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        []
        | ["access" | "nodes" | "pool" | "storage" | "vms"]
        | ["access", "groups" | "realm"]
        | ["access", "groups" | "realm", _]
        | ["nodes" | "storage" | "pool", _]
        | ["pool", _, _]
        | ["pool", _, _, _]
        | ["mapping" | "sdn", ..] => true,
        ["vms", guest] => {
            guest.len() >= 3 && !guest.starts_with('0') && guest.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proxmox_ve_refuses_as_a_path_is_not_known() {
        for path in [
            "/",
            "/access",
            "/access/groups",
            "/access/groups/g1",
            "/access/realm/pve",
            "/nodes/pve1",
            "/pool/a/b/c",
            "/sdn/zones/z1/vnet0/100",
            "/storage/local",
            "/vms/100",
            "/vms/99999999999",
            "/mapping/pci/dev1",
        ] {
            assert!(is_known(&AclPath::observed(path)), "{path}");
        }
        for path in [
            "/foo",
            "/access/users",
            "/access/groups/a/b",
            "/access/domains/pve",
            "/node",
            "/nodes/a/b",
            "/pools/p1",
            "/pool/a/b/c/d",
            "/storage/a/b",
            "/vms/99",
            "/vms/0100",
            "/vms/abc",
            "/vms/100/x",
            "/cluster",
        ] {
            assert!(!is_known(&AclPath::observed(path)), "{path}");
        }
    }
}
