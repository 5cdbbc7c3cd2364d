//! What stands, list by list, and what of it an object answers for.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Input;
use crate::core::claim::{Claim, Scope, Thing};
use crate::core::ids::AclPath;
use crate::core::object::Object;
use crate::core::snapshot::Snapshot;
use crate::core::visibility::Visibility;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// ACL entries.
    Acl,
    /// Groups.
    Groups,
    /// Pools.
    Pools,
    /// Realms, but for the built-in ones.
    Realms,
    /// Roles, but for the built-in ones.
    Roles,
    /// API tokens.
    Tokens,
    /// Users, but for `root@pam`.
    Users,
}

impl Kind {
    /// All of them, by name.
    pub const ALL: [Self; 7] =
        [Self::Acl, Self::Groups, Self::Pools, Self::Realms, Self::Roles, Self::Tokens, Self::Users];

    /// The name in statuses and metrics: that of the list of PVE, where there is one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acl => "acl",
            Self::Groups => "groups",
            Self::Pools => "pools",
            Self::Realms => "realms",
            Self::Roles => "roles",
            Self::Tokens => "tokens",
            Self::Users => "users",
        }
    }

    /// The list of PVE that shows them.
    const fn list(self) -> &'static str {
        match self {
            Self::Tokens => Self::Users.name(),
            Self::Acl | Self::Groups | Self::Pools | Self::Realms | Self::Roles | Self::Users => self.name(),
        }
    }
}

/// The things of one kind that stand, each with whether an object answers for it.
pub(super) type Listed = BTreeMap<Claim, bool>;

/// The kinds that are seen in full.
pub(super) type Stock = BTreeMap<Kind, Listed>;

/// What the objects claim, hold or observe.
pub(super) struct Answered<'a> {
    claims: HashSet<&'a Claim>,
    /// Paths on which an object owns every entry: what is not claimed there is shown by it or removed.
    paths: BTreeSet<&'a AclPath>,
}

impl<'a> Answered<'a> {
    pub fn by(objects: &'a [Object]) -> Self {
        let claims = objects.iter().flat_map(|object| {
            let wanted = object.wanted.iter().map(|wanted| &wanted.claim);
            wanted.chain(object.ledger.keys())
        });
        let live = objects.iter().filter(|object| object.mode.is_live());
        let paths = live.flat_map(|object| &object.exact).filter_map(|scope| match scope {
            Scope::Entries(path) => Some(path),
            Scope::Members(_) | Scope::AnyMembers | Scope::Groups(_) | Scope::Pool(_) => None,
        });
        Self { claims: claims.collect(), paths: paths.collect() }
    }

    /// Whether an object claims, holds or observes it.
    pub fn has(&self, claim: &Claim) -> bool {
        self.claims.contains(claim)
    }

    fn covers(&self, claim: &Claim) -> bool {
        self.has(claim) || matches!(claim, Claim::Acl(key) if self.paths.contains(&key.path))
    }
}

/// Lists what stands.
pub(super) fn take(input: &Input<'_>, answered: &Answered<'_>) -> Stock {
    let lists = input.view.visibility();
    let known = |kind: &Kind| lists.contains(&(kind.list(), Visibility::Known));
    let listed = |kind: Kind| {
        let standing = standing(kind, input.snapshot)?.into_iter().filter(|claim| !claim.is_builtin());
        let with_answer = standing.map(|claim| {
            let covered = answered.covers(&claim);
            (claim, covered)
        });
        Some((kind, with_answer.collect()))
    };
    Kind::ALL.into_iter().filter(known).filter_map(listed).collect()
}

fn standing(kind: Kind, snapshot: &Snapshot) -> Option<Vec<Claim>> {
    fn things<'a, K: Clone + 'a>(ids: impl Iterator<Item = &'a K>, thing: impl Fn(K) -> Thing) -> Vec<Claim> {
        ids.map(|id| thing(id.clone()).into()).collect()
    }
    Some(match kind {
        Kind::Acl => snapshot.acl.as_ref().ok()?.keys().cloned().map(Claim::Acl).collect(),
        Kind::Groups => things(snapshot.groups.as_ref().ok()?.keys(), Thing::Group),
        Kind::Pools => things(snapshot.pools.as_ref().ok()?.keys(), Thing::Pool),
        Kind::Realms => things(snapshot.realms.as_ref().ok()?.realms.keys(), Thing::Realm),
        Kind::Roles => {
            let own = snapshot.roles.as_ref().ok()?.iter().filter(|(_, role)| !role.special);
            things(own.map(|(id, _)| id), Thing::Role)
        }
        Kind::Tokens => {
            things(snapshot.users.as_ref().ok()?.values().flat_map(|user| user.tokens.keys()), Thing::Token)
        }
        Kind::Users => things(snapshot.users.as_ref().ok()?.keys(), Thing::User),
    })
}
