//! An object as it was watched: read once, and shared with whoever looks at it.

use std::borrow::Cow;
use std::sync::Arc;

use kube::Resource;
use kube::core::{DeserializeGuard, ObjectMeta};
use kube::runtime::reflector::Lookup;
use kube::runtime::watcher::Event;

use crate::core::object::ObjectKey;

/// An object, or what is known of one that cannot be read.
#[derive(Debug)]
pub(super) enum Watched<K> {
    Readable(Arc<K>),
    Unreadable(Arc<ObjectMeta>),
}

// Derived it would ask that objects themselves can be copied.
impl<K> Clone for Watched<K> {
    fn clone(&self) -> Self {
        match self {
            Self::Readable(object) => Self::Readable(Arc::clone(object)),
            Self::Unreadable(meta) => Self::Unreadable(Arc::clone(meta)),
        }
    }
}

impl<K> From<DeserializeGuard<K>> for Watched<K> {
    fn from(DeserializeGuard(read): DeserializeGuard<K>) -> Self {
        match read {
            Ok(object) => Self::Readable(Arc::new(object)),
            Err(invalid) => Self::Unreadable(Arc::new(invalid.metadata)),
        }
    }
}

impl<K> Watched<K> {
    /// The object, if it can be read.
    pub(super) fn readable(&self) -> Option<&Arc<K>> {
        match self {
            Self::Readable(object) => Some(object),
            Self::Unreadable(_) => None,
        }
    }
}

impl<K: Resource> Watched<K> {
    pub(super) fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Readable(object) => object.meta(),
            Self::Unreadable(meta) => meta,
        }
    }

    /// What it is called, as an object of a kind.
    pub(super) fn key(&self, kind: &'static str) -> ObjectKey {
        let ObjectMeta { namespace, name, .. } = self.meta();
        ObjectKey { kind, namespace: namespace.clone().unwrap_or_default(), name: name.clone().unwrap_or_default() }
    }
}

impl<K: Resource<DynamicType = ()>> Lookup for Watched<K> {
    type DynamicType = ();

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn name(&self) -> Option<Cow<'_, str>> {
        self.meta().name.as_deref().map(Cow::Borrowed)
    }

    fn namespace(&self) -> Option<Cow<'_, str>> {
        self.meta().namespace.as_deref().map(Cow::Borrowed)
    }

    fn resource_version(&self) -> Option<Cow<'_, str>> {
        self.meta().resource_version.as_deref().map(Cow::Borrowed)
    }

    fn uid(&self) -> Option<Cow<'_, str>> {
        self.meta().uid.as_deref().map(Cow::Borrowed)
    }
}

/// The same event of an object that can be shared.
pub(super) fn shared<K>(event: Event<DeserializeGuard<K>>) -> Event<Watched<K>> {
    match event {
        Event::Apply(object) => Event::Apply(object.into()),
        Event::Delete(object) => Event::Delete(object.into()),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(object.into()),
        Event::InitDone => Event::InitDone,
    }
}
