//! What would lock the operator out is refused, and the rest goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::Reason;
use crate::core::claim::{Claim, Progress};
use crate::core::ids::{AclPath, Subject};
use crate::core::object::Refusal;
use crate::core::permissions::{self, Directory};
use crate::core::plan::order::{self, Act, Operation};
use crate::core::plan::{ClaimState, Draft, Input};
use crate::core::snapshot::{Credential, Snapshot};
use crate::core::visibility::View;
use crate::core::write::Write;

/// A privilege that the objects need, and where.
type Need = (AclPath, &'static str);

/// Takes out of the plan each change after which the operator's credential would lack what its objects need, or be
/// gone with its realm.
pub(super) fn refuse_lockout(input: &Input<'_>, view: &View<'_>, draft: &mut Draft) {
    let own = own_subjects(input.snapshot);
    let user_realm = input.snapshot.credential.user().realm();
    let concerns = |operation: &Operation| match &operation.act {
        Act::Grant { key, .. } | Act::Revoke { key } => own.contains(&key.subject),
        Act::Write(Write::DeleteGroup { group }) => own.contains(&Subject::Group(group.clone())),
        Act::Write(Write::DeleteRealm { realm }) => *realm == user_realm,
        Act::Write(_) => false,
    };
    if !draft.operations.iter().any(concerns) {
        return;
    }
    order::sorted(&mut draft.operations);
    let mut guard = Guard::new(input, view);
    let operations = std::mem::take(&mut draft.operations);
    for operation in operations {
        match if concerns(&operation) { guard.judge(&operation) } else { Ok(()) } {
            Ok(()) => draft.operations.push(operation),
            Err(why) => refuse(input, draft, &operation, &why),
        }
    }
}

fn refuse(input: &Input<'_>, draft: &mut Draft, operation: &Operation, why: &str) {
    let claim = &operation.claim;
    for owner in &operation.owners {
        let object = &input.objects[*owner];
        let reason = if object.mode.is_live() { Reason::WouldLockOut } else { Reason::DeletionBlocked };
        draft.state(*owner, claim, ClaimState::Refused(Refusal::new(reason, format!("{claim}: {why}"))));
        let verdict = &mut draft.verdicts[*owner];
        let intended = verdict.ledger.get(claim).is_some_and(|entry| entry.progress == Progress::Intended);
        if intended && !object.ledger.contains_key(claim) {
            verdict.ledger.remove(claim);
        }
    }
}

/// The token, its user, and the groups of the user.
fn own_subjects(snapshot: &Snapshot) -> BTreeSet<Subject> {
    let user = snapshot.credential.user();
    let groups = snapshot.groups.iter().flatten().filter(|(_, group)| group.members.contains(&user));
    let mut own: BTreeSet<Subject> = groups.map(|(id, _)| Subject::Group(id.clone())).collect();
    if let Credential::Token(token) = &snapshot.credential {
        own.insert(Subject::Token(token.clone()));
    }
    own.insert(Subject::User(user));
    own
}

/// What is needed and held now, and a directory on which changes are tried.
struct Guard<'a> {
    credential: &'a Credential,
    held: Vec<Need>,
    /// `None` where the model cannot explain what PVE says is held.
    directory: Option<Directory>,
}

impl<'a> Guard<'a> {
    fn new(input: &'a Input<'_>, view: &View<'_>) -> Self {
        let credential = &input.snapshot.credential;
        let held: Vec<Need> = needs(input)
            .into_iter()
            .filter(|(path, privilege)| view.holds(path, &[*privilege]) == Some(true))
            .collect();
        let listed = match credential {
            Credential::Token(id) => {
                let users = input.snapshot.users.as_ref().ok();
                users.and_then(|users| users.get(&id.user())?.tokens.get(id)).map(|token| token.privilege_separation)
            }
            Credential::User(_) => Some(false),
        };
        let directory = [false, true]
            .into_iter()
            .filter(|separated| listed.is_none_or(|listed| listed == *separated))
            .filter_map(|privilege_separation| directory(input.snapshot, privilege_separation))
            .find(|directory| Self::lost(directory, credential, &held).is_none());
        Self { credential, held, directory: directory.filter(|_| view.sees_all_entries()) }
    }

    fn lost<'n>(directory: &Directory, credential: &Credential, held: &'n [Need]) -> Option<&'n Need> {
        // Expiry is not what a plan changes: everybody counts as not expired.
        let rights = directory.rights(credential, 0);
        held.iter().find(|(path, privilege)| !rights.holds(path, privilege))
    }

    fn judge(&mut self, operation: &Operation) -> Result<(), String> {
        if let Act::Write(Write::DeleteRealm { realm }) = &operation.act {
            return Err(format!(
                "the operator's own user {} is in {realm}; give the connection a credential of another realm first",
                self.credential.user()
            ));
        }
        let Some(directory) = &mut self.directory else {
            return Err(
                "it is about the operator's own rights, and the credential cannot see enough to tell what they \
                        would be afterwards; grant it Sys.Audit on /access, or make this change by hand"
                    .to_owned(),
            );
        };
        let before = directory.clone();
        match &operation.act {
            Act::Grant { key, propagate } => drop(directory.acl.insert(key.clone(), *propagate)),
            Act::Revoke { key } => drop(directory.acl.remove(key)),
            Act::Write(Write::DeleteGroup { group }) => {
                directory.groups.remove(group);
                let gone = Subject::Group(group.clone());
                directory.acl.retain(|key, _| key.subject != gone);
            }
            Act::Write(_) => {}
        }
        match Self::lost(directory, self.credential, &self.held) {
            None => Ok(()),
            Some((path, privilege)) => {
                let why = format!(
                    "afterwards the operator would lack {privilege} on {path}, which its objects need; \
                     give the connection another credential, or make this change by hand"
                );
                *directory = before;
                Err(why)
            }
        }
    }
}

/// What the objects of the connection need.
fn needs(input: &Input<'_>) -> BTreeSet<Need> {
    let mut needs = BTreeSet::from([(AclPath::observed("/access"), "Sys.Audit")]);
    for object in input.objects {
        for claim in object.wanted.iter().map(|wanted| &wanted.claim).chain(object.ledger.keys()) {
            match claim {
                Claim::Realm(_) => drop(needs.insert((AclPath::observed("/access/realm"), "Realm.Allocate"))),
                Claim::Group(_) => drop(needs.insert((AclPath::observed("/access/groups"), "Group.Allocate"))),
                Claim::Pool(id) => {
                    needs.extend([(id.acl_path(), "Pool.Allocate"), (id.acl_path(), "Pool.Audit")]);
                }
                Claim::Acl(key) => drop(needs.insert((key.path.clone(), "Permissions.Modify"))),
            }
        }
    }
    needs
}

/// What rights follow from, with our own user and token taken to be there: lists may leave them out (FACTS 42).
fn directory(snapshot: &Snapshot, privilege_separation: bool) -> Option<Directory> {
    let (users, groups, roles, acl) = (&snapshot.users, &snapshot.groups, &snapshot.roles, &snapshot.acl);
    let (Ok(users), Ok(groups), Ok(roles), Ok(acl)) = (users, groups, roles, acl) else { return None };
    let active = permissions::User { enabled: true, expire: 0 };
    let mut directory = Directory {
        users: users.keys().map(|id| (id.clone(), active.clone())).collect(),
        tokens: BTreeMap::new(),
        groups: groups.iter().map(|(id, group)| (id.clone(), group.members.clone())).collect(),
        roles: roles
            .iter()
            .map(|(id, role)| (id.clone(), role.privileges.iter().map(|name| Arc::from(name.as_str())).collect()))
            .collect(),
        acl: acl.clone(),
        pools: BTreeMap::new(),
    };
    directory.users.insert(snapshot.credential.user(), active);
    if let Credential::Token(token) = &snapshot.credential {
        directory.tokens.insert(token.clone(), permissions::Token { privilege_separation, expire: 0 });
    }
    Some(directory)
}
