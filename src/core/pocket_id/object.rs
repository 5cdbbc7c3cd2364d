//! One custom resource of Pocket ID as the plan sees it.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::claim::{Claim, Ledger};
use super::ids::{ClientId, GroupId};
use super::secret::ClientSecret;
use super::write::File;
use crate::api::membership::MembershipPolicy;
use crate::core::object::{Adoption, Deletion, Mode, ObjectKey, Refusal};

/// What an object wants, owns and allows.
#[derive(Debug, Clone)]
pub struct Object {
    /// Which.
    pub key: ObjectKey,
    /// Seconds since 1970 of its creation: the older one wins a contest.
    pub created: i64,
    /// Whether its spec has been applied before: a difference is drift then, and an update otherwise.
    pub settled: bool,
    /// What may be done for it now.
    pub mode: Mode,
    /// What to do with things that stand already.
    pub adoption: Adoption,
    /// What happens to its claims when it is deleted; unset: what we created goes, what we adopted stays.
    pub deletion: Option<Deletion>,
    /// What it has intended or applied before.
    pub ledger: Ledger,
    /// The group that it was last seen to stand for: found again also under another name.
    pub known: Option<GroupId>,
    /// What it wants; `None` when that cannot be said.
    pub wanted: Option<Wanted>,
    /// What it would want but cannot say yet.
    pub refusals: Vec<Refusal>,
    /// Of a client: how it stands with its secret.
    pub secret: Option<ClientSecret>,
    /// Of a client: the logo that it was last given, by its mark.
    pub logo: Option<String>,
    /// Live objects that refer to it: what it stands for is not deleted before they are gone.
    pub users: Vec<ObjectKey>,
}

/// What an object wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A user group.
    Group(WantedGroup),
    /// An OIDC client.
    Client(WantedClient),
}

/// How a group should look. Fields that are `None` are not managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedGroup {
    /// Its unique name.
    pub name: String,
    /// What people see.
    pub friendly_name: Option<String>,
    /// All its custom claims.
    pub claims: Option<BTreeMap<String, String>>,
    /// Who is in it, by name.
    pub members: BTreeSet<String>,
    /// What happens to the other members.
    pub policy: MembershipPolicy,
}

/// How a client should look: always restricted to its groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedClient {
    /// Its id.
    pub id: ClientId,
    /// What people see; `None` when it is not managed.
    pub display_name: Option<String>,
    /// Where people may come back to.
    pub callbacks: Vec<String>,
    /// Whether sign-ins need PKCE.
    pub pkce: bool,
    /// The names of the groups whose members may sign in.
    pub allowed: BTreeSet<String>,
    /// Whether there may be more of them: a reference leads nowhere. Then no group that is let in is shut out.
    pub open: bool,
    /// Its logo; `None` when it is not managed.
    pub logo: Option<Logo>,
}

/// The picture of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logo {
    /// Pocket ID fetches it.
    Url(String),
    /// It is sent.
    File(File),
}

impl Logo {
    /// Tells it from others: its URL, or the SHA-256 of the file.
    pub fn mark(&self) -> String {
        match self {
            Self::Url(url) => url.clone(),
            Self::File(File { name: _, bytes }) => format!("sha256:{:x}", Sha256::digest(bytes)),
        }
    }
}

impl Wanted {
    /// The named thing.
    pub fn claim(&self) -> Claim {
        match self {
            Self::Group(group) => Claim::Group(group.name.clone()),
            Self::Client(client) => Claim::Client(client.id.clone()),
        }
    }
}

impl Object {
    /// Whether it is to be known who is in which group.
    pub fn needs_users(&self) -> bool {
        let wants = match &self.wanted {
            Some(Wanted::Group(group)) => {
                !group.members.is_empty() && group.policy != MembershipPolicy::Ignore
                    || group.policy == MembershipPolicy::Exact
            }
            Some(Wanted::Client(_)) | None => false,
        };
        wants || self.ledger.keys().any(|claim| matches!(claim, Claim::Member { .. }))
    }
}
