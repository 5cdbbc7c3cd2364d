//! The secrets of tokens in a plan.

use std::collections::BTreeSet;

use crate::api::status::SecretState;
use crate::core::batches;
use crate::core::claim::{Claim, Content, Thing, Wanted};
use crate::core::failure::{Failure, FailureKind};
use crate::core::fields::Difference;
use crate::core::ids::{AclKey, AclPath, RoleId, Subject, TokenId};
use crate::core::object::{Mode, Refusal};
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::make::Maker;
use crate::core::plan::order::Act;
use crate::core::plan::release::leaves;
use crate::core::plan::{ClaimState, Draft, Verdict};
use crate::core::token::{Issued, Next, Token};
use crate::core::write::{AclChange, Write};

/// What is to be done for the secret of a token.
pub(super) struct Secrecy {
    /// The token as it should look with this secret: its end may follow from its beginning.
    pub wanted: Wanted,
    /// What is to be stored.
    pub issued: Issued,
    /// The number of the new secret, where one is asked for.
    pub issue: Option<i64>,
}

impl Secrecy {
    /// Whether a token that stands as it should is of use already.
    pub fn arrival(&self) -> ClaimState {
        match self.issued.state {
            SecretState::Delivered | SecretState::Unknown => ClaimState::Standing,
            SecretState::Pending => ClaimState::Failed(Failure {
                kind: FailureKind::Changed,
                message: "its secret could not be written into its Secret yet; that is tried again".to_owned(),
            }),
        }
    }
}

impl Maker<'_> {
    /// What stands of a token of ours, with what its secret needs.
    pub(super) fn with_secret(&self, standing: Standing, secrecy: &mut Secrecy) -> Standing {
        let Claim::Thing(Thing::Token(token)) = &secrecy.wanted.claim else { return standing };
        let mut fields = match &standing {
            Standing::Same => Vec::new(),
            Standing::Different { fields, writes: _ } => fields.clone(),
            Standing::Absent(_) | Standing::Unread(_) => return standing,
        };
        let snapshot = self.input.snapshot;
        if secrecy.issue.is_some() {
            fields.push("secret".to_owned());
            let difference = match &secrecy.wanted.content {
                Content::Fields(wishes) => {
                    wishes.difference(&snapshot.fields(&Thing::Token(token.clone())).unwrap_or_default())
                }
                _ => Difference::default(),
            };
            let writes = self.reissue(token, &secrecy.wanted, difference, &mut secrecy.issued);
            return Standing::Different { fields, writes };
        }
        let missing = self.restored(token, &secrecy.issued);
        if missing.is_empty() {
            secrecy.issued.restoring.clear();
            return standing;
        }
        fields.push("ACL entries".to_owned());
        let writes = match standing {
            Standing::Different { fields: _, writes } => writes.into_iter().chain(missing).collect(),
            Standing::Same | Standing::Absent(_) | Standing::Unread(_) => missing,
        };
        Standing::Different { fields, writes }
    }

    /// The requests that make a named thing.
    pub(super) fn creation(&self, wanted: &Wanted, secrecy: Option<&Secrecy>) -> Vec<Write> {
        let restored = match (&wanted.claim, secrecy) {
            (Claim::Thing(Thing::Token(token)), Some(secrecy)) => self.restored(token, &secrecy.issued),
            _ => Vec::new(),
        };
        compare::creation(wanted).into_iter().chain(restored).collect()
    }

    /// Forgets of what is to be put back what other objects see to: they make it, or leave it away, themselves.
    pub(super) fn without_claimed(&self, token: &TokenId, issued: &mut Issued) {
        issued.restoring.retain(|entry| !self.is_seen_to(&Claim::Acl(key(token, entry))));
    }

    fn is_seen_to(&self, claim: &Claim) -> bool {
        let stakes = self.stakes.by_claim.get(claim);
        stakes.into_iter().flatten().any(|stake| {
            let object = &self.input.objects[stake.object];
            let makes = object.mode == Mode::Manage && stake.wanted.is_some();
            makes || leaves(stake, object)
        })
    }

    /// The requests that give a standing token its new secret, with what else differs.
    fn reissue(&self, token: &TokenId, wanted: &Wanted, difference: Difference, issued: &mut Issued) -> Vec<Write> {
        let snapshot = self.input.snapshot;
        let Difference { set, unset } = difference;
        if snapshot.version.regenerates_tokens() {
            return vec![Write::Regenerate { token: token.clone(), set, unset }];
        }
        // The token is made anew, and PVE drops its entries with it: whoever made them, they are put back.
        let entries = snapshot.acl.iter().flatten().filter(|(key, _)| key.subject == Subject::Token(token.clone()));
        let mut dropped: BTreeSet<_> = issued.restoring.drain(..).collect();
        dropped.extend(entries.map(|(key, propagate)| (key.path.clone(), key.role.clone(), *propagate)));
        let restored = self.put_back(token, &dropped);
        issued.restoring = dropped.into_iter().collect();
        self.without_claimed(token, issued);
        let thing = Thing::Token(token.clone());
        let mut fields = wanted.content.for_create();
        // What is not managed is kept.
        for (name, value) in snapshot.fields(&thing).unwrap_or_default() {
            let cleared = matches!(&wanted.content, Content::Fields(wishes) if wishes.0.contains_key(name.as_str()));
            if !cleared && !value.expose().is_empty() {
                fields.entry(name).or_insert(value);
            }
        }
        [Write::Delete { thing: thing.clone() }, Write::create(thing, fields)].into_iter().chain(restored).collect()
    }

    /// The requests that put back the entries that are missing.
    fn restored(&self, token: &TokenId, issued: &Issued) -> Vec<Write> {
        let acl = &self.input.snapshot.acl;
        let stands = |entry: &&Entry| acl.as_ref().is_ok_and(|acl| acl.contains_key(&key(token, entry)));
        self.put_back(token, issued.restoring.iter().filter(|entry| !stands(entry)))
    }

    /// The requests that make entries; their roles may be gone meanwhile.
    fn put_back<'e>(&self, token: &TokenId, entries: impl IntoIterator<Item = &'e Entry>) -> Vec<Write> {
        let entries = entries.into_iter().filter(|(_, role, _)| {
            let role = Thing::Role(role.clone());
            self.input.snapshot.shows(&role) == Ok(true)
        });
        let grants = entries.map(|entry| (key(token, entry), AclChange::Grant { propagate: entry.2 }));
        batches::fold(grants).into_iter().map(Write::Acl).collect()
    }
}

/// Path, role and `propagate` of an entry of a token.
type Entry = (AclPath, RoleId, bool);

fn key(token: &TokenId, (path, role, _): &Entry) -> AclKey {
    AclKey { path: path.clone(), subject: Subject::Token(token.clone()), role: role.clone() }
}

/// What this plan takes away is not put back by the tokens that it makes anew.
pub(super) fn without_revoked(draft: &mut Draft) {
    let revoked = draft.operations.iter().filter_map(|operation| match &operation.act {
        Act::Revoke { key } if matches!(key.subject, Subject::Token(_)) => Some(key.clone()),
        _ => None,
    });
    let revoked: BTreeSet<AclKey> = revoked.collect();
    if revoked.is_empty() {
        return;
    }
    for operation in &mut draft.operations {
        if let Act::Write(writes) = &mut operation.act {
            *writes = std::mem::take(writes).into_iter().flat_map(|write| without(write, &revoked)).collect();
        }
    }
    for Verdict { claims, token: issued, .. } in &mut draft.verdicts {
        let tokens = claims.keys().filter_map(|claim| match claim {
            Claim::Thing(Thing::Token(token)) => Some(token),
            _ => None,
        });
        for (token, issued) in tokens.zip(issued) {
            issued.restoring.retain(|entry| !revoked.contains(&key(token, entry)));
        }
    }
}

fn without(write: Write, revoked: &BTreeSet<AclKey>) -> Vec<Write> {
    match write {
        Write::Acl(batch) => {
            let left = batch.entries().filter(|key| !revoked.contains(key)).map(|key| (key, batch.change));
            batches::fold(left).into_iter().map(Write::Acl).collect()
        }
        other => vec![other],
    }
}

/// What a token's secret needs: `Ok(None)` for what is no token.
pub(super) fn secrecy(
    wanted: &Wanted,
    token: Option<&Token>,
    standing: bool,
    adopted: bool,
) -> Result<Option<Secrecy>, Refusal> {
    let Some(token) = token else { return Ok(None) };
    let next = if standing {
        token.next(adopted)
    } else {
        token.nowhere().map_or_else(|| Next::Issue(carried(token)), Next::Refuse)
    };
    let (issued, issue) = match next {
        Next::Keep(issued) => (issued, None),
        Next::Issue(issued) => (issued.clone(), Some(issued.issue)),
        Next::Refuse(refusal) => return Err(refusal),
    };
    let mut wanted = wanted.clone();
    if let (Content::Fields(wishes), Some(expiry)) = (&mut wanted.content, issued.at.and_then(|at| token.expiry(at))) {
        wishes.value("expire", expiry.to_string());
    }
    Ok(Some(Secrecy { wanted, issued, issue }))
}

/// The issue for a token that is to be made: no entry is forgotten that is still to be put back.
fn carried(token: &Token) -> Issued {
    match token.issued.clone() {
        None => token.fresh(),
        Some(issued) => {
            let restoring = issued.restoring.clone();
            Issued { restoring, ..token.again(issued) }
        }
    }
}
