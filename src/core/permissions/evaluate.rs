//! One credential's view of the ACL, and its privileges on a path.

use std::collections::{BTreeMap, HashMap};

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

enum Kind<'a> {
    Nothing,
    Everything,
    Entries(View<'a>),
    Both(View<'a>, Box<Kind<'a>>),
}

/// The rights of one credential in a [`Directory`] at one moment.
pub struct Rights<'a> {
    directory: &'a Directory,
    kind: Kind<'a>,
    member_of: HashMap<String, Vec<&'a PoolId>>,
}

impl Directory {
    /// The rights of a credential at `now` (seconds since 1970). Whoever is unknown, disabled or expired has none.
    pub fn rights(&self, credential: &Credential, now: i64) -> Rights<'_> {
        let kind = match credential {
            Credential::User(user) => self.of_user(user, now),
            Credential::Token(token) => self.of_token(token, now),
        };
        self.rights_from(kind)
    }

    /// The rights of somebody who is in one group and has nothing else (`ProxmoxAccessCheck` with a group).
    pub fn rights_of_group_alone(&self, group: &GroupId) -> Rights<'_> {
        let view = self.view(|subject| match subject {
            Subject::Group(id) if id == group => Some(false),
            _ => None,
        });
        self.rights_from(Kind::Entries(view))
    }

    fn rights_from<'a>(&'a self, kind: Kind<'a>) -> Rights<'a> {
        let mut member_of: HashMap<String, Vec<&PoolId>> = HashMap::new();
        if matches!(kind, Kind::Entries(_) | Kind::Both(..)) {
            for (id, pool) in &self.pools {
                for path in pool.paths() {
                    member_of.entry(path).or_default().push(id);
                }
            }
        }
        Rights { directory: self, kind, member_of }
    }

    fn of_user(&self, user: &UserId, now: i64) -> Kind<'_> {
        if !self.is_active(user, now) {
            return Kind::Nothing;
        }
        if user.is_root() {
            return Kind::Everything;
        }
        Kind::Entries(self.view(|subject| match subject {
            Subject::User(id) => (id == user).then_some(true),
            Subject::Group(id) => self.groups.get(id).is_some_and(|members| members.contains(user)).then_some(false),
            Subject::Token(_) => None,
        }))
    }

    fn of_token(&self, token: &TokenId, now: i64) -> Kind<'_> {
        let of_user = self.of_user(&token.user(), now);
        match self.tokens.get(token) {
            Some(state) if alive(state.expire, now) && state.privilege_separation => {
                let own = self.view(|subject| matches!(subject, Subject::Token(id) if id == token).then_some(true));
                Kind::Both(own, Box::new(of_user))
            }
            Some(state) if alive(state.expire, now) => of_user,
            _ => Kind::Nothing,
        }
    }

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

impl Rights<'_> {
    /// The effective privileges on a path.
    pub fn on(&self, path: &AclPath) -> Privileges {
        self.evaluate(&self.kind, path)
    }

    /// Whether a privilege is held on a path, propagated or not.
    pub fn holds(&self, path: &AclPath, privilege: &str) -> bool {
        match &self.kind {
            Kind::Nothing => false,
            Kind::Everything => true,
            _ => self.on(path).contains_key(privilege),
        }
    }

    /// Every path where something is held, among the default paths, the paths of the ACL with all above them
    /// (recording `acl-paths-valid`) and the members of pools: what `GET /access/permissions` lists without a path.
    pub fn everywhere(&self) -> BTreeMap<AclPath, Privileges> {
        let mut paths: Vec<AclPath> = DEFAULT_PATHS.iter().map(|path| AclPath::observed(path)).collect();
        // Entries of one path follow one another.
        let mut last = None;
        for key in self.directory.acl.keys().filter(|key| last.replace(&key.path) != Some(&key.path)) {
            paths.extend(key.path.upwards().map(AclPath::observed));
        }
        paths.extend(self.directory.pools.values().flat_map(super::Pool::paths).map(|path| AclPath::observed(&path)));
        paths.sort_unstable();
        paths.dedup();
        let held = paths.into_iter().map(|path| {
            let privileges = self.on(&path);
            (path, privileges)
        });
        held.filter(|(_, privileges)| !privileges.is_empty()).collect()
    }

    fn evaluate(&self, kind: &Kind<'_>, path: &AclPath) -> Privileges {
        match kind {
            Kind::Nothing => Privileges::new(),
            Kind::Everything => self.directory.all_privileges(),
            Kind::Entries(view) => self.through(view, path),
            Kind::Both(view, user) => {
                let mut own = self.through(view, path);
                if !own.is_empty() && !matches!(**user, Kind::Everything) {
                    let users = self.evaluate(user, path);
                    own.retain(|privilege, propagate| {
                        users.get(privilege).inspect(|theirs| *propagate &= **theirs).is_some()
                    });
                }
                own
            }
        }
    }

    fn through(&self, view: &View<'_>, path: &AclPath) -> Privileges {
        let denied = |roles: &Roles<'_>| roles.iter().any(|(role, _)| role.as_str() == NO_ACCESS);
        let mut roles = view.roles(path);
        if denied(&roles) {
            return Privileges::new();
        }
        for pool in self.member_of.get(path.as_str()).into_iter().flatten() {
            let through_pool = view.roles(&pool.acl_path());
            if !denied(&through_pool) {
                roles.extend(through_pool.into_iter().map(|(role, _)| (role, false)));
            }
        }
        let mut privileges = Privileges::new();
        for (role, propagate) in roles {
            for privilege in self.directory.roles.get(role).into_iter().flatten() {
                *privileges.entry(privilege.clone()).or_default() |= propagate;
            }
        }
        privileges
    }
}
