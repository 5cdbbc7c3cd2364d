//! Who holds a denied privilege already: whoever manages such a group, user, token or realm could become it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Asked, denied};
use crate::api::Reason;
use crate::core::claim::{Claim, Membership, Thing};
use crate::core::ids::{AclKey, GroupId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::object::Refusal;
use crate::core::snapshot::Snapshot;
use crate::core::visibility::{Sight, View};

/// What stands of denied privileges.
pub(super) struct Privileged<'a> {
    snapshot: &'a Snapshot,
    /// A denied privilege of each role that has one.
    roles: HashMap<&'a RoleId, &'a str>,
    /// An entry with such a role, for each subject that has one; wherever it stands, and whether or not something deeper
    /// takes it away again. In order, so that what is said is the same in every pass.
    entries: BTreeMap<&'a Subject, &'a AclKey>,
    /// Such a group of each user that is in one.
    members: HashMap<&'a UserId, &'a GroupId>,
    /// Whether all of that is seen.
    sees_all: bool,
}

impl<'a> Privileged<'a> {
    pub fn new(denied: &'a BTreeSet<String>, snapshot: &'a Snapshot, view: &View<'_>) -> Self {
        let roles: HashMap<&RoleId, &str> = snapshot
            .roles
            .iter()
            .flatten()
            .filter_map(|(id, role)| Some((id, role.privileges.intersection(denied).next()?.as_str())))
            .collect();
        let acl = snapshot.acl.iter().flat_map(BTreeMap::keys).filter(|key| roles.contains_key(&key.role));
        let entries: BTreeMap<&Subject, &AclKey> = acl.map(|key| (&key.subject, key)).collect();
        let groups = entries.keys().filter_map(|subject| match subject {
            Subject::Group(group) => Some(group),
            Subject::User(_) | Subject::Token(_) => None,
        });
        let members = groups.flat_map(|group| snapshot.members_of(group).into_iter().map(move |user| (user, group)));
        let lists = snapshot.roles.is_ok() && snapshot.users.is_ok() && snapshot.groups.is_ok();
        let sees_all = lists && view.sees_all_entries() && view.sight_of_users() == Sight::Clear;
        Self { snapshot, roles, members: members.collect(), entries, sees_all }
    }

    /// Why a claim is a way to a denied privilege.
    pub fn way(&self, asked: &Asked<'_>) -> Option<Refusal> {
        if !self.sees_all {
            let message = "who holds a privilege that the policy denies cannot be seen: the connection's credential needs \
                           Sys.Audit on /access";
            return Some(Refusal::new(Reason::Forbidden, message));
        }
        let why = match asked.claim {
            Claim::Thing(Thing::Realm(id)) => self.of_realm(id),
            Claim::Thing(Thing::Group(id)) => self.of_group(id),
            Claim::Thing(Thing::User(id)) => self.of_user(id),
            Claim::Thing(Thing::Token(id)) => self.of_token(id, asked),
            Claim::Member(Membership { group, user }) => self.of_group(group).or_else(|| self.of_user(user)),
            Claim::Acl(AclKey { path: _, subject, role }) => self.of_role(role).or_else(|| match subject {
                Subject::Group(group) => self.of_group(group).or_else(|| self.of_member(group)),
                Subject::User(user) => self.of_user(user),
                Subject::Token(token) => self.entry(&Subject::Token(token.clone())),
            }),
            Claim::Thing(Thing::SyncJob(_) | Thing::Role(_) | Thing::Pool(_)) | Claim::PoolMember(..) => None,
        };
        why.map(|why| denied(format!("{}: {why}", asked.claim)))
    }

    fn of_role(&self, role: &RoleId) -> Option<String> {
        let privilege = self.roles.get(role)?;
        Some(format!("role {role} has {privilege}, which nobody gets here"))
    }

    fn entry(&self, subject: &Subject) -> Option<String> {
        let AclKey { path, role, .. } = self.entries.get(subject)?;
        let privilege = self.roles.get(role)?;
        Some(format!("{subject} has {privilege} by {role} on {path}"))
    }

    fn of_group(&self, group: &GroupId) -> Option<String> {
        self.entry(&Subject::Group(group.clone()))
    }

    /// What is granted to a group on a path replaces there what its members have from above.
    fn of_member(&self, group: &GroupId) -> Option<String> {
        // root@pam loses nothing by any entry.
        let mut others = self.snapshot.members_of(group).into_iter().filter(|user| !user.is_root());
        others.find_map(|user| Some(format!("{user} is in {group} and would have less there: {}", self.of_user(user)?)))
    }

    fn of_user(&self, user: &UserId) -> Option<String> {
        if user.is_root() {
            return Some(format!("{user} may do everything"));
        }
        self.entry(&Subject::User(user.clone())).or_else(|| {
            let group = self.members.get(user)?;
            Some(format!("{user} is in a group: {}", self.of_group(group)?))
        })
    }

    /// A separated token has its own entries only; without separation it is its user, also where only what stands is so:
    /// whoever takes it over has its secret, and whoever separates it takes its rights away.
    fn of_token(&self, token: &TokenId, asked: &Asked<'_>) -> Option<String> {
        let users = self.snapshot.users.as_ref().ok();
        let standing = users.and_then(|users| users.get(&token.user())?.tokens.get(token));
        let stands_apart = standing.is_none_or(|token| token.privilege_separation);
        let separated = stands_apart && asked.value("privsep") == Some("1") && !token.user().is_root();
        let of_user = if separated { None } else { self.of_user(&token.user()) };
        of_user.or_else(|| self.entry(&Subject::Token(token.clone())))
    }

    /// Whoever decides who signs in with a realm can be any of its users, and fill any group that ends in its name.
    fn of_realm(&self, realm: &RealmId) -> Option<String> {
        let of_subject = |subject: &&Subject| match subject {
            Subject::Group(group) => group.may_be_synced(realm),
            Subject::User(user) => user.realm() == *realm,
            Subject::Token(token) => token.user().realm() == *realm,
        };
        let named = self.entries.keys().copied().find(of_subject);
        if let Some(why) = named.and_then(|subject| self.entry(subject)) {
            return Some(format!("{why}, and a login of this realm could become that"));
        }
        let pam = UserId::observed(UserId::ROOT);
        if pam.realm() == *realm {
            return Some(format!("{pam} is in it"));
        }
        let users = self.snapshot.users.iter().flat_map(BTreeMap::keys).filter(|user| user.realm() == *realm);
        let mut users = users.filter_map(|user| self.of_user(user));
        users.next().map(|why| format!("{why}, and a login of this realm could become that"))
    }
}
