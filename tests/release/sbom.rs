//! The SBOM of the image.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::{done, path};

/// Names and versions of the crates that the program is built from.
fn crates(features: &str) -> BTreeSet<(String, String)> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args([
        "tree",
        "--locked",
        "--offline",
        "--edges=normal,build",
        "--prefix=none",
        "--format={p}",
        "--features",
        features,
    ]);
    let tree = done(tree.current_dir(path("")));
    let package = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    };
    tree.lines().filter_map(package).filter(|(name, _)| name != env!("CARGO_PKG_NAME")).collect()
}

#[test]
fn every_crate_of_the_program_is_in_it_and_none_of_the_simulators() {
    let dir = tempfile::tempdir().expect("a folder");
    let [one, other] = ["one.json", "other.json"].map(|name| {
        let file = dir.path().join(name);
        done(Command::new(path("image/sbom.sh")).arg(&file).env("CARGO", env!("CARGO")));
        std::fs::read_to_string(file).expect("an SBOM")
    });
    assert_eq!(one, other, "it is the same each time");

    let sbom: Value = serde_json::from_str(&one).expect("JSON");
    assert_eq!((sbom["bomFormat"].as_str(), sbom["specVersion"].as_str()), (Some("CycloneDX"), Some("1.5")));
    let subject = &sbom["metadata"]["component"];
    assert_eq!(
        (subject["name"].as_str(), subject["version"].as_str()),
        (Some(env!("CARGO_PKG_NAME")), Some(env!("CARGO_PKG_VERSION")))
    );
    let components = sbom["components"].as_array().expect("components");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed: BTreeSet<_> = components.iter().map(|it| (text(&it["name"]), text(&it["version"]))).collect();
    let (released, with_simulator) = (crates(""), crates("sim"));
    assert!(released.len() > 100);
    let missing: Vec<_> = released.difference(&listed).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let simulators: Vec<_> = with_simulator.difference(&released).collect();
    assert!(!simulators.is_empty());
    for it in simulators {
        assert!(!listed.contains(it), "{it:?} is not in the image");
    }
    for it in components {
        let name = &it["name"];
        assert_eq!(it["purl"], format!("pkg:cargo/{}@{}", text(name), text(&it["version"])));
        assert_eq!(it["hashes"][0]["content"].as_str().expect("a checksum").len(), 64, "{name}");
        assert!(it["licenses"][0]["expression"].is_string(), "{name}");
    }
}
