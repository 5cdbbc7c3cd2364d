//! Checks: they use a connection, and nothing in Proxmox VE is theirs.

use std::sync::Arc;

use super::Index;
use crate::api::ProxmoxAccessCheck;
use crate::api::object::System;
use crate::controller::connections::ConnectionKey;

/// The connection that a check names.
pub(super) fn connection_of(check: &ProxmoxAccessCheck) -> ConnectionKey {
    ConnectionKey::referred(
        System::ProxmoxVe,
        &check.spec.connection_ref,
        check.metadata.namespace.as_deref().unwrap_or_default(),
    )
}

impl Index {
    /// The checks of a connection that can be read, but for those on their way out: nothing is kept back for one.
    pub fn checks(&self, key: &ConnectionKey) -> Arc<[ProxmoxAccessCheck]> {
        let is_live = |check: &ProxmoxAccessCheck| check.metadata.deletion_timestamp.is_none();
        let is_of = |check: &ProxmoxAccessCheck| is_live(check) && connection_of(check) == *key;
        let found = self.checks.store.state_filter(|it| it.readable().is_some_and(|check| is_of(check)));
        found.into_iter().filter_map(|it| it.readable().map(|check| check.as_ref().clone())).collect()
    }

    pub(super) fn check_connections(&self) -> impl Iterator<Item = ConnectionKey> {
        self.checks.store.state().into_iter().filter_map(|it| it.readable().map(|it| connection_of(it)))
    }
}
