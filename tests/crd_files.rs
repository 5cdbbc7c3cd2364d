//! The files in crds/, and the chart's copies of them, are what the types say.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::ResourceExt;
use proxmox_identity::api::crd;
use proxmox_identity::cli::crds::yaml;

fn expected() -> BTreeMap<String, String> {
    crd::all().iter().map(|crd| (format!("{}.yaml", crd.name_any()), yaml(crd).expect("a CRD is YAML"))).collect()
}

/// Where the CRDs are for kubectl, with what `kubectl apply -k` reads.
const FOLDER: &str = "crds";

/// Where they are for the chart, which is packed without what lies outside of it.
const FOLDER_OF_CHART: &str = "charts/proxmox-identity/files/crds";

/// The files of a folder with their contents.
fn files(folder: &str) -> BTreeMap<String, String> {
    let mut files = expected();
    if folder == FOLDER {
        let head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n";
        let all = files.keys().fold(head.to_owned(), |text, name| format!("{text}  - {name}\n"));
        files.insert("kustomization.yaml".to_owned(), all);
    }
    files
}

#[test]
fn the_files_are_what_make_crds_writes() {
    for folder in [FOLDER, FOLDER_OF_CHART] {
        let expected = files(folder);
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        if env::var_os("UPDATE_CRDS").is_some() {
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir_all(&dir).expect("the folder can be made");
            for (name, yaml) in &expected {
                fs::write(dir.join(name), yaml).expect("a file can be written");
            }
        }
        let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{folder}: {error}; run `make crds`"));
        let found: BTreeMap<_, _> = entries
            .map(|entry| {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                (name, fs::read_to_string(path).expect("a text file"))
            })
            .collect();
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "run `make crds`");
        for (name, yaml) in &expected {
            assert!(found[name] == *yaml, "{folder}/{name} is not what the types say: run `make crds`");
        }
    }
}

#[test]
fn the_yaml_says_what_the_crd_says() {
    for crd in crd::all() {
        let read: CustomResourceDefinition = serde_saphyr::from_str(&yaml(&crd).expect("YAML")).expect("a CRD");
        assert_eq!(read, crd, "{}", crd.name_any());
    }
}

#[test]
fn the_kinds_are_of_our_group_and_version() {
    for crd in crd::all() {
        assert_eq!(crd.spec.group, proxmox_identity::api::GROUP);
        assert_eq!(crd.spec.versions[0].name, proxmox_identity::api::VERSION);
    }
}
