//! What the objects of a connection may do: all of them borrow its credential, so that Proxmox VE itself cannot tell who
//! asks.
//!
//! An object is allowed when one rule fits all that it claims, and when nothing of it is a way to a denied privilege: by
//! what a role grants now, by whom a group, user or token already stands for, by who could sign in through a realm.
//! What cannot be seen is not allowed.

mod privileged;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::api::policy::{ConnectionPolicy, LockoutException, OnRevoke};
use crate::api::refs::ConnectionKind;
use crate::core::claim::{Claim, Content, Origin, Scope, Thing};
use crate::core::fields::Wishes;
use crate::core::ids::{AclPath, IdError, Subject};
use crate::core::object::{Admission, Mode, Object, ObjectKey, Refusal};
use crate::core::privileges;
use crate::core::snapshot::{OptionValue, Snapshot};
use crate::core::visibility::View;
use privileged::Privileged;
use rules::{Misfit, Rule, Seen};

/// Ways to everything else, which a ClusterProxmoxConnection denies where its policy does not say otherwise.
pub const DENIED_BY_DEFAULT: [&str; 6] =
    ["Permissions.Modify", "User.Modify", "Realm.Allocate", "Realm.AllocateUser", "Sys.Modify", "Sys.Console"];

/// What the objects of a connection may do.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `None`: everything that is not denied.
    rules: Option<Vec<Rule>>,
    denied: BTreeSet<String>,
    tokens_without_privsep: bool,
    lockouts: Vec<LockoutException>,
    /// Whether it is of a connection for several namespaces.
    offered: bool,
    /// What becomes of what a denied object has made.
    pub on_revoke: OnRevoke,
}

impl Default for Policy {
    /// Everything is allowed.
    fn default() -> Self {
        Self {
            rules: None,
            denied: BTreeSet::new(),
            tokens_without_privsep: true,
            lockouts: Vec::new(),
            offered: false,
            on_revoke: OnRevoke::Keep,
        }
    }
}

impl Policy {
    /// Nothing is allowed.
    pub fn nothing() -> Self {
        Self { rules: Some(Vec::new()), ..Self::default() }
    }

    /// The policy of a connection of this kind.
    ///
    /// # Errors
    /// When a path in it is none.
    pub fn parse(policy: Option<&ConnectionPolicy>, kind: ConnectionKind) -> Result<Self, IdError> {
        let offered = kind == ConnectionKind::ClusterProxmoxConnection;
        let unset = ConnectionPolicy::default();
        let ConnectionPolicy {
            rules,
            denied_privileges,
            allow_tokens_without_privsep,
            allow_lockout,
            on_revoke,
            unreachable_deletion: _,
        } = policy.unwrap_or(&unset);
        let by_default = || if offered { DENIED_BY_DEFAULT.map(str::to_owned).to_vec() } else { Vec::new() };
        let rules = rules.iter().map(Rule::parse).collect::<Result<Vec<Rule>, IdError>>()?;
        Ok(Self {
            rules: (offered || !rules.is_empty()).then_some(rules),
            denied: denied_privileges.clone().unwrap_or_else(by_default).into_iter().collect(),
            tokens_without_privsep: allow_tokens_without_privsep.unwrap_or(!offered),
            lockouts: allow_lockout.clone(),
            offered,
            on_revoke: on_revoke.unwrap_or_default(),
        })
    }

    /// Whether everything is allowed.
    fn is_open(&self) -> bool {
        self.rules.is_none() && self.denied.is_empty() && self.tokens_without_privsep
    }

    /// What is wrong with the denied privileges in this version of Proxmox VE: a misspelled one would deny nothing.
    pub fn unknown_privileges(&self, snapshot: &Snapshot) -> Option<Refusal> {
        let unknown = privileges::unknown(self.denied.iter().map(String::as_str), snapshot.roles.as_ref().ok()?)?;
        Some(Refusal::new(
            Reason::InvalidSpec,
            format!("policy.deniedPrivileges: {unknown}; nothing is written until then"),
        ))
    }

    /// Whether an object may take away the operator's own rights.
    pub fn may_lock_out(&self, key: &ObjectKey) -> bool {
        self.lockouts.iter().any(|LockoutException { kind, namespace, name }| {
            *kind == key.kind
                && *name == key.name
                && namespace.as_ref().map_or(!self.offered, |namespace| *namespace == key.namespace)
        })
    }

    /// Why a check may not ask for this: its answer tells what stands in Proxmox VE.
    pub fn denies_check(&self, namespace: &str, path: &AclPath, subject: &Subject) -> Option<Refusal> {
        rules::fit_check(self.rules.as_ref()?, namespace, path, subject).err().map(denied)
    }

    /// Whether what is in pools decides about these objects.
    pub fn looks_into_pools(&self, objects: &[Object]) -> bool {
        let on_pool = |asked: Asked<'_>| matches!(asked.claim, Claim::Acl(key) if rules::pool_at(&key.path).is_some());
        let moves = |asked: Asked<'_>| matches!(asked.content, Some(Content::PoolMember { allow_move: true }));
        let asked = || objects.iter().flat_map(claims);
        let at_pool = |scope: &Scope| matches!(scope, Scope::Entries(path) if rules::pool_at(path).is_some());
        let exact = || objects.iter().flat_map(|object| &object.exact).any(at_pool);
        (self.rules.iter().flatten().any(Rule::names_members) && (asked().any(on_pool) || exact()))
            || (self.rules.is_some() && asked().any(moves))
    }
}

/// A claim, with how it should look where that is known.
#[derive(Clone, Copy)]
struct Asked<'a> {
    claim: &'a Claim,
    content: Option<&'a Content>,
}

impl<'a> Asked<'a> {
    /// The value of a field as it should be.
    fn value(&self, name: &str) -> Option<&'a str> {
        match self.content? {
            Content::Fields(Wishes(wishes)) => wishes.get(name)?.as_ref().map(OptionValue::expose),
            Content::Realm(_) | Content::Member | Content::PoolMember { .. } | Content::Acl { .. } => None,
        }
    }
}

/// All that an object wants, and what it took over and would give up.
fn claims(object: &Object) -> impl Iterator<Item = Asked<'_>> {
    let wanted = object.wanted.iter().map(|wanted| Asked { claim: &wanted.claim, content: Some(&wanted.content) });
    let adopted = object.ledger.iter().filter(|(_, entry)| entry.origin == Origin::Adopted).map(|(claim, _)| claim);
    let mut held: BTreeSet<&Claim> = adopted.collect();
    for wanted in &object.wanted {
        held.remove(&wanted.claim);
    }
    wanted.chain(held.into_iter().map(|claim| Asked { claim, content: None }))
}

/// Judges objects by the policies of their connections and by what stands.
pub struct Judge<'a> {
    policies: Vec<(&'a Policy, Option<Privileged<'a>>)>,
    snapshot: &'a Snapshot,
    view: &'a View<'a>,
}

impl<'a> Judge<'a> {
    /// Looks at what stands.
    pub fn new(policies: &'a [Policy], snapshot: &'a Snapshot, view: &'a View<'a>) -> Self {
        let privileged =
            |policy: &'a Policy| (!policy.denied.is_empty()).then(|| Privileged::new(&policy.denied, snapshot, view));
        Self { policies: policies.iter().map(|policy| (policy, privileged(policy))).collect(), snapshot, view }
    }

    /// Why objects are not allowed, by their index.
    pub fn denials(&self, objects: &[Object]) -> BTreeMap<usize, Refusal> {
        if self.policies.iter().all(|(policy, _)| policy.is_open())
            && objects.iter().all(|object| object.admission == Admission::Allowed)
        {
            return BTreeMap::new();
        }
        let of = |(index, object): (usize, &Object)| Some((index, self.denial(object)?));
        objects.iter().enumerate().filter_map(of).collect()
    }

    fn denial(&self, object: &Object) -> Option<Refusal> {
        let refusal = not_admitted(object.admission, &object.key.namespace);
        if refusal.is_some() {
            return refusal;
        }
        if object.mode == Mode::DeletingObserver {
            return None;
        }
        let asked: Vec<Asked<'_>> = claims(object).collect();
        self.judge(object, &asked)
    }

    /// Why an object may not remove something that nobody claims, or that its realm no longer vouches for.
    pub fn denies_removal(&self, object: &Object, claim: &Claim) -> Option<Refusal> {
        self.judge(object, &[Asked { claim, content: None }])
    }

    fn judge(&self, object: &Object, asked: &[Asked<'_>]) -> Option<Refusal> {
        let (policy, privileged) = &self.policies[object.connection];
        if let Some(rules) = &policy.rules
            && let Err(misfit) = rules::fit(rules, object, asked, Seen { snapshot: self.snapshot, view: self.view })
        {
            return Some(match misfit {
                Misfit::Violation(why) => denied(why),
                Misfit::Unseen(refusal) => refusal,
            });
        }
        asked.iter().find_map(|asked| policy.way_to_more(asked, privileged.as_ref()))
    }
}

impl Policy {
    /// Why a claim is a way to a denied privilege.
    fn way_to_more(&self, asked: &Asked<'_>, privileged: Option<&Privileged<'_>>) -> Option<Refusal> {
        if let (Claim::Thing(Thing::Token(_)), Some("0"), false) =
            (asked.claim, asked.value("privsep"), self.tokens_without_privsep)
        {
            let claim = asked.claim;
            return Some(denied(format!("{claim} would have all rights of its user; set privilegeSeparation to true")));
        }
        let privileged = privileged?;
        if let (Claim::Thing(Thing::Role(_)), Some(privileges)) = (asked.claim, asked.value("privs"))
            && let Some(privilege) = privileges.split(',').find(|name| self.denied.contains(*name))
        {
            return Some(denied(format!("{} would have {privilege}, which nobody gets here", asked.claim)));
        }
        privileged.way(asked)
    }
}

/// Why a namespace may not use the connection at all.
pub fn not_admitted(admission: Admission, namespace: &str) -> Option<Refusal> {
    match admission {
        Admission::Allowed => None,
        Admission::Refused => Some(denied(format!("namespace {namespace} is not among its allowedNamespaces"))),
        Admission::Unknown => {
            let message = format!(
                "whether namespace {namespace} is among the allowedNamespaces of the connection is not known: the \
                 operator has not seen its labels"
            );
            Some(Refusal::new(Reason::DependencyNotReady, message))
        }
    }
}

fn denied(why: impl Into<String>) -> Refusal {
    Refusal::new(Reason::PolicyDenied, format!("not allowed by the policy of the connection: {}", why.into()))
}
