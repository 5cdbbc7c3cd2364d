//! From the objects of a connection to what their plan is made from.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::deliver::{ClientContents, refers};
use super::{PocketIdObject, Worker};
use crate::api::refs::{ConnectionKind, ConnectionRef, KeyRef};
use crate::api::status::ObjectStatus;
use crate::api::{Object as _, Reason};
use crate::controller::connections::ConnectionKey;
use crate::controller::managed::Managed;
use crate::controller::parcel::Parcel;
use crate::controller::prepare;
use crate::controller::report::Report;
use crate::controller::status;
use crate::core::object::{ObjectKey, Refusal};
use crate::core::pocket_id::claim::from_rows;
use crate::core::pocket_id::ids::GroupId;
use crate::core::pocket_id::object::{Object, Wanted};
use crate::core::pocket_id::secret::ClientSecret;
use crate::core::pocket_id::snapshot::Scope;
use crate::core::pocket_id::wants::{self, References, Wants};
use crate::core::policy;

/// An object with what the plan needs of it.
pub(super) struct Subject<'a> {
    pub any: &'a PocketIdObject,
    pub previous: Cow<'a, ObjectStatus>,
}

/// All objects that can be judged, and what goes along with them.
pub(super) struct Gathered<'a> {
    pub subjects: Vec<Subject<'a>>,
    /// The same objects as the plan sees them.
    pub inputs: Vec<Object>,
    /// Where the secrets of clients go, by object.
    pub parcels: HashMap<usize, Parcel<ClientContents>>,
}

impl Worker {
    /// Reads what the objects refer to, and their ledgers.
    pub(super) async fn gather<'a>(&mut self, objects: &'a [PocketIdObject], issuer: &str) -> Gathered<'a> {
        let references = self.references(objects).await;
        let mut secrets = self.secrets(objects, issuer).await;
        let (mut subjects, mut inputs, mut parcels) = (Vec::new(), Vec::new(), HashMap::new());
        for any in objects {
            let previous = self.reporter.latest(any);
            let Ok(ledger) = from_rows(&previous.ledger) else {
                if any.is_being_deleted() && any.is_orphaning() {
                    self.let_go(any, &["what it stands for"]).await;
                } else {
                    let message = format!(
                        "the ledger in the status of {} cannot be read; restore it, or set its deletionPolicy to Orphan and \
                         delete it",
                        any.key().short()
                    );
                    self.reporter.say(any, &previous, &Report::not_ready(Reason::InvalidSpec, message));
                }
                continue;
            };
            let Wants { wanted, refusals } = wants_of(any, &references);
            let secret = secrets.remove(any.uid()).map(|(secret, parcel)| {
                parcels.insert(subjects.len(), parcel);
                secret
            });
            let management = any.management();
            inputs.push(Object {
                key: any.key(),
                created: any.meta().creation_timestamp.as_ref().map_or(0, |time| time.0.as_second()),
                settled: {
                    let is_ready = status::is_ready(&previous, any.generation());
                    self.settled.includes(any.uid(), any.generation(), is_ready, wanted.clone())
                },
                mode: any.mode(),
                adoption: management.adoption_policy,
                deletion: management.deletion_policy,
                ledger,
                known: previous.external_id.as_deref().map(GroupId::observed),
                wanted,
                refusals,
                secret,
                logo: self.logos.get(any.uid()).cloned().or_else(|| previous.logo.clone()),
                users: self.users(any, objects),
            });
            subjects.push(Subject { any, previous });
        }
        Gathered { subjects, inputs, parcels }
    }

    /// What objects may refer to.
    async fn references<'a>(&self, objects: &'a [PocketIdObject]) -> References<'a> {
        let (mut groups, mut endpoints, mut files) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for any in objects {
            match any {
                PocketIdObject::Group(group) => drop(groups.insert(group.name(), group.as_ref())),
                PocketIdObject::Client(client) => {
                    if let Some(reference) = wants::endpoints_of(client) {
                        let kind = reference.kind.unwrap_or_default();
                        let found = self.endpoints(kind, &reference.name);
                        endpoints.extend(found.map(|found| ((kind.as_str(), reference.name.clone()), found)));
                    }
                    if let Some(key) = wants::logo_of(client) {
                        files.insert(key.clone(), self.file(key).await);
                    }
                }
            }
        }
        References { groups, endpoints, files }
    }

    async fn file(&self, key: &KeyRef) -> Result<Arc<[u8]>, Refusal> {
        let file = self.context.kubernetes.file(self.namespace(), key).await;
        file.map_err(|error| prepare::unread("ConfigMap", &key.name, &error))?.ok_or_else(|| {
            let message = format!("ConfigMap {} with the key {} does not exist; create it", key.name, key.key);
            Refusal::new(Reason::DependencyNotReady, message)
        })
    }

    /// The endpoints of a connection to Proxmox VE, if it exists.
    fn endpoints(&self, kind: ConnectionKind, name: &str) -> Option<Result<Vec<String>, Refusal>> {
        let reference = ConnectionRef { name: name.to_owned(), kind: Some(kind) };
        let key = ConnectionKey::referred(crate::api::object::System::ProxmoxVe, &reference, self.namespace());
        let connection = self.context.index.connection(&key)?;
        let admission = self.context.index.admission(self.namespace(), &connection);
        Some(match policy::not_admitted(admission, self.namespace()) {
            None => Ok(connection.spec.endpoints),
            Some(Refusal { reason, message }) => Err(Refusal::new(reason, format!("{}: {message}", key.short()))),
        })
    }

    /// Live objects that refer to one that is deleted.
    fn users(&self, any: &PocketIdObject, objects: &[PocketIdObject]) -> Vec<ObjectKey> {
        if !any.is_being_deleted() {
            return Vec::new();
        }
        let index = &self.context.index;
        match any {
            PocketIdObject::Group(group) => {
                let allows = |other: &&PocketIdObject| match other {
                    PocketIdObject::Client(client) => client.spec.allowed_groups.iter().any(|allowed| {
                        allowed.group_ref.as_ref().is_some_and(|reference| reference.name == group.name())
                    }),
                    PocketIdObject::Group(_) => false,
                };
                let clients = objects.iter().filter(|other| !other.is_being_deleted()).filter(allows);
                let groups = index.groups_from_pocket_id(self.namespace()).into_iter().filter(|it| {
                    !it.is_being_deleted()
                        && it.pocket_id_group_ref().is_some_and(|reference| reference.name == group.name())
                });
                clients.map(Managed::key).chain(groups.map(|group| key_of(group.as_ref()))).collect()
            }
            PocketIdObject::Client(client) => {
                let realms = index.realms_in(self.namespace());
                let live = realms.iter().filter(|realm| !realm.is_being_deleted() && refers(realm, client.name()));
                live.map(|realm| key_of(realm.as_ref())).collect()
            }
        }
    }
}

fn key_of<K: crate::api::Object>(object: &K) -> ObjectKey {
    ObjectKey { kind: K::KIND, namespace: object.namespace().to_owned(), name: object.name().to_owned() }
}

/// A panic over one object stays with that object.
fn wants_of(any: &PocketIdObject, references: &References<'_>) -> Wants {
    if any.is_being_deleted() {
        return Wants::default();
    }
    let wants = || match any {
        PocketIdObject::Group(group) => wants::of_group(group),
        PocketIdObject::Client(client) => wants::of_client(client, references),
    };
    catch_unwind(AssertUnwindSafe(wants)).unwrap_or_else(|_| {
        let message = "the operator failed on this object; this is a defect, please report it with the object";
        Wants { wanted: None, refusals: vec![Refusal::new(Reason::InvalidSpec, message)] }
    })
}

/// What must be read beside the lists to judge these objects.
pub(super) fn scope(objects: &[Object]) -> Scope {
    let mut scope = Scope { users: objects.iter().any(Object::needs_users), ..Scope::default() };
    for object in objects {
        let Some(Wanted::Client(client)) = &object.wanted else { continue };
        if !object.settled {
            scope.clients.insert(client.id.clone());
        }
        if object.secret.as_ref().is_some_and(ClientSecret::needs_list) {
            scope.secrets.insert(client.id.clone());
        }
    }
    scope
}
