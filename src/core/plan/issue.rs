//! The secrets of tokens in a plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::status::SecretState;
use crate::core::batches;
use crate::core::claim::{Claim, Content, Thing, Wanted};
use crate::core::failure::{Failure, FailureKind};
use crate::core::fields::Difference;
use crate::core::ids::{AclKey, Subject, TokenId};
use crate::core::object::Refusal;
use crate::core::plan::ClaimState;
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::make::Maker;
use crate::core::snapshot::Snapshot;
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
            let writes = reissue(token, &secrecy.wanted, difference, &mut secrecy.issued, snapshot);
            return Standing::Different { fields, writes };
        }
        let missing = restored(token, &secrecy.issued, snapshot);
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
            (Claim::Thing(Thing::Token(token)), Some(secrecy)) => restored(token, &secrecy.issued, self.input.snapshot),
            _ => Vec::new(),
        };
        compare::creation(wanted).into_iter().chain(restored).collect()
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

/// The requests that give a standing token its new secret, with what else differs.
fn reissue(
    token: &TokenId,
    wanted: &Wanted,
    difference: Difference,
    issued: &mut Issued,
    snapshot: &Snapshot,
) -> Vec<Write> {
    let Difference { set, unset } = difference;
    if snapshot.version.regenerates_tokens() {
        return vec![Write::Regenerate { token: token.clone(), set, unset }];
    }
    // The token is made anew, and PVE drops its entries with it: whoever made them, they are put back.
    let entries = snapshot.acl.iter().flatten().filter(|(key, _)| key.subject == Subject::Token(token.clone()));
    let mut restoring: BTreeSet<_> = issued.restoring.drain(..).collect();
    restoring.extend(entries.map(|(key, propagate)| (key.path.clone(), key.role.clone(), *propagate)));
    issued.restoring = restoring.into_iter().collect();
    let thing = Thing::Token(token.clone());
    let mut fields = wanted.content.for_create();
    // What is not managed is kept.
    for (name, value) in snapshot.fields(&thing).unwrap_or_default() {
        let cleared = matches!(&wanted.content, Content::Fields(wishes) if wishes.0.contains_key(name.as_str()));
        if !cleared && !value.expose().is_empty() {
            fields.entry(name).or_insert(value);
        }
    }
    let mut writes = vec![Write::Delete { thing: thing.clone() }, Write::create(thing, fields)];
    writes.extend(restored(token, issued, &Snapshot { acl: Ok(BTreeMap::new()), ..snapshot.clone() }));
    writes
}

/// The requests that put back the entries that are missing; their roles may be gone meanwhile.
fn restored(token: &TokenId, issued: &Issued, snapshot: &Snapshot) -> Vec<Write> {
    let stands = |key: &AclKey| snapshot.acl.as_ref().is_ok_and(|acl| acl.contains_key(key));
    let missing = issued.restoring.iter().filter_map(|(path, role, propagate)| {
        let subject = Subject::Token(token.clone());
        let key = AclKey { path: path.clone(), subject, role: role.clone() };
        let role_stands = snapshot.shows(&Thing::Role(role.clone())) == Ok(true);
        (role_stands && !stands(&key)).then_some((key, AclChange::Grant { propagate: *propagate }))
    });
    batches::fold(missing).into_iter().map(Write::Acl).collect()
}
