//! `crds`: prints the CRDs.

use std::io::{self, Write};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use crate::api::crd;

/// Prints all CRDs as YAML documents.
///
/// # Errors
/// When standard output cannot be written. A reader that has seen enough is none.
pub fn run() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for crd in crd::all() {
        match writeln!(out, "---\n{}", yaml(&crd)?.trim_end()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
    Ok(())
}

/// One CRD as YAML.
///
/// # Errors
/// None in practice: a CRD is plain JSON.
pub fn yaml(crd: &CustomResourceDefinition) -> io::Result<String> {
    serde_saphyr::to_string(crd).map_err(io::Error::other)
}
