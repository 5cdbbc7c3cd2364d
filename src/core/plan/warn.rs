//! What is worth knowing of things that are as they should be.

use std::cell::OnceCell;

use crate::api::Reason;
use crate::api::status::SecretState;
use crate::core::claim::{Claim, Thing};
use crate::core::ids::{RealmId, TokenId};
use crate::core::object::{Mode, Object, Refusal};
use crate::core::permissions::Directory;
use crate::core::plan::guard;
use crate::core::plan::{ClaimState, Draft, Input, Verdict};
use crate::core::snapshot::Credential;
use crate::core::visibility::View;

/// Warns of tokens without a right or without a known secret, and of realms that nobody can sign in with.
pub(super) fn warn(input: &Input<'_>, view: &View<'_>, draft: &mut Draft) {
    let warner = Warner { input, view, directory: OnceCell::new() };
    for (object, verdict) in input.objects.iter().zip(&mut draft.verdicts) {
        // What an observed object lacks it is not said to have.
        let about = if object.mode == Mode::Observe { None } else { warner.about(object, verdict) };
        verdict.warning = both(verdict.warning.take(), about);
    }
}

/// An object has one warning: the first gives the reason, and the message has both.
fn both(first: Option<Refusal>, second: Option<Refusal>) -> Option<Refusal> {
    match (first, second) {
        (Some(first), Some(second)) => {
            let message = format!("{}; {}: {}", first.message, second.reason, second.message);
            Some(Refusal::new(first.reason, message))
        }
        (first, second) => first.or(second),
    }
}

struct Warner<'a> {
    input: &'a Input<'a>,
    view: &'a View<'a>,
    /// What rights follow from, worked out once it is needed.
    directory: OnceCell<Option<Directory>>,
}

impl Warner<'_> {
    fn about(&self, object: &Object, verdict: &Verdict) -> Option<Refusal> {
        let mut standing = verdict.claims.iter().filter(|(_, state)| **state == ClaimState::Standing);
        standing.find_map(|(claim, _)| match claim {
            Claim::Thing(Thing::Token(id)) => self.token(id, object, verdict),
            Claim::Thing(Thing::Realm(id)) => self.realm(id),
            _ => None,
        })
    }

    fn token(&self, id: &TokenId, object: &Object, verdict: &Verdict) -> Option<Refusal> {
        let token = object.token.as_ref()?;
        if verdict.token.as_ref().is_some_and(|issued| issued.state == SecretState::Unknown) {
            let message = format!(
                "the token was taken over and its secret is not known here, so that Secret {} is not written; ask for a \
                 new one with the annotation {}",
                token.wish.secret_name,
                crate::api::ROTATE_REQUESTED_AT
            );
            return Some(Refusal::new(Reason::SecretUnknown, message));
        }
        if !self.view.sees_all_entries() {
            return None;
        }
        let directory = self.directory.get_or_init(|| guard::directory(self.input.snapshot, true)).as_ref()?;
        let rights = directory.rights(&Credential::Token(id.clone()), token.now);
        rights.everywhere().is_empty().then(|| {
            let message = format!(
                "token {id} has no privilege at all: make it the subject of a ProxmoxAcl, and grant its user the same, \
                 since a separated token holds only what both hold"
            );
            Refusal::new(Reason::NoPrivileges, message)
        })
    }

    fn realm(&self, id: &RealmId) -> Option<Refusal> {
        let Some(trouble) = self.input.memory.issuers.get(id) else {
            let trouble = self.input.memory.sign_ins.get(id)?;
            return Some(Refusal::new(Reason::SignInImpaired, trouble.clone()));
        };
        let message = format!(
            "nobody can sign in with realm {id}: {trouble}; check that issuerUrl is exactly the issuer in the provider's \
             discovery document (a slash at the end counts), and that the nodes reach it and trust its certificate"
        );
        Some(Refusal::new(Reason::IssuerUnreachable, message))
    }
}
