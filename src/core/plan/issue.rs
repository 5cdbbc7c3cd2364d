//! The secrets of tokens in a plan.

use crate::api::status::SecretState;
use crate::core::claim::{Claim, Content, Thing, Wanted};
use crate::core::failure::{Failure, FailureKind};
use crate::core::fields::Difference;
use crate::core::ids::TokenId;
use crate::core::object::Refusal;
use crate::core::plan::ClaimState;
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::make::Maker;
use crate::core::token::{Issued, Next, Token};
use crate::core::write::Write;

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
    ///
    /// # Errors
    /// When the token has to be made anew and that would lose something.
    pub(super) fn with_secret(&self, standing: Standing, secrecy: &mut Secrecy) -> Result<Standing, Refusal> {
        let Claim::Thing(Thing::Token(token)) = &secrecy.wanted.claim else { return Ok(standing) };
        let mut fields = match &standing {
            Standing::Same => Vec::new(),
            Standing::Different { fields, writes: _ } => fields.clone(),
            Standing::Absent(_) | Standing::Unread(_) => return Ok(standing),
        };
        let snapshot = self.input.snapshot;
        if secrecy.issue.is_some() {
            if !snapshot.version.regenerates_tokens()
                && let Some(standing) = self.cannot_put_back(token, &secrecy.issued)?
            {
                return Ok(standing);
            }
            fields.push("secret".to_owned());
            let difference = match &secrecy.wanted.content {
                Content::Fields(wishes) => {
                    wishes.difference(&snapshot.fields(&Thing::Token(token.clone())).unwrap_or_default())
                }
                _ => Difference::default(),
            };
            let writes = self.reissue(token, &secrecy.wanted, difference, &mut secrecy.issued);
            return Ok(Standing::Different { fields, writes });
        }
        let missing = self.missing(token, &secrecy.issued);
        if missing.is_empty() {
            if self.sees_what_is_back() {
                secrecy.issued.restoring.clear();
            }
            return Ok(standing);
        }
        fields.push("ACL entries".to_owned());
        let writes = match standing {
            Standing::Different { fields: _, writes } => writes.into_iter().chain(missing).collect(),
            Standing::Same | Standing::Absent(_) | Standing::Unread(_) => missing,
        };
        Ok(Standing::Different { fields, writes })
    }

    /// The requests that make a named thing.
    pub(super) fn creation(&self, wanted: &Wanted, secrecy: Option<&Secrecy>) -> Vec<Write> {
        let restored = match (&wanted.claim, secrecy) {
            (Claim::Thing(Thing::Token(token)), Some(secrecy)) => self.missing(token, &secrecy.issued),
            _ => Vec::new(),
        };
        compare::creation(wanted).into_iter().chain(restored).collect()
    }

    /// The requests that give a standing token its new secret, with what else differs.
    fn reissue(&self, token: &TokenId, wanted: &Wanted, difference: Difference, issued: &mut Issued) -> Vec<Write> {
        let snapshot = self.input.snapshot;
        let Difference { set, unset } = difference;
        if snapshot.version.regenerates_tokens() {
            return vec![Write::Regenerate { token: token.clone(), set, unset }];
        }
        // The token is made anew, and PVE drops its entries with it: whoever made them, they are put back.
        issued.restoring = self.dropped(token, issued);
        let restored = self.put_back(token, &issued.restoring);
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
    let restoring = token.issued.as_ref().map_or_else(Vec::new, |issued| issued.restoring.clone());
    Issued { restoring, ..token.first() }
}
