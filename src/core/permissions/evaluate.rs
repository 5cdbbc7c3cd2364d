//! The privileges of one credential on a path.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::inactive::{Inactive, alive};
use super::members::Members;
use super::view::{Entry, View, denying};
use super::{Directory, Privileges, may_be_member};
use crate::core::ids::{AclPath, GroupId, RoleId, Subject, TokenId, UserId};
use crate::core::snapshot::Credential;

/// Roles, each with whether it is passed on.
pub(super) type Roles<'a> = Vec<(&'a RoleId, bool)>;

/// Where the rights come from.
pub(super) enum Source<'a> {
    /// `root@pam`.
    Everything,
    /// Nothing at all.
    Nothing(Inactive),
    /// What all of these have in common.
    Views(Vec<View<'a>>),
}

/// The rights of one credential in a [`Directory`] at one moment.
pub struct Rights<'a> {
    pub(super) directory: &'a Directory,
    pub(super) source: Source<'a>,
    members: OnceLock<Members<'a>>,
}

impl Directory {
    /// The rights of a credential at `now` (seconds since 1970). Whoever is unknown, disabled or expired has none.
    pub fn rights(&self, credential: &Credential, now: i64) -> Rights<'_> {
        let source = match credential {
            Credential::User(user) => self.of_user(user, now),
            Credential::Token(token) => self.of_token(token, now),
        };
        Rights { directory: self, source, members: OnceLock::new() }
    }

    /// The rights of somebody who is in one group and has nothing else (`ProxmoxAccessCheck` with a group). Nobody is in
    /// a group that does not exist, whatever entries still name it.
    pub fn rights_of_group_alone(&self, group: &GroupId) -> Rights<'_> {
        let own = Subject::Group(group.clone());
        let source = if self.groups.contains_key(group) {
            let concerns = |subject: &Subject| (*subject == own).then_some(false);
            Source::Views(vec![self.view(own.clone(), concerns)])
        } else {
            Source::Nothing(Inactive::Missing(own))
        };
        Rights { directory: self, source, members: OnceLock::new() }
    }

    fn of_user(&self, user: &UserId, now: i64) -> Source<'_> {
        if let Some(why) = self.inactive_user(user, now) {
            return Source::Nothing(why);
        }
        if user.is_root() {
            return Source::Everything;
        }
        // Looked up once, and not for each of many entries.
        let groups: HashSet<&GroupId> =
            self.groups.iter().filter(|(_, members)| members.contains(user)).map(|(id, _)| id).collect();
        let concerns = |subject: &Subject| match subject {
            Subject::User(id) => (id == user).then_some(true),
            Subject::Group(id) => groups.contains(id).then_some(false),
            Subject::Token(_) => None,
        };
        Source::Views(vec![self.view(Subject::User(user.clone()), concerns)])
    }

    fn of_token(&self, token: &TokenId, now: i64) -> Source<'_> {
        let own = Subject::Token(token.clone());
        let Some(state) = self.tokens.get(token) else { return Source::Nothing(Inactive::Missing(own)) };
        if !alive(state.expire, now) {
            return Source::Nothing(Inactive::Expired(own, state.expire));
        }
        let of_user = self.of_user(&token.user(), now);
        if !state.privilege_separation {
            return of_user;
        }
        let concerns = |subject: &Subject| (*subject == own).then_some(true);
        let of_token = self.view(own.clone(), concerns);
        match of_user {
            Source::Everything => Source::Views(vec![of_token]),
            Source::Nothing(why) => Source::Nothing(why),
            Source::Views(mut views) => {
                views.push(of_token);
                Source::Views(views)
            }
        }
    }
}

impl<'a> Rights<'a> {
    /// The effective privileges on a path.
    pub fn on(&self, path: &AclPath) -> Privileges {
        match &self.source {
            Source::Everything => self.directory.all_privileges(),
            Source::Nothing(_) => Privileges::new(),
            Source::Views(views) => self.common(&self.roles(views, path.as_str())),
        }
    }

    /// Whether a privilege is held on a path, propagated or not.
    pub fn holds(&self, path: &AclPath, privilege: &str) -> bool {
        self.holds_any(path, &[privilege])
    }

    /// Whether any of these privileges is held on a path, propagated or not.
    pub fn holds_any(&self, path: &AclPath, privileges: &[impl AsRef<str>]) -> bool {
        match &self.source {
            Source::Everything => true,
            // Without putting together all that is held: it is asked about many.
            Source::Nothing(_) => false,
            Source::Views(views) => {
                let roles = self.roles(views, path.as_str());
                privileges.iter().any(|privilege| self.grants_all(&roles, privilege.as_ref()))
            }
        }
    }

    /// The entries that count on a path, for one view.
    pub(super) fn counting(&self, view: &View<'a>, path: &str) -> Vec<Entry<'a>> {
        self.with_pools(view, path, view.entries(path))
    }

    /// Those with what pools add, never propagated (FACTS 87).
    pub(super) fn with_pools(&self, view: &View<'a>, path: &str, mut entries: Vec<Entry<'a>>) -> Vec<Entry<'a>> {
        // Most questions are not about members.
        if denying(&entries).is_some() || !may_be_member(path) {
            return entries;
        }
        for (pool, at) in self.members.get_or_init(|| Members::of(self.directory)).pools(path) {
            let through_pool = view.entries(at.as_str());
            if denying(&through_pool).is_none() {
                let passed = |entry| Entry { propagate: false, pool: Some(pool), ..entry };
                entries.extend(through_pool.into_iter().map(passed));
            }
        }
        entries
    }

    /// The roles that count on a path, for each view.
    pub(super) fn roles(&self, views: &[View<'a>], path: &str) -> Vec<Roles<'a>> {
        views.iter().map(|view| roles(&self.counting(view, path))).collect()
    }

    /// Whether all of these grant a privilege; without any there is none.
    fn grants_all(&self, views: &[Roles<'_>], privilege: &str) -> bool {
        let grants = |role: &RoleId| self.directory.roles.get(role).is_some_and(|held| held.contains(privilege));
        !views.is_empty() && views.iter().all(|roles| roles.iter().any(|(role, _)| grants(role)))
    }

    /// The privileges that all of these grant.
    pub(super) fn common(&self, views: &[Roles<'_>]) -> Privileges {
        let mut granted = views.iter().map(|roles| self.granted(roles));
        let mut common = granted.next().unwrap_or_default();
        for other in granted {
            common
                .retain(|privilege, propagate| other.get(privilege).inspect(|theirs| *propagate &= **theirs).is_some());
        }
        common
    }

    fn granted(&self, roles: &Roles<'_>) -> Privileges {
        let mut privileges = Privileges::new();
        for (role, propagate) in roles {
            for privilege in self.directory.roles.get(*role).into_iter().flatten() {
                *privileges.entry(privilege.clone()).or_default() |= *propagate;
            }
        }
        privileges
    }
}

/// The roles of entries of one level; what takes all away leaves none.
pub(super) fn roles<'a>(entries: &[Entry<'a>]) -> Roles<'a> {
    if denying(entries).is_some() {
        return Vec::new();
    }
    entries.iter().map(|entry| (&entry.key.role, entry.propagate)).collect()
}
