//! What must stand before a claim can be made.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::core::claim::{Claim, Content, Membership, Thing};
use crate::core::ids::{AclKey, GroupId, RealmId, RoleId, Subject, UserId};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::make::Maker;
use crate::core::plan::{ClaimState, Draft, Trouble, Verdict};
use crate::core::privileges;
use crate::core::snapshot::Credential;
use crate::core::visibility::Sight;

impl Maker<'_> {
    /// What must be done before, or why it cannot be done.
    pub(super) fn needs(
        &self,
        draft: &Draft,
        claim: &Claim,
        content: &Content,
        objects: &[ObjectKey],
    ) -> Result<BTreeSet<Claim>, Refusal> {
        let mut after = BTreeSet::new();
        for key in objects {
            let Some(index) = self.index.get(key) else {
                return Err(not_ready(key, "it is not there"));
            };
            let verdict = &draft.verdicts[*index];
            if let Some(trouble) = trouble_of_thing(verdict) {
                return Err(not_ready(key, trouble.reason().as_str()));
            }
            after.extend(things(verdict).map(|(claim, _)| claim).filter(|claim| self.planned.contains(claim)).cloned());
        }
        match (claim, content) {
            (Claim::Thing(Thing::SyncJob(_)), Content::Fields(wishes)) => {
                if let Some(Some(realm)) = wishes.0.get("realm") {
                    let realm = RealmId::observed(realm.expose());
                    self.stands(Thing::Realm(realm), &mut after)?;
                }
            }
            (Claim::Thing(Thing::Realm(_) | Thing::SyncJob(_) | Thing::Role(_) | Thing::Group(_)), _) => {}
            (Claim::Thing(Thing::User(id)), _) => {
                self.stands(Thing::Realm(id.realm()), &mut after)?;
            }
            (Claim::Thing(Thing::Token(id)), _) => self.user_stands(&id.user(), &mut after)?,
            (Claim::Thing(Thing::Pool(id)), _) => {
                if let Some(parent) = id.parent() {
                    self.stands(Thing::Pool(parent), &mut after)?;
                }
            }
            (Claim::Member(Membership { group, user }), _) => {
                self.stands(Thing::Group(group.clone()), &mut after)?;
                self.user_stands(user, &mut after)?;
            }
            (Claim::PoolMember(pool, item), content) => {
                self.stands(Thing::Pool(pool.clone()), &mut after)?;
                let allow_move = matches!(content, Content::PoolMember { allow_move: true });
                if let Some(refusal) = self.kept_out(claim, item, allow_move) {
                    return Err(refusal);
                }
            }
            (Claim::Acl(AclKey { subject, role, path: _ }), _) => {
                self.stands(Thing::Role(role.clone()), &mut after)?;
                match subject {
                    Subject::Group(group) => {
                        self.stands(Thing::Group(group.clone()), &mut after)?;
                    }
                    Subject::User(user) => self.user_stands(user, &mut after)?,
                    Subject::Token(token) if self.input.snapshot.credential == Credential::Token(token.clone()) => {}
                    Subject::Token(token) => {
                        self.stands(Thing::Token(token.clone()), &mut after)?;
                    }
                }
            }
        }
        Ok(after)
    }

    fn user_stands(&self, user: &UserId, after: &mut BTreeSet<Claim>) -> Result<(), Refusal> {
        // Lists may leave out the one who asks (FACTS 42).
        if *user == self.input.snapshot.credential.user() {
            return Ok(());
        }
        self.stands(Thing::User(user.clone()), after)
    }

    fn stands(&self, thing: Thing, after: &mut BTreeSet<Claim>) -> Result<(), Refusal> {
        let claim = Claim::Thing(thing);
        match self.stands_or_comes(&claim, after) {
            // Only now, since to look for what was meant takes long among many.
            Some(false) => Err(missing(&claim, &claim.thing().map(|thing| self.hint(thing)).unwrap_or_default())),
            Some(true) | None => Ok(()),
        }
    }

    /// What to do about something that does not exist, or what was meant.
    fn hint(&self, thing: &Thing) -> String {
        match thing {
            Thing::Role(role) => self.hint_for_role(role),
            Thing::Group(group) => self.hint_for_group(group),
            Thing::User(user) => self.hint_for_user(user).to_owned(),
            Thing::Realm(_) => "create it with a ProxmoxRealm".to_owned(),
            Thing::Token(_) => "create it with a ProxmoxToken".to_owned(),
            Thing::Pool(_) => "create it with a ProxmoxPool".to_owned(),
            Thing::SyncJob(_) => "declare it with its ProxmoxRealm".to_owned(),
        }
    }

    fn hint_for_role(&self, role: &RoleId) -> String {
        let roles = self.input.snapshot.roles.iter().flat_map(BTreeMap::keys);
        match privileges::near(role.as_str(), &roles.map(RoleId::as_str).collect()) {
            Some(near) => format!("did you mean {near}? Else create it with a ProxmoxRole"),
            None => "check its spelling (case counts) or create it with a ProxmoxRole".to_owned(),
        }
    }

    /// Proxmox VE appends the realm to groups of a sign-in.
    fn hint_for_group(&self, group: &GroupId) -> String {
        let groups = self.input.snapshot.groups.iter().flat_map(BTreeMap::keys).map(GroupId::as_str);
        let planned = self.planned.iter().filter_map(|claim| match claim.thing() {
            Some(Thing::Group(group)) => Some(group.as_str()),
            _ => None,
        });
        let known: BTreeSet<&str> = groups.chain(planned).collect();
        let with_realm = format!("{group}-");
        let of_realm = known.iter().find(|other| other.starts_with(&with_realm)).copied();
        match of_realm.or_else(|| privileges::near(group.as_str(), &known)) {
            Some(near) => format!("did you mean {near}? Else create it with a ProxmoxGroup"),
            None => "create it with a ProxmoxGroup".to_owned(),
        }
    }

    fn hint_for_user(&self, user: &UserId) -> &'static str {
        match self.kind_of(&user.realm()) {
            Some("openid") => "it appears when it first signs in or is created",
            Some("ldap" | "ad") => "it appears with the next sync of its realm, or is created",
            Some(_) => "create it with a ProxmoxUser",
            None => "its realm does not exist either; check the spelling, or create both",
        }
    }

    /// Whether a claim stands or is made by this plan; `None` when it cannot be seen.
    fn stands_or_comes(&self, claim: &Claim, after: &mut BTreeSet<Claim>) -> Option<bool> {
        if self.planned.contains(claim) {
            after.insert(claim.clone());
            return Some(true);
        }
        match compare::presence(claim, self.input.snapshot, self.view) {
            Standing::Same | Standing::Different { .. } => Some(true),
            Standing::Absent(Sight::Clear) => Some(false),
            Standing::Absent(Sight::Uncertain | Sight::Blocked) | Standing::Unread(_) => None,
        }
    }
}

/// What an object stands for, as others refer to it: neither its members nor its sync jobs.
fn things(verdict: &Verdict) -> impl Iterator<Item = (&Claim, &ClaimState)> {
    let is_thing = |claim: &Claim| claim.thing().is_some_and(|thing| !matches!(thing, Thing::SyncJob(_)));
    verdict.claims.iter().filter(move |(claim, _)| is_thing(claim))
}

/// Why nobody can rely on what an object stands for; a member that is missing keeps nobody waiting.
fn trouble_of_thing(verdict: &Verdict) -> Option<Trouble<'_>> {
    if things(verdict).next().is_none() {
        return verdict.worst();
    }
    things(verdict).find_map(|(_, state)| state.trouble())
}

fn missing(claim: &Claim, hint: &str) -> Refusal {
    Refusal::new(Reason::DependencyNotReady, format!("{claim} does not exist in PVE yet; {hint}"))
}

fn not_ready(key: &ObjectKey, why: &str) -> Refusal {
    Refusal::new(Reason::DependencyNotReady, format!("{} is not ready: {why}", key.short()))
}
