//! What an ACL wants.

use std::collections::BTreeMap;

use super::{References, Wants, missing};
use crate::api::acl::{AclRole, AclSubject, ProxmoxAclSpec};
use crate::api::{Object as _, ProxmoxAcl, ProxmoxGroup, Reason};
use crate::core::claim::{Claim, Content, Wanted};
use crate::core::ids::{AclKey, AclPath, GroupId, RoleId, Subject, UserId};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::wants::group::group_id;

/// What an ACL wants: each role for each subject.
pub fn of_acl(acl: &ProxmoxAcl, references: &References<'_>) -> Wants {
    let ProxmoxAclSpec { management: _, path, roles, subjects, propagate } = &acl.spec;
    let mut wants = Wants { external_id: Some(path.clone()), ..Wants::default() };
    let path = match AclPath::parse(path) {
        Ok(path) => path,
        Err(error) => return Wants { refusals: vec![error.into()], unsure: true, ..wants },
    };
    let mut parsed_roles = Vec::new();
    for AclRole { role } in roles {
        match RoleId::parse(role) {
            Ok(role) => parsed_roles.push(role),
            Err(error) => {
                wants.unsure = true;
                wants.refusals.push(error.into());
            }
        }
    }
    let mut entries: BTreeMap<AclKey, Vec<ObjectKey>> = BTreeMap::new();
    for subject in subjects {
        let subject_is_ref = subject.group_ref.is_some();
        match self::subject(acl, subject, references) {
            Ok((subject, need)) => {
                for role in &parsed_roles {
                    let key = AclKey { path: path.clone(), subject: subject.clone(), role: role.clone() };
                    entries.entry(key).or_default().extend(need.clone());
                }
            }
            Err(refusal) => {
                wants.unsure |= !subject_is_ref;
                wants.refusals.push(refusal);
            }
        }
    }
    let content = Content::Acl { propagate: *propagate };
    wants.wanted = entries
        .into_iter()
        .map(|(key, needs)| Wanted { claim: Claim::Acl(key), content: content.clone(), needs })
        .collect();
    wants
}

fn subject(
    acl: &ProxmoxAcl,
    subject: &AclSubject,
    references: &References<'_>,
) -> Result<(Subject, Option<ObjectKey>), Refusal> {
    let AclSubject { group, group_ref, user } = subject;
    match (group, group_ref, user) {
        (Some(group), None, None) => Ok((Subject::Group(GroupId::parse(group)?), None)),
        (None, Some(reference), None) => {
            let group =
                references.groups.get(reference.name.as_str()).ok_or_else(|| missing(ProxmoxGroup::KIND, reference))?;
            let name = reference.name.clone();
            let need = ObjectKey { kind: ProxmoxGroup::KIND, namespace: acl.namespace().to_owned(), name };
            Ok((Subject::Group(group_id(group, references)?), Some(need)))
        }
        (None, None, Some(user)) => {
            let user = UserId::parse(user)?;
            if user.is_root() {
                return Err(Refusal::new(
                    Reason::InvalidSpec,
                    "root@pam may do everything anyway: PVE accepts ACL entries for it and does not store them",
                ));
            }
            Ok((Subject::User(user), None))
        }
        _ => Err(Refusal::new(Reason::InvalidSpec, "a subject is exactly one of group, groupRef and user")),
    }
}
