//! What would lock the operator out is refused, and the rest goes on.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::core::claim::{Membership, Progress, Thing};
use crate::core::fields::Fields;
use crate::core::ids::{AclKey, AclPath, GroupId, RoleId, Subject, UserId};
use crate::core::needs::{self, Need};
use crate::core::object::Refusal;
use crate::core::permissions::{self, Directory};
use crate::core::plan::order::{self, Act, Operation};
use crate::core::plan::{ClaimState, Draft, Input};
use crate::core::snapshot::{Credential, Snapshot};
use crate::core::visibility::View;
use crate::core::write::{AclBatch, AclChange, GroupChange, Write};

/// Takes out of the plan each change after which the operator's credential would lack what its objects need, or be
/// gone with its realm.
pub(super) fn refuse_lockout(input: &Input<'_>, view: &View<'_>, draft: &mut Draft) {
    let own = Own::new(input.snapshot);
    let concerns = |operation: &Operation| own.is_concerned(&operation.act);
    if !draft.operations.iter().any(concerns) {
        return;
    }
    order::sorted(&mut draft.operations);
    let mut guard = Guard::new(input, view);
    let operations = std::mem::take(&mut draft.operations);
    for operation in operations {
        match if concerns(&operation) { guard.judge(&operation) } else { Ok(()) } {
            Ok(()) => draft.operations.push(operation),
            Err(_)
                if operation.owners.iter().all(|owner| input.policies[0].may_lock_out(&input.objects[*owner].key)) =>
            {
                draft.operations.push(operation);
            }
            Err(why) => refuse(input, draft, &operation, &why),
        }
    }
}

/// How a change that is meant is let through.
const ON_PURPOSE: &str = ", or name this object in policy.allowLockout of the connection";

fn refuse(input: &Input<'_>, draft: &mut Draft, operation: &Operation, why: &str) {
    let claim = &operation.claim;
    for owner in &operation.owners {
        let object = &input.objects[*owner];
        let reason = if object.mode.is_live() { Reason::WouldLockOut } else { Reason::DeletionBlocked };
        draft.state(*owner, claim, ClaimState::Refused(Refusal::new(reason, format!("{claim}: {why}{ON_PURPOSE}"))));
        let verdict = &mut draft.verdicts[*owner];
        let intended = verdict.ledger.get(claim).is_some_and(|entry| entry.progress == Progress::Intended);
        if intended && !object.ledger.contains_key(claim) {
            verdict.ledger.remove(claim);
        }
        // Nothing was asked for.
        verdict.token = object.token.as_ref().and_then(|token| token.issued.clone());
    }
}

/// What the operator's own rights hang on.
struct Own {
    credential: Credential,
    /// The token, its user, and the groups of the user.
    subjects: BTreeSet<Subject>,
    /// The roles that entries grant to these.
    roles: BTreeSet<RoleId>,
}

impl Own {
    fn new(snapshot: &Snapshot) -> Self {
        let credential = snapshot.credential.clone();
        let user = credential.user();
        let groups = snapshot.groups_of(&user);
        let mut subjects: BTreeSet<Subject> = groups.into_iter().map(Subject::Group).collect();
        if let Credential::Token(token) = &credential {
            subjects.insert(Subject::Token(token.clone()));
        }
        subjects.insert(Subject::User(user));
        let entries = snapshot.acl.iter().flat_map(BTreeMap::keys).filter(|key| subjects.contains(&key.subject));
        let roles = entries.map(|key| key.role.clone()).collect();
        Self { credential, subjects, roles }
    }

    fn is_concerned(&self, act: &Act) -> bool {
        match act {
            Act::Grant { key, .. } | Act::Revoke { key } => self.subjects.contains(&key.subject),
            Act::Join(membership) | Act::Leave(membership) => membership.user == self.credential.user(),
            // Rights that reach a guest through a pool are nothing that objects need.
            Act::Enter { .. } | Act::Withdraw { .. } => false,
            Act::Write(writes) => writes.iter().any(|write| match write {
                Write::Update { thing, .. } | Write::Delete { thing } => match thing {
                    Thing::Realm(realm) => {
                        matches!(write, Write::Delete { .. }) && *realm == self.credential.user().realm()
                    }
                    Thing::Role(role) => self.roles.contains(role),
                    Thing::Group(group) => self.subjects.contains(&Subject::Group(group.clone())),
                    Thing::User(user) => *user == self.credential.user(),
                    Thing::Token(token) => self.credential == Credential::Token(token.clone()),
                    Thing::SyncJob(_) | Thing::Pool(_) => false,
                },
                Write::Regenerate { token, .. } => self.credential == Credential::Token(token.clone()),
                Write::SetPassword { user, .. } => self.credential == Credential::User(user.clone()),
                Write::Create { .. } | Write::Groups(_) | Write::PoolMembers(_) | Write::Acl(_) => false,
            }),
        }
    }
}

/// What is needed and held now, and a snapshot on which changes are tried.
struct Guard<'a> {
    credential: &'a Credential,
    held: Vec<Need>,
    /// How PVE stands after the changes so far, and whether our token is separated; `None` where the model cannot
    /// explain what PVE says is held.
    tried: Option<(Snapshot, bool)>,
}

impl<'a> Guard<'a> {
    fn new(input: &'a Input<'_>, view: &View<'_>) -> Self {
        let credential = &input.snapshot.credential;
        let own = Need { path: AclPath::observed("/access"), privilege: "Sys.Audit" };
        let held: Vec<Need> = needs::of(input.objects)
            .into_keys()
            .chain([own])
            .filter(|need| view.holds(&need.path, &[need.privilege]) == Some(true))
            .collect();
        let listed = match credential {
            Credential::Token(id) => {
                let users = input.snapshot.users.as_ref().ok();
                users.and_then(|users| users.get(&id.user())?.tokens.get(id)).map(|token| token.privilege_separation)
            }
            Credential::User(_) => Some(false),
        };
        let explains = |separated: &bool| lost(input.snapshot, *separated, &held).is_ok();
        let separated = [false, true].into_iter().filter(|it| listed.is_none_or(|listed| listed == *it)).find(explains);
        let tried = separated.filter(|_| view.sees_all_entries()).map(|it| (input.snapshot.clone(), it));
        Self { credential, held, tried }
    }

    fn judge(&mut self, operation: &Operation) -> Result<(), String> {
        let user = self.credential.user();
        let writes = writes(&operation.act);
        for write in &writes {
            let why = match write {
                Write::Delete { thing: Thing::Realm(realm) } => {
                    format!(
                        "the operator's own user {user} is in {realm}; give the connection a credential of another realm"
                    )
                }
                Write::Delete { thing: Thing::User(_) } => {
                    format!("{user} is the operator's own user; give the connection another credential")
                }
                Write::Delete { thing: Thing::Token(_) } | Write::Regenerate { .. } => {
                    "it is the operator's own token; give the connection another credential".to_owned()
                }
                Write::Update { thing: Thing::User(_), set, .. } if turns_off(set) => {
                    format!(
                        "{user} is the operator's own user and would be disabled; give the connection another credential"
                    )
                }
                Write::Update { thing: Thing::Token(_), set, .. } if narrows(set) => {
                    "it is the operator's own token and would lose rights or end; give the connection another credential"
                        .to_owned()
                }
                Write::SetPassword { .. } => {
                    "it is the operator's own password; change it by hand, and then the Secret of the connection"
                        .to_owned()
                }
                _ => continue,
            };
            return Err(format!("{why} first"));
        }
        let Some((tried, separated)) = &mut self.tried else {
            return Err(
                "it is about the operator's own rights, and the credential cannot see enough to tell what they \
                        would be afterwards; grant it Sys.Audit on /access, or make this change by hand"
                    .to_owned(),
            );
        };
        let mut after = tried.clone();
        for write in &writes {
            after.apply(write);
        }
        match lost(&after, *separated, &self.held) {
            Ok(()) => {
                *tried = after;
                Ok(())
            }
            Err(Loss::Of(Need { path, privilege })) => Err(format!(
                "afterwards the operator would lack {privilege} on {path}, which its objects need; give the connection \
                 another credential, or make this change by hand"
            )),
            Err(Loss::Untold) => {
                Err("what the operator's own rights would be afterwards cannot be told; make this change by hand"
                    .to_owned())
            }
        }
    }
}

/// Why it cannot be said that all needed rights are held.
enum Loss<'n> {
    /// One is not.
    Of(&'n Need),
    /// A list is missing that they follow from.
    Untold,
}

fn turns_off(set: &Fields) -> bool {
    let is = |name: &str, test: fn(&str) -> bool| set.get(name).is_some_and(|value| test(value.expose()));
    is("enable", |value| value == "0") || is("expire", |value| value != "0")
}

/// Whether a token is separated from its user, or ends.
fn narrows(set: &Fields) -> bool {
    let is = |name: &str, test: fn(&str) -> bool| set.get(name).is_some_and(|value| test(value.expose()));
    is("privsep", |value| value == "1") || is("expire", |value| value != "0")
}

/// The requests of an operation, each for itself.
fn writes(act: &Act) -> Vec<Write> {
    let entry = |key: &AclKey, change| {
        Write::Acl(AclBatch {
            path: key.path.clone(),
            roles: BTreeSet::from([key.role.clone()]),
            subjects: BTreeSet::from([key.subject.clone()]),
            change,
        })
    };
    let change = |user: &UserId, join: &[&GroupId], leave: &[&GroupId]| {
        let set = |groups: &[&GroupId]| groups.iter().map(|group| (*group).clone()).collect();
        Write::Groups(GroupChange { user: user.clone(), join: set(join), leave: set(leave), stay: BTreeSet::new() })
    };
    match act {
        Act::Write(writes) => writes.clone(),
        Act::Grant { key, propagate } => vec![entry(key, AclChange::Grant { propagate: *propagate })],
        Act::Revoke { key } => vec![entry(key, AclChange::Revoke)],
        Act::Join(Membership { group, user }) => vec![change(user, &[group], &[])],
        Act::Leave(Membership { group, user }) => vec![change(user, &[], &[group])],
        Act::Enter { .. } | Act::Withdraw { .. } => Vec::new(),
    }
}

/// Whether all needed rights are held in a snapshot.
fn lost<'n>(snapshot: &Snapshot, separated: bool, held: &'n [Need]) -> Result<(), Loss<'n>> {
    let directory = directory(snapshot, separated).ok_or(Loss::Untold)?;
    // Expiry is not what a plan changes: everybody counts as not expired.
    let rights = directory.rights(&snapshot.credential, 0);
    held.iter().find(|need| !rights.holds(&need.path, need.privilege)).map_or(Ok(()), |need| Err(Loss::Of(need)))
}

/// What rights follow from, with everybody enabled, and with our own token taken to be there: lists may leave it out
/// (FACTS 42).
pub(super) fn directory(snapshot: &Snapshot, privilege_separation: bool) -> Option<Directory> {
    let mut directory = Directory::of(snapshot)?;
    directory.users.values_mut().for_each(|user| user.enabled = true);
    if let Credential::Token(token) = &snapshot.credential {
        directory.tokens.insert(token.clone(), permissions::Token { privilege_separation, expire: 0 });
    }
    Some(directory)
}
