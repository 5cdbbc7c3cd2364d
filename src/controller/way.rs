//! The connection's own status: whether the way to the cluster works, and what is seen through it.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use crate::api::Reason;
use crate::api::conditions::{Motion, Ready};
use crate::api::connection_status::{ConnectionStatus, Extent, ListVisibility, MissingPrivilege};
use crate::api::reason::Severity;
use crate::controller::connection::Worker;
use crate::controller::connections::Connection;
use crate::controller::inventory::Counted;
use crate::controller::report::{self, Report};
use crate::controller::said::{self, Stored};
use crate::controller::status;
use crate::core::excess;
use crate::core::inventory::Input;
use crate::core::needs::{self, Need};
use crate::core::object::{Object, Refusal};
use crate::core::plan::bury;
use crate::core::snapshot::{Credential, Snapshot};
use crate::core::text::first_of;
use crate::core::visibility::{View, Visibility};
use crate::pve::session::Session;

/// The connection's status, as we wrote it where the watch does not show that yet.
pub(super) fn status_of(stored: Option<&Stored<ConnectionStatus>>, connection: &Connection) -> ConnectionStatus {
    Stored::latest(stored, &connection.metadata, connection.status.as_ref())
}

impl Worker {
    /// The connection's status, as we wrote it where the watch does not show that yet.
    pub(super) fn status_of(&self, connection: &Connection) -> ConnectionStatus {
        status_of(self.said.as_ref(), connection)
    }

    /// Whether the connection's status says so already; what it says besides can wait until objects are served.
    pub(super) fn is_known_to_work(&self, connection: &Connection, session: &Session) -> bool {
        let ConnectionStatus { cluster_id, observed_generation, conditions, .. } = self.status_of(connection);
        self.context.index.connection(&self.key).is_some()
            && cluster_id.as_deref() == Some(session.cluster().as_str())
            && observed_generation == connection.metadata.generation
            && status::ready_of(&conditions).0 == "True"
    }

    /// The way works; where that is not known yet it is said before anything is written, so that the cluster is known by its id
    /// from then on.
    /// `all` are the objects of other connections to the cluster too. False when that could not be stored.
    pub(super) async fn connected(
        &mut self,
        session: &Session,
        connection: &Connection,
        snapshot: &Snapshot,
        inputs: &[Object],
        all: &[Object],
    ) -> bool {
        let objects = inputs.len();
        if self.context.index.connection(&self.key).is_none() {
            return false;
        }
        let expiry = session.certificate().and_then(|certificate| certificate.not_after);
        if let Some(expiry) = expiry {
            self.context.metrics.certificate_expiry(&self.key, expiry);
        }
        let view = View::new(snapshot);
        let visibility = view.visibility().into_iter().map(|(list, extent)| visible(list, extent)).collect();
        let mut report = if connection.metadata.deletion_timestamp.is_some() && objects > 0 {
            let name = |object: &Object| match self.key.namespace {
                Some(_) => object.key.short(),
                None => object.key.to_string(),
            };
            let message = report::still_used(&inputs.iter().map(name).collect::<Vec<_>>());
            Report::not_ready(Reason::DeletionBlocked, message)
        } else {
            Report::new(Ready::True, Reason::Succeeded, "Proxmox VE answers", Motion::Settled)
        };
        let missing = missing(inputs, &view);
        report.says.warning = lacks(&missing, snapshot)
            .map(|message| (Reason::MissingPrivileges, message))
            .or_else(|| dangling(snapshot, &view).map(|message| (Reason::DanglingEntries, message)))
            .or_else(|| excess::unneeded(inputs, &view).and_then(|it| excess::warning(&it, snapshot)));
        let now = Timestamp::now();
        let input = Input { objects: all, snapshot, view: &view, now: now.as_second() };
        let Counted { unmanaged, administrators } = self.take_stock(connection, session.cluster(), &input);
        self.say_connection(connection, report, |status| {
            status.cluster_id = Some(session.cluster().to_string());
            status.external_id.clone_from(&status.cluster_id);
            status.version = Some(session.version().to_owned());
            status.endpoint = Some(session.endpoint().to_owned());
            status.certificate_expiry = expiry.and_then(|at| Timestamp::from_second(at).ok()).map(Time);
            status.objects = i32::try_from(objects).ok();
            status.visibility = visibility;
            status.missing_privileges = missing;
            status.unmanaged = unmanaged;
            status.administrators = administrators;
            status.last_pass = Some(Time(now));
        })
        .await;
        self.status_of(connection).cluster_id.as_deref() == Some(session.cluster().as_str())
    }

    /// The way does not work; answers for how long that has been so.
    pub(super) async fn disconnected(&mut self, connection: &Connection, why: &Refusal, objects: usize) -> Duration {
        let previous = self.status_of(connection);
        let lasted = said::lasted(&previous.conditions);
        let mut report = Report::not_ready(why.reason, why.message.clone());
        if why.reason.severity() == Severity::Transient && lasted >= self.context.progress_deadline {
            report.says.motion = Motion::Stalled;
        }
        self.say_connection(connection, report, |status| {
            status.endpoint = None;
            status.objects = i32::try_from(objects).ok();
        })
        .await;
        lasted
    }

    /// Writes the connection's status if it says something new.
    pub(super) async fn say_connection(
        &mut self,
        connection: &Connection,
        report: Report,
        fill: impl FnOnce(&mut ConnectionStatus),
    ) {
        let previous = self.status_of(connection);
        let said = (&connection.target, &connection.metadata);
        if let Some(stored) = self.reporter.say_connection(said, &previous, report, fill).await {
            self.said = Some(stored);
        }
    }
}

/// So many missing privileges are listed.
pub(super) const LISTED: usize = 50;

/// What the credential lacks; a status lists the first of many.
fn missing(inputs: &[Object], view: &View<'_>) -> Vec<MissingPrivilege> {
    let missing = needs::missing(inputs, view).into_iter().take(LISTED).map(|(Need { path, privilege }, kinds)| {
        let kinds = kinds.into_iter().map(str::to_owned).collect();
        MissingPrivilege { privilege: privilege.to_owned(), path: path.to_string(), kinds }
    });
    missing.collect()
}

fn lacks(missing: &[MissingPrivilege], snapshot: &Snapshot) -> Option<String> {
    let first = missing.first()?;
    let more = if missing.len() > 1 { format!(" and {} more", missing.len() - 1) } else { String::new() };
    let MissingPrivilege { privilege, path, kinds } = first;
    // The most likely mistake of all: `pveum user token add` separates by default.
    let separated = if snapshot.permissions.0.is_empty() && matches!(snapshot.credential, Credential::Token(_)) {
        "; it holds nothing at all: a separated token (privsep 1) needs ACL entries of its own beside its user's"
    } else {
        ""
    };
    Some(format!(
        "the credential lacks {privilege} on {path} for {}{more}; see status.missingPrivileges and grant them{separated}",
        kinds.join(", ")
    ))
}

/// Names entries that nobody has and that somebody may get.
fn dangling(snapshot: &Snapshot, view: &View<'_>) -> Option<String> {
    let acl = snapshot.acl.as_ref().ok()?;
    let dangling: Vec<String> =
        acl.keys().filter(|key| bury::dangles(key, snapshot, view).is_some()).map(ToString::to_string).collect();
    (!dangling.is_empty()).then(|| format!("entries for what does not exist: {}", first_of(&dangling, 3, "; ")))
}

fn visible(list: &str, extent: Visibility) -> ListVisibility {
    let needs = match list {
        "groups" => "Sys.Audit, Group.Allocate or User.Modify on /access/groups",
        "users" => "Sys.Audit or User.Modify on /access/groups",
        "pools" => "Pool.Audit on /pool",
        "acl" => "Sys.Audit on /access",
        _ => "Sys.Audit on /access/realm",
    };
    let note = |text: &str| Some(format!("{text}; for all of it the credential needs {needs}"));
    let (extent, note) = match extent {
        Visibility::Known => (Extent::Known, None),
        Visibility::Partial => (Extent::Partial, note("what is missing may still stand there")),
        Visibility::Unknown => (Extent::Unknown, note("nothing of it is shown")),
    };
    ListVisibility { list: list.to_owned(), extent, note }
}
