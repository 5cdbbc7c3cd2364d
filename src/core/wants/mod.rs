//! From a spec to claims: what an object wants, and what it cannot say yet.

mod acl;
mod client;
mod group;
mod pool;
mod realm;
mod role;
mod subject;
mod token;
mod user;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

pub use acl::of_acl;
pub use client::client_in_use;
pub use group::of_group;
pub use pool::of_pool;
pub use realm::{of_realm, realm_id, secrets_of_realm, source_of_realm};
pub use role::of_role;
pub use subject::subject_of;
pub use token::{of_token, secret_name, token_id, wish_of};
pub use user::{of_user, secrets_of_user};

use crate::api::refs::{KeyRef, ObjectRef};
use crate::api::{
    Object, PocketIdClient, PocketIdGroup, ProxmoxGroup, ProxmoxPool, ProxmoxRealm, ProxmoxRole, ProxmoxToken,
    ProxmoxUser, Reason,
};
use crate::core::claim::{Content, Hidden, Scope, SecretVersion, Thing, Wanted};
use crate::core::ids::IdError;
use crate::core::object::{ObjectKey, Refusal};
use crate::core::pocket_id::audience::Audience;
use crate::core::roster::Roster;
use crate::core::secret::Secret;

/// What objects may refer to: other objects of their connection and namespace by name, and keys of Secrets
/// and ConfigMaps.
#[derive(Default)]
pub struct References<'a> {
    /// Realms.
    pub realms: HashMap<&'a str, &'a ProxmoxRealm>,
    /// Roles.
    pub roles: HashMap<&'a str, &'a ProxmoxRole>,
    /// Groups.
    pub groups: HashMap<&'a str, &'a ProxmoxGroup>,
    /// Users.
    pub users: HashMap<&'a str, &'a ProxmoxUser>,
    /// Tokens.
    pub tokens: HashMap<&'a str, &'a ProxmoxToken>,
    /// Pools.
    pub pools: HashMap<&'a str, &'a ProxmoxPool>,
    /// Clients of Pocket ID that realms refer to.
    pub clients: HashMap<String, Arc<PocketIdClient>>,
    /// Groups of Pocket ID that groups refer to.
    pub pocket_id_groups: HashMap<String, Arc<PocketIdGroup>>,
    /// Whom clients of Pocket ID let in, by the names of their objects, or why that is not known.
    pub audiences: HashMap<String, Result<Audience, String>>,
    /// What was read of each Secret key, or why it was not.
    pub secrets: HashMap<KeyRef, Result<SecretValue, Refusal>>,
    /// What was read of each ConfigMap key, or why it was not.
    pub config_maps: HashMap<KeyRef, Result<String, Refusal>>,
}

/// What stands in one key of a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretValue {
    /// The value.
    pub value: Secret,
    /// The version of the Secret that has it.
    pub version: SecretVersion,
    /// Which of several secrets it is, as the annotation of a Secret of ours says.
    pub issue: Option<i64>,
}

impl References<'_> {
    /// The value of a Secret's key.
    fn secret(&self, reference: &KeyRef) -> Result<&SecretValue, Refusal> {
        match self.secrets.get(reference) {
            Some(Ok(secret)) => Ok(secret),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Err(Refusal::new(
                Reason::SecretNotFound,
                format!("Secret {} was not read in this pass", reference.name),
            )),
        }
    }

    /// The value of a Secret's key for a field that PVE never shows.
    fn hidden(&self, name: &'static str, reference: &KeyRef) -> Result<Hidden, Refusal> {
        let SecretValue { value, version, issue: _ } = self.secret(reference)?.clone();
        Ok(Hidden { name, value, version })
    }
}

/// What an object wants.
#[derive(Debug, Default)]
pub struct Wants {
    /// What it is called in PVE.
    pub external_id: Option<String>,
    /// Its claims.
    pub wanted: Vec<Wanted>,
    /// What it cannot say yet.
    pub refusals: Vec<Refusal>,
    /// What it may want all the same.
    pub unsure: bool,
    /// The sets in which nothing may stand that no object claims.
    pub exact: BTreeSet<Scope>,
    /// The sets in which it claims more than it can say now.
    pub open: BTreeSet<Scope>,
    /// Of a realm: who is still there, and what becomes of the others.
    pub roster: Option<Roster>,
}

impl Wants {
    fn one(thing: Thing, content: Content, needs: Vec<ObjectKey>) -> Self {
        let external_id = Some(thing.id().to_owned());
        let wanted = vec![Wanted { needs, ..Wanted::new(thing, content) }];
        Self { external_id, wanted, ..Self::default() }
    }

    /// Something that cannot be said: a reference that leads nowhere leaves the rest of the object as it is.
    fn lacks(&mut self, refusal: Refusal, open: &Scope, is_reference: bool) {
        self.unsure |= !is_reference;
        self.open.insert(open.clone());
        self.refusals.push(refusal);
    }

    fn refused(refusal: Refusal) -> Self {
        Self { refusals: vec![refusal], unsure: true, ..Self::default() }
    }
}

impl From<IdError> for Refusal {
    fn from(error: IdError) -> Self {
        Self::new(Reason::InvalidSpec, error.to_string())
    }
}

/// Something that an object names, with the object that stands for it where it is a reference.
pub type Named<T> = Result<(T, Option<ObjectKey>), Refusal>;

/// The key of another object of the same namespace.
fn key_of<K: Object>(namespace: &str, reference: &ObjectRef) -> ObjectKey {
    ObjectKey { kind: K::KIND, namespace: namespace.to_owned(), name: reference.name.clone() }
}

/// The object that a reference names.
fn found<'a, K: Object>(objects: &HashMap<&str, &'a K>, reference: &ObjectRef) -> Result<&'a K, Refusal> {
    objects.get(reference.name.as_str()).copied().ok_or_else(|| {
        let message = format!(
            "{} {} does not exist in this namespace for this connection; create it or correct the reference",
            K::KIND,
            reference.name
        );
        Refusal::new(Reason::DependencyNotReady, message)
    })
}
