//! A wanted thing against what stands.

use crate::api::Reason;
use crate::core::claim::{Claim, Content};
use crate::core::failure::{Failure, FailureKind};
use crate::core::snapshot::{OptionValue, Snapshot};
use crate::core::text::{same_comment, stored_comment};
use crate::core::visibility::{Sight, View};
use crate::core::write::Write;

/// What stands of a claim.
pub(super) enum Standing {
    /// Not shown; the sight says what that means.
    Absent(Sight),
    /// As wanted.
    Same,
    /// Otherwise.
    Different {
        /// The names of the fields that differ.
        fields: Vec<String>,
        /// What would make it as wanted; `None` where PVE cannot change it any more.
        write: Option<Box<Write>>,
    },
    /// It could not be read.
    Unread(Failure),
}

/// Compares without regard to content.
pub(super) fn presence(claim: &Claim, snapshot: &Snapshot, view: &View<'_>) -> Standing {
    let shown = match claim {
        Claim::Realm(id) => snapshot.realms.as_ref().map(|realms| realms.realms.contains_key(id)),
        Claim::Group(id) => snapshot.groups.as_ref().map(|groups| groups.contains_key(id)),
        Claim::Pool(id) => snapshot.pools.as_ref().map(|pools| pools.contains_key(id)),
        Claim::Acl(key) => snapshot.acl.as_ref().map(|acl| acl.contains_key(key)),
    };
    match shown {
        Ok(true) => Standing::Same,
        Ok(false) => Standing::Absent(view.sight(claim)),
        Err(failure) => Standing::Unread(failure.clone()),
    }
}

/// Compares a wanted claim with what stands.
pub(super) fn compare(claim: &Claim, content: &Content, snapshot: &Snapshot, view: &View<'_>) -> Standing {
    match presence(claim, snapshot, view) {
        Standing::Same => {}
        other => return other,
    }
    match (claim, content) {
        (Claim::Realm(id), Content::Realm(content)) => {
            let Some((realms, realm)) =
                snapshot.realms.as_ref().ok().and_then(|realms| Some((realms, realms.realms.get(id)?)))
            else {
                return Standing::Absent(Sight::Clear);
            };
            let options = match &realm.options {
                Some(Ok(options)) => options,
                Some(Err(failure)) => return Standing::Unread(failure.clone()),
                None => return Standing::Unread(not_asked(claim)),
            };
            let difference = content.difference(realm, options);
            if difference.is_empty() {
                return Standing::Same;
            }
            let fields = difference.fields();
            let write = difference.fixed.is_empty().then(|| {
                Box::new(Write::UpdateRealm {
                    realm: id.clone(),
                    set: difference.set,
                    unset: difference.unset,
                    digest: realms.digest.clone(),
                })
            });
            Standing::Different { fields, write }
        }
        (Claim::Group(id), Content::Group { comment: Some(comment) }) => {
            let stands = snapshot.groups.as_ref().ok().and_then(|groups| groups.get(id));
            comment_difference(stands.map(|group| group.comment.as_str()), comment, || Write::UpdateGroup {
                group: id.clone(),
                comment: comment.clone(),
            })
        }
        (Claim::Pool(id), Content::Pool { comment: Some(comment) }) => {
            let stands = snapshot.pools.as_ref().ok().and_then(|pools| pools.get(id));
            comment_difference(stands.map(|pool| pool.comment.as_str()), comment, || Write::UpdatePool {
                pool: id.clone(),
                comment: comment.clone(),
            })
        }
        (Claim::Acl(key), Content::Acl { propagate }) => {
            if snapshot.acl.as_ref().ok().and_then(|acl| acl.get(key)) == Some(propagate) {
                Standing::Same
            } else {
                // An entry is changed by granting it again; `order` makes the request.
                Standing::Different { fields: vec!["propagate".to_owned()], write: None }
            }
        }
        // Nothing of it is managed beyond that it stands.
        _ => Standing::Same,
    }
}

/// The request that makes a named thing; ACL entries are made in batches.
pub(super) fn creation(claim: &Claim, content: &Content) -> Option<Write> {
    let text = |comment: &Option<String>| stored_comment(comment.as_deref().unwrap_or_default()).to_owned();
    match (claim, content) {
        (Claim::Realm(realm), Content::Realm(content)) => {
            let options = content
                .for_create()
                .into_iter()
                .filter(|(_, value)| !matches!(value, OptionValue::Plain(text) if text.is_empty()))
                .collect();
            Some(Write::CreateRealm { realm: realm.clone(), kind: content.kind, options })
        }
        (Claim::Group(group), Content::Group { comment }) => {
            Some(Write::CreateGroup { group: group.clone(), comment: text(comment) })
        }
        (Claim::Pool(pool), Content::Pool { comment }) => {
            Some(Write::CreatePool { pool: pool.clone(), comment: text(comment) })
        }
        _ => None,
    }
}

fn comment_difference(stands: Option<&str>, wanted: &str, write: impl FnOnce() -> Write) -> Standing {
    if stands.is_some_and(|stands| same_comment(stands, wanted)) {
        Standing::Same
    } else {
        Standing::Different { fields: vec!["comment".to_owned()], write: Some(Box::new(write())) }
    }
}

fn not_asked(claim: &Claim) -> Failure {
    Failure { kind: FailureKind::Other, message: format!("the options of {claim} were not read in this pass") }
}

impl FailureKind {
    /// The reason that a status gives for it.
    pub fn reason(self) -> Reason {
        match self {
            Self::Authentication => Reason::AuthenticationFailed,
            Self::Certificate => Reason::CertificateMismatch,
            Self::Unreachable => Reason::APIUnavailable,
            Self::Lost | Self::Changed | Self::Gone => Reason::ProgressingWithRetry,
            Self::Forbidden => Reason::Forbidden,
            Self::MissingReference => Reason::DependencyNotReady,
            Self::AlreadyExists => Reason::AlreadyExists,
            Self::Invalid => Reason::InvalidSpec,
            Self::LockTimeout => Reason::LockTimeout,
            Self::NoQuorum => Reason::NoQuorum,
            Self::Other => Reason::UnexpectedAnswer,
        }
    }
}
