//! What an ACL wants.

use std::collections::BTreeMap;

use super::{Named, References, Wants, found, key_of, subject_of};
use crate::api::acl::{AclRole, AclSubject, EntryPolicy, ProxmoxAclSpec};
use crate::api::{Object as _, ProxmoxAcl, ProxmoxPool, ProxmoxRole, Reason};
use crate::core::claim::{Claim, Content, Scope, Wanted};
use crate::core::ids::{AclKey, AclPath, RoleId, Subject};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::wants::pool::pool_id;
use crate::core::wants::role::role_id;

/// What an ACL wants: each role for each subject.
pub fn of_acl(acl: &ProxmoxAcl, references: &References<'_>) -> Wants {
    let ProxmoxAclSpec { management: _, path: _, pool_ref: _, roles, subjects, propagate, entry_policy } = &acl.spec;
    let (path, pool) = match path_of(acl, references) {
        Ok(named) => named,
        Err(refusal) => return Wants { external_id: acl.spec.path.clone(), ..Wants::refused(refusal) },
    };
    let mut wants = Wants { external_id: Some(path.to_string()), ..Wants::default() };
    let scope = Scope::Entries(path.clone());
    if *entry_policy == EntryPolicy::Exact {
        wants.exact.insert(scope.clone());
    }
    let mut known_roles = Vec::new();
    for role in roles {
        match role_of(acl, role, references) {
            Ok(named) => known_roles.push(named),
            Err(refusal) => wants.lacks(refusal, &scope, role.role_ref.is_some()),
        }
    }
    let mut entries: BTreeMap<AclKey, Vec<ObjectKey>> = BTreeMap::new();
    for subject in subjects {
        match grantee(acl, subject, references) {
            Ok((subject, subject_object)) => {
                for (role, role_object) in &known_roles {
                    let key = AclKey { path: path.clone(), subject: subject.clone(), role: role.clone() };
                    let needs = [&pool, &subject_object, role_object].into_iter().flatten().cloned();
                    entries.entry(key).or_default().extend(needs);
                }
            }
            Err(refusal) => wants.lacks(refusal, &scope, subject.is_reference()),
        }
    }
    let content = Content::Acl { propagate: *propagate };
    wants.wanted = entries
        .into_iter()
        .map(|(key, needs)| Wanted { needs, ..Wanted::new(Claim::Acl(key), content.clone()) })
        .collect();
    wants
}

fn path_of(acl: &ProxmoxAcl, references: &References<'_>) -> Named<AclPath> {
    match (&acl.spec.path, &acl.spec.pool_ref) {
        (Some(path), None) => Ok((AclPath::parse(path)?, None)),
        (None, Some(reference)) => {
            let pool = pool_id(found(&references.pools, reference)?)?;
            Ok((pool.acl_path(), Some(key_of::<ProxmoxPool>(acl.namespace(), reference))))
        }
        _ => Err(Refusal::new(Reason::InvalidSpec, "an ACL has exactly one of path and poolRef")),
    }
}

fn role_of(acl: &ProxmoxAcl, role: &AclRole, references: &References<'_>) -> Named<RoleId> {
    match role {
        AclRole { role: Some(role), role_ref: None } => Ok((RoleId::parse(role)?, None)),
        AclRole { role: None, role_ref: Some(reference) } => {
            let role = role_id(found(&references.roles, reference)?)?;
            Ok((role, Some(key_of::<ProxmoxRole>(acl.namespace(), reference))))
        }
        AclRole { .. } => Err(Refusal::new(Reason::InvalidSpec, "a role is exactly one of role and roleRef")),
    }
}

/// A subject of an entry.
fn grantee(acl: &ProxmoxAcl, subject: &AclSubject, references: &References<'_>) -> Named<Subject> {
    let (subject, need) = subject_of(subject.name(), acl.namespace(), references)?;
    if matches!(&subject, Subject::User(user) if user.is_root()) {
        let message = "root@pam may do everything anyway: PVE accepts ACL entries for it and does not store them";
        return Err(Refusal::new(Reason::InvalidSpec, message));
    }
    Ok((subject, need))
}
