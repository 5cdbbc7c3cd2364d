//! The manifests that the demo applies: the CRDs, and the files of examples/pocket-id with their placeholders filled in.

use std::path::Path;
use std::{fs, io};

use kube::ResourceExt;

use crate::api::crd;
use crate::cli::crds::yaml;

/// Where the example is, for the apiserver and for people.
pub const EXAMPLE: &str = "examples/pocket-id";
/// Its Secrets, which people keep elsewhere than in Git.
pub const SECRETS: &str = "examples/pocket-id/secrets";

macro_rules! example {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../examples/pocket-id/", $name)))),*]
    };
}

const FILES: [(&str, &str); 7] = example![
    "connections.yaml",
    "groups.yaml",
    "permissions.yaml",
    "pocket-id.yaml",
    "pool.yaml",
    "realm.yaml",
    "secrets/example.yaml",
];

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

/// The columns that `kubectl get` shows of all kinds, for `-o custom-columns-file`.
pub const COLUMNS: &str = "columns";

const COLUMNS_TEXT: &str = "\
KIND NAME READY REASON CONNECTION
.kind .metadata.name .status.conditions[?(@.type==\"Ready\")].status .status.conditions[?(@.type==\"Ready\")].reason \
                            .spec.connectionRef.name
";

/// What a person would put into the example.
pub struct Values {
    /// Of Proxmox VE.
    pub endpoint: String,
    /// Of its certificate.
    pub fingerprint: String,
    /// As `user@realm!id=uuid`.
    pub token: String,
    /// Of Pocket ID.
    pub url: String,
    /// Of its certificate.
    pub url_fingerprint: String,
    /// Its static API key.
    pub api_key: String,
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
    fs::create_dir_all(dir.join(SECRETS))?;
    for (name, text) in FILES {
        fs::write(dir.join(EXAMPLE).join(name), fill(text, values))?;
    }
    fs::write(dir.join(COLUMNS), COLUMNS_TEXT)?;
    fs::write(dir.join(MISTAKE), MISTAKE_TEXT)
}

/// The placeholders of the example, and what takes their place. The comparison with what stands is made every second, so
/// that nobody has to wait for a minute to see something healed.
fn fill(text: &str, Values { endpoint, fingerprint, token, url, url_fingerprint, api_key }: &Values) -> String {
    let pocket_id = format!("  url: {url}\n  resyncInterval: 1s\n  tls: {{fingerprints: [\"{url_fingerprint}\"]}}\n");
    text.replace("https://pve1.example.com:8006", endpoint)
        .replace(&vec!["00"; 32].join(":"), fingerprint)
        .replace("proxmox-identity@pve!operator=00000000-0000-0000-0000-000000000000", token)
        .replace("spec:\n  endpoints:", "spec:\n  resyncInterval: 1s\n  endpoints:")
        .replace("  url: https://id.example.com\n", &pocket_id)
        .replace("replace-me-with-16-characters-or-more", api_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_manifests_of_the_example_are_embedded() {
        let files = |dir: &str| {
            let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)).expect("the example");
            let paths = entries.map(|entry| entry.expect("an entry").path());
            let files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
            files
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE);
        let name = |path: &std::path::PathBuf| path.strip_prefix(&root).expect("a name").display().to_string();
        let mut names: Vec<String> = files(EXAMPLE).iter().chain(&files(SECRETS)).map(name).collect();
        names.sort();
        assert_eq!(names, FILES.map(|(name, _)| name));
    }

    #[test]
    fn no_placeholder_is_left() {
        let [endpoint, fingerprint, token, url, url_fingerprint, api_key] =
            ["https://E", "F", "T", "https://P", "PF", "K"].map(str::to_owned);
        let values = Values { endpoint, fingerprint, token, url, url_fingerprint, api_key };
        let filled: String = FILES.iter().map(|(_, text)| fill(text, &values)).collect();
        for found in ["- https://E\n", "- F\n", "token: T\n", "url: https://P\n", "[\"PF\"]", "api-key: K\n"] {
            assert!(filled.contains(found), "{found}");
        }
        assert_eq!(filled.matches("  resyncInterval: 1s\n").count(), 2);
        for placeholder in ["example.com", "00:00", "00000000-0000", "replace-me"] {
            assert!(!filled.contains(placeholder), "{placeholder}");
        }
    }
}
