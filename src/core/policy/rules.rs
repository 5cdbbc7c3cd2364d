//! What a rule allows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Asked;
use crate::api::Reason;
use crate::api::policy::PolicyRule;
use crate::core::claim::{Claim, Content, Membership, PoolItem, Scope, Thing};
use crate::core::failure::Failure;
use crate::core::ids::{AclKey, AclPath, GroupId, IdError, PoolId, RealmId, RoleId, Subject, UserId};
use crate::core::object::{Object, Refusal};
use crate::core::snapshot::{Group, Snapshot};
use crate::core::visibility::{Needed, Sight, View, shows_all_entries, shows_groups, shows_pools};

/// A rule; a field that is `None` allows all there is.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    namespaces: Option<Vec<Pattern>>,
    kinds: Option<Vec<String>>,
    paths: Option<Vec<AclPath>>,
    roles: Option<Vec<Pattern>>,
    realms: Option<Vec<Pattern>>,
    groups: Option<Vec<Pattern>>,
    users: Option<Vec<Pattern>>,
}

/// A text in which `*` stands for any text.
#[derive(Debug, Clone)]
struct Pattern(String);

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        let Some(mut middle) = rest.strip_suffix(last) else { return false };
        for part in parts {
            let Some((_, after)) = middle.split_once(part) else { return false };
            middle = after;
        }
        true
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What of a rule something touches.
#[derive(Default)]
struct Touched {
    paths: Vec<AclPath>,
    roles: Vec<RoleId>,
    realms: Vec<RealmId>,
    groups: Vec<GroupId>,
    users: Vec<UserId>,
}

impl Rule {
    pub fn parse(rule: &PolicyRule) -> Result<Self, IdError> {
        let PolicyRule { namespaces, kinds, paths, roles, realms, group_ids, user_ids } = rule;
        let patterns =
            |texts: &Option<Vec<String>>| texts.as_ref().map(|texts| texts.iter().cloned().map(Pattern).collect());
        let parsed = |paths: &Vec<String>| paths.iter().map(|path| AclPath::parse(path)).collect();
        Ok(Self {
            namespaces: patterns(namespaces),
            kinds: kinds.clone(),
            paths: paths.as_ref().map(parsed).transpose()?,
            roles: patterns(roles),
            realms: patterns(realms),
            groups: patterns(group_ids),
            users: patterns(user_ids),
        })
    }

    /// Whether it allows some guests or storages and not others.
    pub fn names_members(&self) -> bool {
        let trees = [AclPath::observed("/vms"), AclPath::observed("/storage")];
        self.paths.iter().flatten().any(|path| trees.iter().any(|tree| path.is_within(tree)))
    }

    fn is_for(&self, kind: &str, namespace: &str) -> bool {
        let has_namespace = |all: &Vec<Pattern>| all.iter().any(|pattern| pattern.matches(namespace));
        self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|it| it == kind))
            && self.namespaces.as_ref().is_none_or(has_namespace)
    }

    /// What is not allowed of all this.
    fn violation(&self, touched: &Touched) -> Option<String> {
        let Touched { paths, roles, realms, groups, users } = touched;
        let outside = self.paths.as_ref().and_then(|allowed| {
            let path = paths.iter().find(|path| !allowed.iter().any(|prefix| path.is_within(prefix)))?;
            Some(format!("path {path} is not within {}", joined(allowed)))
        });
        outside
            .or_else(|| foreign("role", self.roles.as_ref(), roles.iter().map(RoleId::as_str)))
            .or_else(|| foreign("realm", self.realms.as_ref(), realms.iter().map(RealmId::as_str)))
            .or_else(|| foreign("group", self.groups.as_ref(), groups.iter().map(GroupId::as_str)))
            .or_else(|| foreign("user", self.users.as_ref(), users.iter().map(UserId::as_str)))
    }
}

/// What stands, and how much of it is seen.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub snapshot: &'a Snapshot,
    pub view: &'a View<'a>,
}

/// Why no rule fits.
pub(super) enum Misfit {
    /// What keeps the rule that goes furthest from fitting.
    Violation(String),
    /// Whether one fits cannot be told now.
    Unseen(Refusal),
}

/// Whether one of the rules fits all that is asked for.
///
/// # Errors
/// Why none does.
pub(super) fn fit(rules: &[Rule], object: &Object, asked: &[Asked<'_>], seen: Seen<'_>) -> Result<(), Misfit> {
    let (mut nearest, mut unseen): (Option<(usize, String)>, _) = (None, None);
    for rule in rules.iter().filter(|rule| rule.is_for(object.key.kind, &object.key.namespace)) {
        let of_claim = |asked: &Asked<'_>| {
            let violation = rule.violation(&touched(asked, rule, seen)?);
            Ok(violation.map(|violation| format!("{}: {violation}", asked.claim)))
        };
        let of_scope = |scope: &Scope| {
            let violation = rule.violation(&in_scope(scope));
            Ok(violation.map(|violation| format!("what is Exact: {violation}")))
        };
        let all = asked.iter().map(of_claim).chain(object.exact.iter().map(of_scope));
        let (mut violation, mut hidden) = (None, None);
        for (index, judged) in all.enumerate() {
            match judged {
                Ok(None) => {}
                Ok(Some(why)) => violation = violation.or(Some((index, why))),
                Err(refusal) => hidden = Some(refusal),
            }
        }
        match (violation, hidden) {
            (None, None) => return Ok(()),
            (None, Some(refusal)) => unseen = Some(refusal),
            (Some(violation), _) if nearest.as_ref().is_none_or(|(fits, _)| violation.0 > *fits) => {
                nearest = Some(violation);
            }
            (Some(_), _) => {}
        }
    }
    if let Some(refusal) = unseen {
        return Err(Misfit::Unseen(refusal));
    }
    let why = nearest.map_or_else(
        || format!("no rule is for {} in namespace {}", object.key.kind, object.key.namespace),
        |(_, violation)| violation,
    );
    Err(Misfit::Violation(format!("{why}; change it, or ask whoever keeps the connection for a rule")))
}

/// Whether one of the rules fits a check.
///
/// # Errors
/// What keeps the last one that is for checks from fitting.
pub(super) fn fit_check(rules: &[Rule], namespace: &str, path: &AclPath, subject: &Subject) -> Result<(), String> {
    const KIND: &str = "ProxmoxAccessCheck";
    let mut result = Err(format!("no rule is for {KIND} in namespace {namespace}"));
    for rule in rules.iter().filter(|rule| rule.is_for(KIND, namespace)) {
        let touched = Touched { paths: vec![path.clone()], ..of_subject(subject) };
        match rule.violation(&touched) {
            None => return Ok(()),
            Some(violation) => result = Err(format!("rights of {subject} on {path}: {violation}")),
        }
    }
    result
}

/// What a claim touches; as far as the rule asks for it.
fn touched(asked: &Asked<'_>, rule: &Rule, seen: Seen<'_>) -> Result<Touched, Refusal> {
    Ok(match asked.claim {
        Claim::Thing(Thing::Realm(id)) => return of_realm(id, asked, rule, seen),
        Claim::Thing(Thing::SyncJob(_)) => {
            Touched { realms: asked.value("realm").map(RealmId::observed).into_iter().collect(), ..Touched::default() }
        }
        Claim::Thing(Thing::Role(id)) => {
            // Whoever changes it changes what it grants everywhere.
            let acl = if rule.paths.is_some() { Some(seen.entries()?) } else { None };
            let used = acl.into_iter().flat_map(BTreeMap::keys).filter(|key| key.role == *id);
            Touched { roles: vec![id.clone()], paths: used.map(|key| key.path.clone()).collect(), ..Touched::default() }
        }
        Claim::Thing(Thing::Group(id)) => Touched { groups: vec![id.clone()], ..Touched::default() },
        Claim::Thing(Thing::User(id)) => of_user(id.clone()),
        Claim::Thing(Thing::Token(id)) => of_user(id.user()),
        Claim::Thing(Thing::Pool(id)) => Touched { paths: vec![id.acl_path()], ..Touched::default() },
        Claim::Member(Membership { group, user }) => Touched { groups: vec![group.clone()], ..of_user(user.clone()) },
        Claim::PoolMember(pool, item) => {
            let mut paths = vec![pool.acl_path(), path_of_item(item)];
            // Whoever has a guest by the pool that it is taken from loses it.
            if let (Some(Content::PoolMember { allow_move: true }), true) = (asked.content, rule.paths.is_some()) {
                let all = seen.pools_within(&AclPath::observed("/pool"))?;
                let others = all.into_iter().filter(|(id, members)| *id != pool && members.contains(item));
                paths.extend(others.map(|(id, _)| id.acl_path()));
            }
            Touched { paths, ..Touched::default() }
        }
        Claim::Acl(key) => {
            let mut paths = vec![key.path.clone()];
            if let Some(pool) = pool_at(&key.path).filter(|_| rule.names_members()) {
                // An entry on a pool that is passed on reaches the nested ones.
                let within = seen.pools_within(&pool.acl_path())?;
                paths.extend(within.into_iter().flat_map(|(_, members)| members).map(path_of_item));
            }
            Touched { paths, roles: vec![key.role.clone()], ..of_subject(&key.subject) }
        }
    })
}

fn of_subject(subject: &Subject) -> Touched {
    match subject {
        Subject::Group(group) => Touched { groups: vec![group.clone()], ..Touched::default() },
        Subject::User(user) => of_user(user.clone()),
        Subject::Token(token) => of_user(token.user()),
    }
}

/// A realm, with the groups that its provider or directory fills, and with the realm that it takes the default flag from.
fn of_realm(id: &RealmId, asked: &Asked<'_>, rule: &Rule, seen: Seen<'_>) -> Result<Touched, Refusal> {
    let Some(Content::Realm(content)) = asked.content else {
        return Ok(Touched { realms: vec![id.clone()], ..Touched::default() });
    };
    let by_claim = content.value("groups-claim").is_some_and(|claim| !claim.is_empty());
    let fills = by_claim || matches!(content.kind, "ldap" | "ad");
    let groups = if fills && rule.groups.is_some() { Some(seen.groups()?) } else { None };
    let groups = groups.into_iter().flat_map(BTreeMap::keys).filter(|group| group.may_be_synced(id));
    let realms = &read(&seen.snapshot.realms, "realms")?.realms;
    let default = realms.iter().filter(|(_, realm)| content.is_default() && realm.default).map(|(id, _)| id.clone());
    Ok(Touched {
        realms: std::iter::once(id.clone()).chain(default).collect(),
        groups: groups.cloned().collect(),
        ..Touched::default()
    })
}

impl<'a> Seen<'a> {
    /// All ACL entries.
    fn entries(self) -> Result<&'a BTreeMap<AclKey, bool>, Refusal> {
        let acl = read(&self.snapshot.acl, "ACL entries")?;
        if self.view.sees_all_entries() { Ok(acl) } else { Err(hidden("ACL entries", &shows_all_entries())) }
    }

    /// All groups.
    fn groups(self) -> Result<&'a BTreeMap<GroupId, Group>, Refusal> {
        let groups = read(&self.snapshot.groups, "groups")?;
        self.clear("groups", &shows_groups()).map(|()| groups)
    }

    /// The pools at a path and below it, with what is in them.
    fn pools_within(self, path: &AclPath) -> Result<Vec<(&'a PoolId, &'a BTreeSet<PoolItem>)>, Refusal> {
        const WHAT: &str = "what is in pools";
        let pools = read(&self.snapshot.pools, WHAT)?;
        let needed = shows_pools(path.clone());
        self.clear(WHAT, &needed)?;
        let within = pools.iter().filter(|(id, _)| id.acl_path().is_within(path));
        within
            .map(|(id, pool)| match &pool.members {
                Some(members) => Ok((id, read(members, WHAT)?)),
                None => Err(hidden(WHAT, &needed)),
            })
            .collect()
    }

    fn clear(self, what: &str, needed: &Needed) -> Result<(), Refusal> {
        match self.view.sight_by(needed) {
            Sight::Clear => Ok(()),
            Sight::Blocked | Sight::Uncertain => Err(hidden(what, needed)),
        }
    }
}

fn read<'l, T>(listing: &'l Result<T, Failure>, what: &str) -> Result<&'l T, Refusal> {
    listing.as_ref().map_err(|failure| {
        let message =
            format!("the policy of the connection asks for {what}, which could not be read: {}", failure.message);
        Refusal::new(failure.kind.reason(), message)
    })
}

fn hidden(what: &str, needed: &Needed) -> Refusal {
    let message = format!(
        "the policy of the connection asks for {what}, which cannot be seen: the connection's credential needs \
         {needed}"
    );
    Refusal::new(Reason::Forbidden, message)
}

fn of_user(user: UserId) -> Touched {
    Touched { realms: vec![user.realm()], users: vec![user], ..Touched::default() }
}

fn in_scope(scope: &Scope) -> Touched {
    let at = |path: AclPath| Touched { paths: vec![path], ..Touched::default() };
    match scope {
        Scope::Members(group) => Touched { groups: vec![group.clone()], ..Touched::default() },
        Scope::Groups(user) => of_user(user.clone()),
        Scope::Pool(pool) => at(pool.acl_path()),
        Scope::Entries(path) => at(path.clone()),
        Scope::AnyMembers => Touched::default(),
    }
}

/// The pool that rights on a path are for.
pub(super) fn pool_at(path: &AclPath) -> Option<PoolId> {
    path.as_str().strip_prefix("/pool/").map(PoolId::observed)
}

fn path_of_item(item: &PoolItem) -> AclPath {
    match item {
        PoolItem::Guest(id) => AclPath::observed(&format!("/vms/{id}")),
        PoolItem::Storage(id) => AclPath::observed(&format!("/storage/{id}")),
    }
}

fn foreign<'i>(noun: &str, allowed: Option<&Vec<Pattern>>, ids: impl Iterator<Item = &'i str>) -> Option<String> {
    let allowed = allowed?;
    let mut ids = ids;
    let id = ids.find(|id| !allowed.iter().any(|pattern| pattern.matches(id)))?;
    Some(format!("{noun} {id} is not among {}", joined(allowed)))
}

fn joined(allowed: &[impl fmt::Display]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = allowed.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if allowed.len() > SHOWN { ", …" } else { "" };
    match shown.as_slice() {
        [] => "any: the list is empty".to_owned(),
        shown => format!("{}{more}", shown.join(", ")),
    }
}
