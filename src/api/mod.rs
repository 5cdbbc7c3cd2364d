//! The Kubernetes kinds.
