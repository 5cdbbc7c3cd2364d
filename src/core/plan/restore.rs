//! ACL entries of a token that is made anew for a new secret: before 9.2 Proxmox VE drops them with its former self
//! (FACTS 40). They are remembered before it is deleted, and put back.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::core::batches;
use crate::core::claim::{Claim, Thing};
use crate::core::ids::{AclKey, AclPath, RoleId, Subject, TokenId};
use crate::core::object::{Object, Refusal};
use crate::core::permissions::NO_ACCESS;
use crate::core::plan::compare::Standing;
use crate::core::plan::make::Maker;
use crate::core::plan::order::Act;
use crate::core::plan::release::{leaves, removes};
use crate::core::plan::stakes::Stakes;
use crate::core::plan::{Draft, Input};
use crate::core::token::Issued;
use crate::core::visibility::shows_all_entries;
use crate::core::write::{AclChange, Write};

/// Path, role and `propagate` of an entry of a token.
type Entry = (AclPath, RoleId, bool);

fn key(token: &TokenId, (path, role, _): &Entry) -> AclKey {
    AclKey { path: path.clone(), subject: Subject::Token(token.clone()), role: role.clone() }
}

impl Maker<'_> {
    /// What goes with the token and is to come back, whoever made it; also what has yet to come back from before.
    pub(super) fn dropped(&self, token: &TokenId, issued: &Issued) -> Vec<Entry> {
        let subject = Subject::Token(token.clone());
        let standing = self.input.snapshot.acl.iter().flatten().filter(|(key, _)| key.subject == subject);
        let before = issued.restoring.iter().map(|(path, role, propagate)| ((path, role), *propagate));
        // What stands counts for more than what was remembered.
        let all: BTreeMap<_, _> =
            before.chain(standing.map(|(key, propagate)| ((&key.path, &key.role), *propagate))).collect();
        all.into_iter().map(|((path, role), propagate)| (path.clone(), role.clone(), propagate)).collect()
    }

    /// What keeps a token from being made anew: what is not seen, or may not be granted, would not come back.
    ///
    /// # Errors
    /// When the credential is not allowed enough.
    pub(super) fn cannot_put_back(&self, token: &TokenId, issued: &Issued) -> Result<Option<Standing>, Refusal> {
        let refusal = |what: String| {
            let message = format!(
                "for a new secret {token} is made anew before Proxmox VE 9.2, which drops its ACL entries, and they would \
                 not come back: the connection's credential needs {what}; or upgrade Proxmox VE"
            );
            Refusal::new(Reason::Forbidden, message)
        };
        if let Err(failure) = &self.input.snapshot.acl {
            return Ok(Some(Standing::Unread(failure.clone())));
        }
        if !self.view.sees_all_entries() {
            return Err(refusal(shows_all_entries().to_string()));
        }
        let entries = self.dropped(token, issued);
        match entries.iter().find(|(path, ..)| self.view.holds(path, &["Permissions.Modify"]) == Some(false)) {
            Some((path, ..)) => Err(refusal(format!("Permissions.Modify on {path}"))),
            None => Ok(None),
        }
    }

    /// The requests that put back the entries that are missing. Of what is not seen nothing is known.
    pub(super) fn missing(&self, token: &TokenId, issued: &Issued) -> Vec<Write> {
        match &self.input.snapshot.acl {
            Ok(acl) if self.view.sees_all_entries() => {
                self.put_back(token, issued.restoring.iter().filter(|entry| !acl.contains_key(&key(token, entry))))
            }
            Ok(_) | Err(_) => Vec::new(),
        }
    }

    /// Whether what has come back, and which roles are gone, is seen.
    pub(super) fn sees_what_is_back(&self) -> bool {
        self.view.sees_all_entries() && self.input.snapshot.acl.is_ok() && self.input.snapshot.roles.is_ok()
    }

    /// The requests that make entries, first those that take rights away; their roles may be gone meanwhile.
    pub(super) fn put_back<'e>(&self, token: &TokenId, entries: impl IntoIterator<Item = &'e Entry>) -> Vec<Write> {
        let stands = |role: &RoleId| self.input.snapshot.shows(&Thing::Role(role.clone())) == Ok(true);
        let entries = entries.into_iter().filter(|(_, role, _)| stands(role));
        let (deny, grant): (Vec<_>, Vec<_>) = entries.partition(|(_, role, _)| role.as_str() == NO_ACCESS);
        let grants = |entries: Vec<&Entry>| {
            let changes = entries.into_iter().map(|entry| (key(token, entry), AclChange::Grant { propagate: entry.2 }));
            batches::fold(changes)
        };
        grants(deny).into_iter().chain(grants(grant)).map(Write::Acl).collect()
    }
}

/// What this plan grants for another object, or takes away, is not put back beside that; and what is given up is forgotten.
pub(super) fn leave_to_others(input: &Input<'_>, stakes: &Stakes<'_>, draft: &mut Draft) {
    let restores = |act: &Act| matches!(act, Act::Write(writes) if writes.iter().any(|it| matches!(it, Write::Acl(_))));
    let remembers = |issued: &Issued| !issued.restoring.is_empty();
    if !draft.operations.iter().any(|operation| restores(&operation.act))
        && !draft.verdicts.iter().filter_map(|verdict| verdict.token.as_ref()).any(remembers)
    {
        return;
    }
    let (mut granted, mut revoked) = (BTreeSet::new(), BTreeSet::new());
    for operation in &draft.operations {
        match &operation.act {
            Act::Grant { key, propagate: _ } => drop(granted.insert(key.clone())),
            Act::Revoke { key } => drop(revoked.insert(key.clone())),
            Act::Write(_) | Act::Join(_) | Act::Leave(_) | Act::Enter { .. } | Act::Withdraw { .. } => {}
        }
    }
    let goes = |key: &AclKey| revoked.contains(key) || is_given_up(input, stakes, key);
    for operation in &mut draft.operations {
        if let Act::Write(writes) = &mut operation.act {
            let without = |write| match write {
                Write::Acl(batch) => {
                    let left = batch.entries().filter(|key| !granted.contains(key) && !goes(key));
                    batches::fold(left.map(|key| (key, batch.change))).into_iter().map(Write::Acl).collect()
                }
                other => vec![other],
            };
            *writes = std::mem::take(writes).into_iter().flat_map(without).collect();
        }
    }
    for (object, verdict) in input.objects.iter().zip(&mut draft.verdicts) {
        if let (Some(token), Some(issued)) = (token_of(object), &mut verdict.token) {
            issued.restoring.retain(|entry| !goes(&key(token, entry)));
        }
    }
}

/// Whether whoever had the entry gives it up and nobody else keeps it, without a step of this plan: it is gone already, or
/// an object of another connection removes it.
fn is_given_up(input: &Input<'_>, stakes: &Stakes<'_>, key: &AclKey) -> bool {
    let claim = Claim::Acl(key.clone());
    let interests = stakes.by_claim.get(&claim).map_or(&[][..], Vec::as_slice);
    let gives_up = |foreign: bool| {
        interests.iter().any(|stake| {
            let object = &input.objects[stake.object];
            object.is_foreign() == foreign && leaves(stake, object) && removes(&claim, stake, object)
        })
    };
    let stands = input.snapshot.acl.as_ref().is_ok_and(|acl| acl.contains_key(key));
    !interests.iter().any(|stake| stakes.counts(stake)) && (gives_up(true) || (gives_up(false) && !stands))
}

fn token_of(object: &Object) -> Option<&TokenId> {
    let claims = object.wanted.iter().map(|wanted| &wanted.claim).chain(object.ledger.keys());
    claims.into_iter().find_map(|claim| match claim {
        Claim::Thing(Thing::Token(token)) => Some(token),
        _ => None,
    })
}
