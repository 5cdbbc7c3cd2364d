//! What people and programs leave in Kubernetes, spoilt: manifests of other schemas, Secrets, and lists in ConfigMaps. What
//! comes from servers is spoilt beside the code that reads it.

mod manifests;
#[path = "../support/mutate.rs"]
mod mutate;
mod texts;
