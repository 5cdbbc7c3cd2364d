//! One credential's view of the ACL, and its privileges on a path.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use super::{DEFAULT_PATHS, Directory, NO_ACCESS, Privileges, alive};
use crate::core::ids::{AclPath, GroupId, PoolId, RoleId, Subject, TokenId, UserId};
use crate::core::snapshot::Credential;

type Roles<'a> = Vec<(&'a RoleId, bool)>;

/// The entries of one path that concern one subject.
#[derive(Default)]
struct Level<'a> {
    own: Roles<'a>,
    from_groups: Roles<'a>,
}

/// The ACL as one subject sees it: what does not concern it is left out once, so that many paths are cheap.
struct View<'a> {
    levels: HashMap<&'a str, Level<'a>>,
}

/// Where the rights come from.
enum Source<'a> {
    /// `root@pam`.
    Everything,
    /// What all of these have in common; without any there is nothing.
    Views(Vec<View<'a>>),
}

/// The rights of one credential in a [`Directory`] at one moment.
pub struct Rights<'a> {
    directory: &'a Directory,
    source: Source<'a>,
    member_of: OnceLock<HashMap<String, Vec<&'a PoolId>>>,
}

impl Directory {
    /// The rights of a credential at `now` (seconds since 1970). Whoever is unknown, disabled or expired has none.
    pub fn rights(&self, credential: &Credential, now: i64) -> Rights<'_> {
        let source = match credential {
            Credential::User(user) => self.of_user(user, now),
            Credential::Token(token) => self.of_token(token, now),
        };
        Rights { directory: self, source, member_of: OnceLock::new() }
    }

    /// The rights of somebody who is in one group and has nothing else (`ProxmoxAccessCheck` with a group).
    pub fn rights_of_group_alone(&self, group: &GroupId) -> Rights<'_> {
        let view = self.view(|subject| matches!(subject, Subject::Group(id) if id == group).then_some(false));
        Rights { directory: self, source: Source::Views(vec![view]), member_of: OnceLock::new() }
    }

    fn of_user(&self, user: &UserId, now: i64) -> Source<'_> {
        if !self.is_active(user, now) {
            return Source::Views(Vec::new());
        }
        if user.is_root() {
            return Source::Everything;
        }
        let is_member = |group: &GroupId| self.groups.get(group).is_some_and(|members| members.contains(user));
        Source::Views(vec![self.view(|subject| match subject {
            Subject::User(id) => (id == user).then_some(true),
            Subject::Group(id) => is_member(id).then_some(false),
            Subject::Token(_) => None,
        })])
    }

    fn of_token(&self, token: &TokenId, now: i64) -> Source<'_> {
        let Some(state) = self.tokens.get(token).filter(|state| alive(state.expire, now)) else {
            return Source::Views(Vec::new());
        };
        let of_user = self.of_user(&token.user(), now);
        if !state.privilege_separation {
            return of_user;
        }
        let own = self.view(|subject| matches!(subject, Subject::Token(id) if id == token).then_some(true));
        match of_user {
            Source::Everything => Source::Views(vec![own]),
            Source::Views(views) if views.is_empty() => Source::Views(views),
            Source::Views(mut views) => {
                views.push(own);
                Source::Views(views)
            }
        }
    }

    /// `concerns` tells for a subject whether its entries count, and whether as one's own or a group's.
    fn view(&self, concerns: impl Fn(&Subject) -> Option<bool>) -> View<'_> {
        let mut levels: HashMap<&str, Level<'_>> = HashMap::new();
        for (key, propagate) in &self.acl {
            if let Some(own) = concerns(&key.subject) {
                let level = levels.entry(key.path.as_str()).or_default();
                if own { &mut level.own } else { &mut level.from_groups }.push((&key.role, *propagate));
            }
        }
        View { levels }
    }
}

impl<'a> View<'a> {
    /// The roles that count on a path: those of the deepest level that has any.
    fn roles(&self, path: &AclPath) -> Roles<'a> {
        for (depth, at) in path.upwards().enumerate() {
            let Some(level) = self.levels.get(at) else { continue };
            for entries in [&level.own, &level.from_groups] {
                let counting: Roles<'a> =
                    entries.iter().copied().filter(|(_, propagate)| depth == 0 || *propagate).collect();
                if !counting.is_empty() {
                    return counting;
                }
            }
        }
        Vec::new()
    }
}

fn denied(roles: &Roles<'_>) -> bool {
    roles.iter().any(|(role, _)| role.as_str() == NO_ACCESS)
}

impl<'a> Rights<'a> {
    /// The effective privileges on a path.
    pub fn on(&self, path: &AclPath) -> Privileges {
        match &self.source {
            Source::Everything => self.directory.all_privileges(),
            Source::Views(views) => self.common(&self.roles(views, path)),
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
            Source::Views(views) => {
                let roles = self.roles(views, path);
                privileges.iter().any(|privilege| self.grants_all(&roles, privilege.as_ref()))
            }
        }
    }

    /// Every path where something is held, among the default paths, the paths of the ACL with all above them
    /// (recording `acl-paths-valid`) and the members of pools: what `GET /access/permissions` lists without a path.
    pub fn everywhere(&self) -> BTreeMap<AclPath, Arc<Privileges>> {
        // Few combinations of roles stand on many paths.
        let mut known: HashMap<Vec<Roles<'a>>, Arc<Privileges>> = HashMap::new();
        let all = Arc::new(self.directory.all_privileges());
        let held = self.listed_paths().into_iter().map(|path| {
            let path = AclPath::observed(path);
            let privileges = match &self.source {
                Source::Everything => all.clone(),
                Source::Views(views) => {
                    let roles = self.roles(views, &path);
                    let fresh = |roles: &Vec<Roles<'a>>| Arc::new(self.common(roles));
                    known.entry(roles).or_insert_with_key(fresh).clone()
                }
            };
            (path, privileges)
        });
        held.filter(|(_, privileges)| !privileges.is_empty()).collect()
    }

    fn listed_paths(&self) -> Vec<&str> {
        let mut paths = DEFAULT_PATHS.to_vec();
        let mut last = None;
        // Entries of one path follow one another.
        for key in self.directory.acl.keys().filter(|key| last.replace(&key.path) != Some(&key.path)) {
            paths.extend(key.path.upwards());
        }
        paths.extend(self.member_of().keys().map(String::as_str));
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// The pools of each member, by the member's path; most questions are not about members.
    fn member_of(&self) -> &HashMap<String, Vec<&'a PoolId>> {
        self.member_of.get_or_init(|| {
            let mut member_of: HashMap<String, Vec<&PoolId>> = HashMap::new();
            for (id, pool) in &self.directory.pools {
                for path in pool.paths() {
                    member_of.entry(path).or_default().push(id);
                }
            }
            member_of
        })
    }

    /// The roles that count on a path, for each view; pools add theirs, never propagated (FACTS 87).
    fn roles(&self, views: &[View<'a>], path: &AclPath) -> Vec<Roles<'a>> {
        let may_be_member = ["/vms/", "/storage/"].iter().any(|top| path.as_str().starts_with(top));
        let pools = may_be_member.then(|| self.member_of().get(path.as_str())).flatten();
        let of = |view: &View<'a>| {
            let mut roles = view.roles(path);
            if denied(&roles) {
                return Vec::new();
            }
            for pool in pools.into_iter().flatten() {
                let through_pool = view.roles(&pool.acl_path());
                if !denied(&through_pool) {
                    roles.extend(through_pool.into_iter().map(|(role, _)| (role, false)));
                }
            }
            roles
        };
        views.iter().map(of).collect()
    }

    /// Whether all of these grant a privilege; without any there is none.
    fn grants_all(&self, views: &[Roles<'_>], privilege: &str) -> bool {
        let grants = |role: &RoleId| self.directory.roles.get(role).is_some_and(|held| held.contains(privilege));
        !views.is_empty() && views.iter().all(|roles| roles.iter().any(|(role, _)| grants(role)))
    }

    /// The privileges that all of these grant.
    fn common(&self, views: &[Roles<'_>]) -> Privileges {
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
