//! Whether somebody may do what a ProxmoxAccessCheck says, and what decides it: what stands is judged, not what is planned.

mod path;
mod sight;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashMap;

use crate::api::access_check::ProxmoxAccessCheckSpec;
use crate::api::{ProxmoxAccessCheck, Reason};
use crate::core::ids::{AclPath, Subject};
use crate::core::object::Refusal;
use crate::core::permissions::{Directory, Rights, may_be_member};
use crate::core::privileges;
use crate::core::snapshot::{Credential, Snapshot};
use crate::core::visibility::View;
use crate::core::wants::{References, subject_of};
use words::Findings;

/// What must be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// For whom.
    pub subject: Subject,
    /// Where.
    pub path: AclPath,
    /// What must be held.
    pub require: Vec<String>,
    /// What must not be held.
    pub forbid: Vec<String>,
}

impl Check {
    /// What an object says.
    ///
    /// # Errors
    /// When that is nothing, or what it refers to is not there.
    pub fn of(check: &ProxmoxAccessCheck, references: &References<'_>) -> Result<Self, Refusal> {
        let ProxmoxAccessCheckSpec { connection_ref: _, subject, path, require, forbid, suspend: _ } = &check.spec;
        let namespace = check.metadata.namespace.as_deref().unwrap_or_default();
        let (subject, _) = subject_of(subject.name(), namespace, references)?;
        let path = AclPath::parse(path)?;
        Ok(Self { subject, path, require: require.clone(), forbid: forbid.clone() })
    }
}

/// Whether the members of all pools must be read to judge a check: rights on a pool reach its guests and storages.
pub fn needs_pools(check: &ProxmoxAccessCheck) -> bool {
    !check.spec.suspend && may_be_member(&check.spec.path)
}

/// That a check holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// What decides it.
    pub message: String,
    /// Why it may hold by mistake.
    pub warning: Option<Refusal>,
}

/// Judges checks at `now` (seconds since 1970), each as it could be read: what decides it, or why it does not hold or
/// cannot be told.
pub fn judge(checks: &[Result<Check, Refusal>], snapshot: &Snapshot, now: i64) -> Vec<Result<Holds, Refusal>> {
    let view = View::new(snapshot);
    let directory = Directory::of(snapshot).unwrap_or_default();
    let mut known: HashMap<&Subject, Rights<'_>> = HashMap::new();
    let mut results = Vec::new();
    for check in checks {
        results.push(check.as_ref().map_err(Clone::clone).and_then(|check| {
            check.makes_sense(snapshot)?;
            sight::of(check, snapshot, &view)?;
            let rights = known.entry(&check.subject).or_insert_with(|| rights(&directory, &check.subject, now));
            check.judge(rights)
        }));
    }
    results
}

fn rights<'a>(directory: &'a Directory, subject: &Subject, now: i64) -> Rights<'a> {
    match subject {
        Subject::Group(group) => directory.rights_of_group_alone(group),
        Subject::User(user) => directory.rights(&Credential::User(user.clone()), now),
        Subject::Token(token) => directory.rights(&Credential::Token(token.clone()), now),
    }
}

impl Check {
    fn makes_sense(&self, snapshot: &Snapshot) -> Result<(), Refusal> {
        let invalid = |message| Err(Refusal::new(Reason::InvalidSpec, message));
        if !path::is_known(&self.path) {
            return invalid(format!("Proxmox VE has no permissions on a path such as {}; correct it", self.path));
        }
        let names = self.require.iter().chain(&self.forbid).map(String::as_str);
        let unknown = snapshot.roles.as_ref().ok().and_then(|roles| privileges::unknown(names, roles));
        unknown.map_or(Ok(()), invalid)
    }

    fn judge(&self, rights: &Rights<'_>) -> Result<Holds, Refusal> {
        let (mut right, mut wrong) = (Findings::on(&self.path), Findings::on(&self.path));
        let required = self.require.iter().map(|privilege| (privilege, true));
        for (privilege, wanted) in required.chain(self.forbid.iter().map(|privilege| (privilege, false))) {
            let explanation = rights.explain(&self.path, privilege);
            let findings = if explanation.holds() == wanted { &mut right } else { &mut wrong };
            findings.add(privilege, &explanation);
        }
        if wrong.is_empty() {
            // Whoever is not there may do nothing, whatever is forbidden: a slip in the name would never be seen.
            let warning = rights.is_of_nobody().then(|| {
                let message = "it may hold only since the name of its subject is misspelled (case counts)";
                Refusal::new(Reason::SubjectMissing, message)
            });
            Ok(Holds { message: right.sentence(), warning })
        } else {
            Err(Refusal::new(Reason::AssertionFailed, wrong.sentence()))
        }
    }
}
