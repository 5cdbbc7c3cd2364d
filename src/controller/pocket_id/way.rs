//! The connection itself: whether the way to Pocket ID works, and what objects are told while it does not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use url::Url;

use super::{PocketIdObject, Worker, connection_not_ready};
use crate::api::conditions::{Motion, Ready};
use crate::api::pocket_id_connection::{PocketIdConnectionSpec, PocketIdConnectionStatus};
use crate::api::reason::Severity;
use crate::api::{PocketIdConnection, Reason};
use crate::controller::Context;
use crate::controller::kubernetes::Target;
use crate::controller::managed::Managed;
use crate::controller::observer::Observer;
use crate::controller::prepare;
use crate::controller::report::{self, Report};
use crate::controller::said::{self, Stored};
use crate::controller::session::KEEP_CREDENTIAL;
use crate::controller::status;
use crate::core::object::Refusal;
use crate::core::pocket_id::version::PocketIdVersion;
use crate::https::observer::CallObserver;
use crate::pocket_id::client::Client;
use crate::pocket_id::config::Settings;
use crate::pocket_id::details::Details;
use crate::pocket_id::session::Session;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How often it is asked when the API key expires.
const KEY_EXPIRY: Duration = Duration::from_hours(1);

/// With less to run than this the connection warns of its API key, in seconds.
const KEY_WARNING: i64 = 14 * 24 * 3600;

/// What is needed to reach Pocket ID.
///
/// # Errors
/// What is missing or malformed, as the connection's status will say it.
pub(in crate::controller) async fn settings(
    context: &Context,
    connection: &PocketIdConnection,
) -> Result<Settings, Refusal> {
    let PocketIdConnectionSpec { url, api_key_secret_ref, tls, resync_interval: _, suspend: _ } = &connection.spec;
    let (kubernetes, namespace) = (&context.kubernetes, connection.metadata.namespace.as_deref().unwrap_or_default());
    let url = Url::parse(url).map_err(|error| Refusal::new(Reason::InvalidSpec, format!("url is no URL: {error}")))?;
    Ok(Settings {
        url,
        api_key: prepare::secret(kubernetes, namespace, api_key_secret_ref).await?,
        tls: prepare::tls(kubernetes, namespace, &tls.clone().unwrap_or_default()).await?,
        request_timeout: REQUEST_TIMEOUT,
        replica: context.replica.clone(),
    })
}

/// Whether a key that expires then is warned of.
fn is_soon(expiry: i64) -> bool {
    expiry - Timestamp::now().as_second() < KEY_WARNING
}

impl Worker {
    /// A session, with the last credential where its Secret went along with the namespace.
    pub(super) async fn session(
        &mut self,
        connection: &PocketIdConnection,
        objects: &[PocketIdObject],
    ) -> Result<Session, Refusal> {
        let settings = match settings(&self.context, connection).await {
            Ok(settings) => Some(settings),
            Err(refusal) if refusal.reason == Reason::SecretNotFound && self.may_use_last(objects) => None,
            Err(refusal) => return Err(refusal),
        };
        if let Some(settings) = settings
            && self.client.as_ref().is_none_or(|(current, _)| *current != settings)
        {
            let observer: Arc<dyn CallObserver> = Arc::new(Observer::new(&self.context, &self.key));
            let client = Client::new(&settings, &observer)?;
            self.client = Some((settings, client));
            // It may be another Pocket ID, and the key another one.
            (self.details, self.key_expiry) = (Details::default(), None);
        }
        let Some((_, client)) = &self.client else {
            return Err(Refusal::new(Reason::SecretNotFound, "there is no credential"));
        };
        let session = client.connect(&self.permit).await?;
        self.worked = Some(Instant::now());
        Ok(session)
    }

    /// A namespace that is deleted takes the Secret along before the objects.
    fn may_use_last(&self, objects: &[PocketIdObject]) -> bool {
        self.worked.is_some_and(|worked| worked.elapsed() < KEEP_CREDENTIAL)
            && !objects.is_empty()
            && objects.iter().all(Managed::is_being_deleted)
    }

    /// The way works.
    pub(super) async fn connected(
        &mut self,
        connection: &PocketIdConnection,
        session: &Session,
        objects: &[PocketIdObject],
    ) {
        let key_expiry = self.key_expiry(session).await;
        let expiry = session.certificate().and_then(|certificate| certificate.not_after);
        if let Some(expiry) = expiry {
            self.context.metrics.certificate_expiry(&self.key, expiry);
        }
        let mut report = if connection.metadata.deletion_timestamp.is_some() && !objects.is_empty() {
            let message = report::still_used(&objects.iter().map(|any| any.key().short()).collect::<Vec<_>>());
            Report::not_ready(Reason::DeletionBlocked, message)
        } else {
            Report::new(Ready::True, Reason::Succeeded, "Pocket ID answers", Motion::Settled)
        };
        let time = |at: i64| Timestamp::from_second(at).ok().map(Time);
        report.says.warning = key_expiry.filter(|at| is_soon(*at)).and_then(time).map(|at| {
            (
                Reason::KeyExpiring,
                format!("the API key expires at {}; make another one and put it into its Secret", at.0),
            )
        });
        self.say_connection(connection, report, |status| {
            status.issuer_url = Some(session.issuer().to_owned());
            status.external_id.clone_from(&status.issuer_url);
            status.version = Some(session.version().to_owned());
            status.api_key_expiry = key_expiry.and_then(time);
            status.rate_limit = Some(rate_limit(PocketIdVersion::observed(session.version())).to_owned());
            status.certificate_expiry = expiry.and_then(time);
            status.objects = i32::try_from(objects.len()).ok();
        })
        .await;
    }

    /// When the API key expires; what was last known when that cannot be told now.
    async fn key_expiry(&mut self, session: &Session) -> Option<i64> {
        // What is warned of may be mended at any time.
        let is_due =
            |(asked, expiry): (Instant, Option<i64>)| asked.elapsed() >= KEY_EXPIRY || expiry.is_some_and(is_soon);
        if self.key_expiry.is_none_or(is_due)
            && let Ok(expiry) = session.key_expiry().await
        {
            self.key_expiry = Some((Instant::now(), expiry));
        }
        self.key_expiry.and_then(|(_, expiry)| expiry)
    }

    /// The way does not work: it says so at once. Objects that are ready stay so for the deadline.
    pub(super) async fn unreachable(
        &mut self,
        connection: &PocketIdConnection,
        objects: &[PocketIdObject],
        why: &Refusal,
    ) {
        self.tries = self.tries.saturating_add(1);
        let (lasted, deadline) = (said::lasted(&self.status_of(connection).conditions), self.context.progress_deadline);
        let mut report = Report::not_ready(why.reason, why.message.clone());
        if why.reason.severity() == Severity::Transient && lasted >= deadline {
            report.says.motion = Motion::Stalled;
        }
        self.say_connection(connection, report, |status| status.objects = i32::try_from(objects.len()).ok()).await;
        let Refusal { reason, message } = connection_not_ready(&self.key, why);
        let mut report = Report::not_ready(reason, message);
        if why.reason.is_terminal() || lasted >= deadline {
            report.says.motion = Motion::Stalled;
        }
        for any in objects {
            let previous = self.reporter.latest(any);
            if any.is_being_deleted() {
                self.delete_blind(any, &why.message).await;
            } else if lasted >= deadline || !status::is_ready(&previous, any.generation()) {
                self.reporter.say(any, &previous, &report);
            }
        }
    }

    pub(super) async fn without_connection(&mut self, objects: &[PocketIdObject]) {
        let message = format!("{} does not exist in namespace {}; create it", self.key.short(), self.namespace());
        self.context.metrics.forget(&self.key);
        self.say_all(objects, &Report::not_ready(Reason::ConnectionNotFound, message.clone()), &message).await;
    }

    pub(super) async fn suspended(&mut self, connection: &PocketIdConnection, objects: &[PocketIdObject]) {
        self.say_connection(connection, Report::suspended("spec.suspend"), |_| {}).await;
        let by = self.key.short();
        self.say_all(objects, &Report::suspended(&by), &format!("{by} is suspended")).await;
    }

    async fn say_all(&mut self, objects: &[PocketIdObject], report: &Report, why: &str) {
        for any in objects {
            if any.is_being_deleted() {
                self.delete_blind(any, why).await;
            } else {
                let previous = self.reporter.latest(any);
                self.reporter.say(any, &previous, report);
            }
        }
    }

    async fn delete_blind(&mut self, any: &PocketIdObject, why: &str) {
        let previous = self.reporter.latest(any);
        if self.reporter.goes_blind(any, &previous, false, why) {
            let rows: Vec<&str> = previous.ledger.iter().map(|row| row.claim.as_str()).collect();
            self.let_go(any, &rows).await;
        }
    }

    fn status_of(&self, connection: &PocketIdConnection) -> PocketIdConnectionStatus {
        Stored::latest(self.said.as_ref(), &connection.metadata, connection.status.as_ref())
    }

    async fn say_connection(
        &mut self,
        connection: &PocketIdConnection,
        report: Report,
        fill: impl FnOnce(&mut PocketIdConnectionStatus),
    ) {
        let (previous, target) = (self.status_of(connection), Target::of(connection));
        let said = (&target, &connection.metadata);
        if let Some(stored) = self.reporter.say_connection(said, &previous, report, fill).await {
            self.said = Some(stored);
        }
    }
}

/// What a version takes (FACTS 7).
fn rate_limit(version: PocketIdVersion) -> &'static str {
    if version.has_low_limits() { "100 at once, then 1/s" } else { "300 at once, then 100/s" }
}
