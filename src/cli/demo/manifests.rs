//! The manifests that the demo applies: the CRDs, and the files of examples/pocket-id with their placeholders filled in.

use std::path::Path;
use std::{fs, io};

use kube::ResourceExt;

use crate::api::crd;
use crate::cli::crds::yaml;

/// Where the example is, for the apiserver and for people.
pub const EXAMPLE: &str = "examples/pocket-id";

macro_rules! example {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../examples/pocket-id/", $name)))),*]
    };
}

const FILES: [(&str, &str); 6] =
    example!["connection.yaml", "groups.yaml", "permissions.yaml", "pool.yaml", "realm.yaml", "secret.example.yaml",];

/// A mistake that would lock the operator out.
pub const MISTAKE: &str = "mistake.yaml";

const MISTAKE_TEXT: &str = "\
apiVersion: proxmox-identity.dev/v1alpha1
kind: ProxmoxAcl
metadata:
  name: mistake
spec:
  connectionRef: {name: proxmox}
  path: /access
  roles: [{role: NoAccess}]
  subjects: [{user: proxmox-identity@pve}]
";

/// What a person would put into the example.
pub struct Values {
    /// Of Proxmox VE.
    pub endpoint: String,
    /// Of its certificate.
    pub fingerprint: String,
    /// As `user@realm!id=uuid`.
    pub token: String,
}

/// Writes `crds/` and the example into a directory.
///
/// # Errors
/// When a file cannot be written.
pub fn write(dir: &Path, values: &Values) -> io::Result<()> {
    fs::create_dir_all(dir.join("crds"))?;
    for crd in crd::all() {
        fs::write(dir.join("crds").join(format!("{}.yaml", crd.name_any())), yaml(&crd)?)?;
    }
    fs::create_dir_all(dir.join(EXAMPLE))?;
    for (name, text) in FILES {
        fs::write(dir.join(EXAMPLE).join(name), fill(text, values))?;
    }
    fs::write(dir.join(MISTAKE), MISTAKE_TEXT)
}

/// The placeholders of the example, and what takes their place. The comparison with Proxmox VE is made every second,
/// so that nobody has to wait for a minute to see something healed.
fn fill(text: &str, Values { endpoint, fingerprint, token }: &Values) -> String {
    text.replace("https://pve1.example.com:8006", endpoint)
        .replace(&vec!["00"; 32].join(":"), fingerprint)
        .replace("proxmox-identity@pve!operator=00000000-0000-0000-0000-000000000000", token)
        .replace("client-id: 00000000-0000-0000-0000-000000000000", "client-id: 7d9f9c52-6a05-4c0e-9a5b-3d1f0c6c2b11")
        .replace("client-secret: replace-me", "client-secret: made-up-by-the-demo")
        .replace("spec:\n  endpoints:", "spec:\n  resyncInterval: 1s\n  endpoints:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_manifests_of_the_example_are_embedded() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE);
        let mut names: Vec<String> = fs::read_dir(dir)
            .expect("the example")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "README.md")
            .collect();
        names.sort();
        assert_eq!(names, FILES.map(|(name, _)| name));
    }

    #[test]
    fn no_placeholder_is_left() {
        let values = Values { endpoint: "https://E".into(), fingerprint: "F".into(), token: "T".into() };
        let filled: String = FILES.iter().map(|(_, text)| fill(text, &values)).collect();
        for found in ["- https://E\n", "- F\n", "token: T\n", "  resyncInterval: 1s\n", "made-up-by-the-demo"] {
            assert!(filled.contains(found), "{found}");
        }
        for placeholder in ["pve1.example.com:8006\n", "00:00", "00000000-0000", "replace-me"] {
            assert!(!filled.contains(placeholder), "{placeholder}");
        }
    }
}
