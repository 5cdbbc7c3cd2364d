//! An object that is written to, and what is done to it.

use std::fmt;

use kube::Resource;
use kube::core::ObjectMeta;
use kube::discovery::ApiResource;

/// An object to write to: its uid goes along, so that a namesake made since is never touched.
#[derive(Debug, Clone)]
pub struct Target {
    /// How Kubernetes calls its kind.
    pub resource: ApiResource,
    /// Its namespace, where its kind has one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

impl Target {
    /// The target of an object.
    pub fn new(resource: ApiResource, meta: &ObjectMeta) -> Self {
        Self {
            resource,
            namespace: meta.namespace.clone(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
        }
    }

    pub(super) fn does<'a>(&'a self, verb: &'static str) -> Does<'a> {
        Does { verb, kind: &self.resource.kind, name: &self.name }
    }

    /// The target of an object of a kind known here.
    pub fn of<K: Resource<DynamicType = ()>>(object: &K) -> Self {
        Self::new(ApiResource::erase::<K>(&()), object.meta())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, namespace, name, uid: _ } = self;
        match namespace {
            Some(namespace) => write!(f, "{} {namespace}/{name}", resource.kind),
            None => write!(f, "{} {name}", resource.kind),
        }
    }
}

/// What a call does, for those who read the log.
#[derive(Clone, Copy)]
pub(super) struct Does<'a> {
    pub(super) verb: &'static str,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
}

impl fmt::Display for Does<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, kind, name } = self;
        write!(f, "{verb} {kind}/{name}")
    }
}
