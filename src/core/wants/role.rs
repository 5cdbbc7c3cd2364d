//! What a role wants.

use super::Wants;
use crate::api::role::ProxmoxRoleSpec;
use crate::api::{Object as _, ProxmoxRole};
use crate::core::claim::{Content, Thing};
use crate::core::fields::Wishes;
use crate::core::ids::{IdError, RoleId};

/// What a role wants.
pub fn of_role(role: &ProxmoxRole) -> Wants {
    let ProxmoxRoleSpec { management: _, role_id: _, privileges } = &role.spec;
    match role_id(role) {
        Ok(id) => {
            let mut wishes = Wishes::default();
            let wanted = (!privileges.is_empty()).then(|| privileges.join(","));
            wishes.text("privs", Some(wanted.as_deref().unwrap_or_default()));
            Wants::one(Thing::Role(id), Content::Fields(wishes), Vec::new())
        }
        Err(error) => Wants::refused(error.into()),
    }
}

pub(super) fn role_id(role: &ProxmoxRole) -> Result<RoleId, IdError> {
    RoleId::parse(role.spec.role_id.as_deref().unwrap_or(role.name()))
}
