//! What nobody answers for and who may do more than needed, as the connection says it: status, Events and metrics.

use crate::api::connection_status::{Administrators, ConnectionStatus, Unmanaged};
use crate::controller::connection::Worker;
use crate::controller::connections::Connection;
use crate::controller::events::News;
use crate::core::ids::ClusterId;
use crate::core::inventory::{self, Account, Input, Kind, Recall};

/// How many administrators a status names.
const NAMED: usize = 20;

/// What was there in the pass before, and in which cluster.
#[derive(Default)]
pub(super) struct Stock {
    cluster: Option<ClusterId>,
    recall: Recall,
}

/// What a status says of it.
pub(super) struct Counted {
    pub unmanaged: Vec<Unmanaged>,
    pub administrators: Option<Administrators>,
}

impl Worker {
    /// Counts what stands, and tells what is new since the pass before.
    pub(super) fn take_stock(&mut self, connection: &Connection, cluster: &ClusterId, input: &Input<'_>) -> Counted {
        let previous = self.status_of(connection);
        if self.stock.cluster.as_ref() != Some(cluster) {
            self.stock = Stock { cluster: Some(cluster.clone()), recall: Recall::default() };
        }
        let Account { unmanaged, administrators, news } =
            self.stock.recall.take(input, |kind| newest(&previous, cluster, kind));
        for refusal in news {
            tracing::warn!(connection = %self.key, reason = %refusal.reason, "{}", refusal.message);
            self.context.events.tell(
                &self.permit,
                connection.target.clone(),
                News::Warned(refusal.reason, refusal.message),
            );
        }
        for kind in Kind::ALL {
            let count = unmanaged.iter().find(|it| it.kind == kind).map(|it| i64::from(number(it.count)));
            self.context.metrics.unmanaged(&self.key, kind, count);
        }
        let count = administrators.as_ref().map(|it| i64::from(number(it.count())));
        self.context.metrics.administrators(&self.key, count);
        Counted {
            unmanaged: unmanaged.into_iter().map(row).collect(),
            administrators: administrators.map(|it| named(&it)),
        }
    }
}

/// What the status says of the newest in this cluster.
fn newest(status: &ConnectionStatus, cluster: &ClusterId, kind: Kind) -> Vec<String> {
    if status.cluster_id.as_deref() != Some(cluster.as_str()) {
        return Vec::new();
    }
    status.unmanaged.iter().find(|it| it.kind == kind.name()).map_or_else(Vec::new, |it| it.newest.clone())
}

fn row(of: inventory::Unmanaged) -> Unmanaged {
    Unmanaged { kind: of.kind.name().to_owned(), count: number(of.count), newest: of.newest }
}

fn named(of: &inventory::Administrators) -> Administrators {
    Administrators {
        count: number(of.count()),
        unmanaged: number(of.names().filter(|(_, by_claim)| !by_claim).count()),
        names: of.names().take(NAMED).map(|(name, _)| name.to_owned()).collect(),
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
