//! What Proxmox VE means by its texts: it has no codes for failures (FACTS 1 to 8).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::core::failure::FailureKind;

/// What a request is about, to tell whether the very thing is missing or another one that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// A list or a login: nothing that could be gone.
    Nothing,
    /// The thing that is read, changed or deleted.
    Thing(Noun, String),
    /// Exactly one ACL entry is revoked: without its role or subject it is gone (FACTS 52).
    Entry,
}

/// The kinds of things that Proxmox VE calls missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noun {
    /// A group.
    Group,
    /// A user.
    User,
    /// A token.
    Token,
    /// A role.
    Role,
    /// A realm.
    Realm,
    /// A sync job.
    SyncJob,
    /// A pool.
    Pool,
    /// The pool that a new one is to be nested in.
    ParentPool,
}

/// Body of a failure.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(rename = "data")]
    _data: Option<IgnoredAny>,
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    errors: Option<BTreeMap<String, serde_json::Value>>,
}

/// The kind and the part of the answer to show.
pub(crate) type Verdict = (FailureKind, String);

/// Our own words for each kind, saying what to do.
pub(crate) fn sentence(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Authentication => {
            "Proxmox VE refuses the credential; check it, its expiry, and that its user is enabled"
        }
        FailureKind::Certificate => "the server's certificate is not accepted",
        FailureKind::Unreachable => "Proxmox VE cannot be reached",
        FailureKind::Lost => "the answer to a change was lost; what stands is read again",
        FailureKind::Forbidden => "the credential lacks a right; grant what Proxmox VE names",
        FailureKind::Gone => "it is not there",
        FailureKind::MissingReference => "something that it refers to is not there; create that first",
        FailureKind::AlreadyExists => "it is there already",
        FailureKind::Invalid => "Proxmox VE refuses the values; correct them",
        FailureKind::LockTimeout => "another writer holds Proxmox VE's lock; it is tried again",
        FailureKind::NoQuorum => "the cluster has no quorum and cannot write; bring its nodes back",
        FailureKind::Changed => "it was changed by somebody else meanwhile; it is read again",
        FailureKind::CheckFailed => {
            "Proxmox VE cannot log in to the realm's directory so, and the change was not taken"
        }
        FailureKind::Other => "Proxmox VE failed",
    }
}

pub(crate) fn parameters(reason: &str, refusal: &Refusal) -> Verdict {
    let Some(errors) = refusal.errors.as_ref().filter(|errors| !errors.is_empty()) else {
        return (FailureKind::Invalid, reason.to_owned());
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("not allowed").trim().replace('\n', " ");
    let exists = errors.len() == 1 && errors.get("tokenid").is_some_and(|value| text(value) == "Token already exists.");
    let kind = if exists { FailureKind::AlreadyExists } else { FailureKind::Invalid };
    (kind, errors.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect::<Vec<_>>().join("; "))
}

/// What the text of a 500 means.
pub(crate) fn text(message: &str, about: &About) -> Verdict {
    let said = without_prefix(message.trim());
    let first = said.lines().next().unwrap_or_default();
    let verdict = |kind| (kind, message.trim().lines().next().unwrap_or_default().to_owned());
    if first.starts_with("400 ") {
        let detail = said.lines().nth(1).unwrap_or(first);
        if let (About::Thing(Noun::SyncJob, id), Some(gone)) = (about, detail.strip_prefix("id: No such job '"))
            && gone.strip_suffix('\'') == Some(id.as_str())
        {
            return verdict(FailureKind::Gone);
        }
        // Worded as a bad parameter, but a lack of rights (FACTS 57).
        let rights =
            ["role: Cannot add role ", "role: Cannot remove role "].iter().any(|start| detail.starts_with(start));
        return (if rights { FailureKind::Forbidden } else { FailureKind::Invalid }, detail.to_owned());
    }
    if first.starts_with("403 ") {
        return verdict(FailureKind::Forbidden);
    }
    if first.starts_with("cfs-lock ") && first.ends_with("got lock request timeout") {
        return verdict(FailureKind::LockTimeout);
    }
    if (first.starts_with("cfs-lock ") && first.ends_with("no quorum!")) || first == "cluster not ready - no quorum?" {
        return verdict(FailureKind::NoQuorum);
    }
    if first.starts_with("detected modified configuration") {
        return verdict(FailureKind::Changed);
    }
    if first.ends_with(" already exists") {
        return verdict(FailureKind::AlreadyExists);
    }
    if first.ends_with(" is already a pool member") || first.contains(" belongs already to pool ") {
        return verdict(FailureKind::AlreadyExists);
    }
    if first.ends_with(" is not a pool member") {
        return verdict(FailureKind::Gone);
    }
    if let Some((noun, id)) = missing(first, about) {
        let this = match about {
            About::Nothing => false,
            About::Thing(wanted, name) => *wanted == noun && name == id,
            About::Entry => true,
        };
        return verdict(if this { FailureKind::Gone } else { FailureKind::MissingReference });
    }
    let bad = [
        "missing value for required option ",
        "section '",
        "unexpected property ",
        "property contains a line feed",
        "can't set password on auth type ",
        "change password failed: ",
    ];
    verdict(if bad.iter().any(|start| first.starts_with(start)) { FailureKind::Invalid } else { FailureKind::Other })
}

/// Takes away what a write puts before its text (FACTS 3).
fn without_prefix(message: &str) -> &str {
    const PREFIXES: [&str; 19] = [
        "create group failed: ",
        "update group failed: ",
        "delete group failed: ",
        "create user failed: ",
        "update user failed: ",
        "delete user failed: ",
        "create role failed: ",
        "update role failed: ",
        "delete role failed: ",
        "create pool failed: ",
        "update pools failed: ",
        "delete pool failed: ",
        "add auth server failed: ",
        "update auth server failed: ",
        "delete auth server failed: ",
        "ACL update failed: ",
        "generating token failed: ",
        "updating token info failed: ",
        "deleting token failed: ",
    ];
    PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix)).unwrap_or(message)
}

/// The thing that a text calls missing: the table of not-found texts in FACTS.
fn missing<'a>(text: &'a str, about: &'a About) -> Option<(Noun, &'a str)> {
    let between = |start: &str, end: &str| text.strip_prefix(start)?.strip_suffix(end);
    let plain = [
        ("group '", Noun::Group),
        ("user '", Noun::User),
        ("role '", Noun::Role),
        ("domain '", Noun::Realm),
        ("authentication domain '", Noun::Realm),
        ("auth domain '", Noun::Realm),
        ("pool '", Noun::Pool),
        ("parent '", Noun::ParentPool),
    ];
    if let Some(found) = plain.iter().find_map(|(start, noun)| Some((*noun, between(start, "' does not exist")?))) {
        return Some(found);
    }
    if let Some(id) = between("no such user ('", "')") {
        return Some((Noun::User, id));
    }
    if let Some(id) = between("no such group '", "'") {
        return Some((Noun::Group, id));
    }
    if let Some(rest) = text.strip_prefix("no such token '") {
        return rest.split_once('\'').map(|(id, _)| (Noun::Token, id));
    }
    // An update of a missing realm fails in Perl itself (FACTS 66).
    match about {
        About::Thing(Noun::SyncJob, id) if text == "no such realm-sync job" => Some((Noun::SyncJob, id)),
        About::Thing(Noun::Realm, id) if text.starts_with("cannot lookup undefined type!") => Some((Noun::Realm, id)),
        _ => None,
    }
}
