//! From the objects of a connection to what their plan is made from.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::api::Reason;
use crate::api::status::{ClientInUse, ObjectStatus, SecretVersion};
use crate::controller::audiences::Asker;
use crate::controller::connection::Worker;
use crate::controller::connections::Connection;
use crate::controller::deliver::TokenContents;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::parcel::Parcel;
use crate::controller::report::Report;
use crate::controller::status;
use crate::core::claim::{Ledger, Wanted};
use crate::core::failure::FailureKind;
use crate::core::ledger::from_rows;
use crate::core::object::{Admission, Object, Refusal};
use crate::core::plan::FailedClaim;
use crate::core::wants::{References, Wants, client_in_use};

/// An object with what the plan needs of it.
pub(super) struct Subject<'a> {
    pub any: &'a AnyObject,
    pub previous: Cow<'a, ObjectStatus>,
    pub external_id: Option<String>,
    /// Of a realm: the secret of its client that it is to have.
    pub client: Option<ClientInUse>,
}

/// All objects that can be judged, and what goes along with them.
pub(super) struct Gathered<'a> {
    /// By object.
    pub subjects: Vec<Subject<'a>>,
    /// The same objects as the plan sees them.
    pub inputs: Vec<Object>,
    /// Of tokens: what is delivered into their Secrets, with their uids.
    pub parcels: HashMap<usize, (String, Parcel<TokenContents>)>,
    /// Why nothing may be removed now.
    pub frozen: Option<String>,
    /// How long all that took.
    pub took: Duration,
}

/// What an object of a kind wants that takes values of its fields from elsewhere.
pub(super) fn follows(any: &AnyObject, wanted: &[Wanted]) -> Option<Vec<Wanted>> {
    matches!(any, AnyObject::Realm(_)).then(|| wanted.to_vec())
}

impl Worker {
    /// Reads what the objects refer to, and their ledgers.
    pub(super) async fn gather<'a>(&mut self, connection: &Connection, objects: &'a [AnyObject]) -> Gathered<'a> {
        let begun = Instant::now();
        let asker = Asker { context: &self.context, permit: &self.permit, wake: &self.wake, pass: self.number };
        self.audiences.look(&asker, objects, self.memory.missed.values().copied().max()).await;
        let references = self.references(objects).await;
        let mut tokens = self.tokens(objects, &references).await;
        let mut frozen = self.context.index.unreadable(&self.key).map(|key| {
            if self.key.namespace.is_none() {
                tracing::warn!(connection = %self.key, object = %key, "it cannot be read, so that nothing is removed");
                return "an object of some namespace cannot be read; the operator's log names it".to_owned();
            }
            format!("{} cannot be read; make it fit its CRD, or delete it", key.short())
        });
        let (mut subjects, mut inputs, mut parcels) = (Vec::new(), Vec::new(), HashMap::new());
        for any in objects {
            let previous = self.reporter.latest(any);
            let Ok(ledger) = from_rows(&previous.ledger) else {
                if any.is_being_deleted() && any.is_orphaning() {
                    self.let_go(any, Vec::new()).await;
                    continue;
                }
                let why = format!(
                    "the ledger in the status of {} cannot be read; restore it, or set its deletionPolicy to Orphan and \
                     delete it",
                    any.key().short()
                );
                self.reporter.say(any, &previous, &Report::not_ready(Reason::InvalidSpec, why.clone()));
                frozen = Some(why);
                continue;
            };
            let Wants { external_id, wanted, refusals, unsure, exact, open, roster } =
                wants_of(any, references.of(any.namespace()));
            let changed = self.first_seen(any);
            if changed == self.number {
                // What failed for another spec says nothing about this one, nor about what goes now.
                for claim in wanted.iter().map(|wanted| &wanted.claim).chain(ledger.keys()) {
                    let exists = |it: &FailedClaim| it.failure.kind == FailureKind::AlreadyExists;
                    if self.memory.failures.get(claim).is_some_and(|it| !exists(it)) {
                        self.memory.failures.remove(claim);
                    }
                }
            }
            let written = self.written_for(any, &previous);
            let token = tokens.remove(any.uid()).map(|(token, parcel)| {
                parcels.insert(subjects.len(), (any.uid().to_owned(), parcel));
                token
            });
            let known = object(any, &previous);
            let settled = self.settled.includes(any.uid(), any.generation(), known.settled, follows(any, &wanted));
            inputs.push(Object {
                admission: self.context.index.admission(any.namespace(), connection),
                settled,
                changed,
                ledger,
                written,
                token,
                roster,
                wanted,
                exact,
                open,
                refusals,
                unsure,
                ..known
            });
            let client = match any {
                AnyObject::Realm(realm) => client_in_use(realm, references.of(any.namespace())),
                _ => None,
            };
            subjects.push(Subject { any, previous, external_id, client });
        }
        Gathered { subjects, inputs, parcels, frozen, took: begun.elapsed() }
    }

    /// Takes what statuses say now, after this pass has written some of them; what the objects themselves say stays. False,
    /// and nothing is taken, when that is not enough.
    pub(super) fn reread(&mut self, gathered: &mut Gathered<'_>) -> bool {
        let mut now = Vec::with_capacity(gathered.subjects.len());
        for subject in &gathered.subjects {
            let previous = self.reporter.latest(subject.any);
            if previous.token != subject.previous.token || self.reporter.is_released(subject.any) {
                return false;
            }
            let ledger = (previous.ledger != subject.previous.ledger).then(|| from_rows(&previous.ledger)).transpose();
            let Ok(ledger) = ledger else { return false };
            now.push((previous, ledger));
        }
        for ((subject, object), (previous, ledger)) in gathered.subjects.iter_mut().zip(&mut gathered.inputs).zip(now) {
            let any = subject.any;
            if let Some(ledger) = ledger {
                object.ledger = ledger;
            }
            object.written = self.written_for(any, &previous);
            let is_ready = status::is_ready(&previous, any.generation());
            object.settled = self.settled.includes(any.uid(), any.generation(), is_ready, follows(any, &object.wanted));
            subject.previous = previous;
        }
        true
    }

    /// Which version of the Secret of its hidden field was written last for an object.
    fn written_for(&self, any: &AnyObject, previous: &ObjectStatus) -> Option<SecretVersion> {
        self.written.get(any.uid()).or(previous.written_secret.as_ref()).cloned()
    }

    /// The pass that first saw the object's spec as it is.
    fn first_seen(&mut self, any: &AnyObject) -> u64 {
        match self.seen.get(any.uid()) {
            Some((generation, number)) if *generation == any.generation() => *number,
            _ => {
                self.seen.insert(any.uid().to_owned(), (any.generation(), self.number));
                self.number
            }
        }
    }
}

/// A panic over one object stays with that object.
pub(super) fn wants_of(any: &AnyObject, references: &References<'_>) -> Wants {
    if any.is_being_deleted() {
        return Wants::default();
    }
    catch_unwind(AssertUnwindSafe(|| any.wants(references))).unwrap_or_else(|_| Wants {
        refusals: vec![Refusal::new(
            Reason::InvalidSpec,
            "the operator failed on this object; this is a defect, please report it with the object",
        )],
        unsure: true,
        ..Wants::default()
    })
}

/// What is known of an object without its claims.
pub(super) fn object(any: &AnyObject, previous: &ObjectStatus) -> Object {
    let management = any.management();
    let created = any.meta().creation_timestamp.as_ref().map_or(0, |time| time.0.as_second());
    Object {
        key: any.key(),
        connection: 0,
        created,
        admission: Admission::Allowed,
        changed: 0,
        settled: status::is_ready(previous, any.generation()),
        mode: any.mode(),
        adoption: management.adoption_policy,
        deletion: management.deletion_policy,
        ledger: Ledger::new(),
        written: None,
        token: None,
        roster: None,
        wanted: Vec::new(),
        exact: BTreeSet::new(),
        open: BTreeSet::new(),
        refusals: Vec::new(),
        unsure: false,
    }
}
