//! What PVE would refuse, or take and break on, is refused before it is asked.

use std::collections::BTreeMap;

use crate::api::Reason;
use crate::core::claim::{Claim, Content, Membership, PoolItem, Thing, Wanted};
use crate::core::failure::Failure;
use crate::core::ids::{AclPath, RealmId, RoleId};
use crate::core::object::Refusal;
use crate::core::plan::make::Maker;
use crate::core::privileges;
use crate::core::snapshot::{Credential, OptionValue, Realm, RealmOptions};
use crate::core::write::Write;

impl Maker<'_> {
    /// Why a claim can never stand as it is wanted.
    pub(super) fn unfit(&self, wanted: &Wanted) -> Option<Refusal> {
        let invalid = |message: String| Some(Refusal::new(Reason::InvalidSpec, message));
        match &wanted.claim {
            Claim::Thing(Thing::Role(role)) => invalid(self.unfit_role(role, &wanted.content)?),
            Claim::Thing(Thing::Realm(_)) => match &wanted.content {
                Content::Realm(realm)
                    if matches!(realm.options.get("audiences"), Some(Some(_)))
                        && !self.input.snapshot.version.takes_audiences() =>
                {
                    invalid("openid.audiences needs Proxmox VE 9.2 or later; remove it, or upgrade".to_owned())
                }
                _ => None,
            },
            Claim::Thing(Thing::User(user)) if wanted.hidden.is_some() => {
                let realm = user.realm();
                let kind = self.kind_of(&realm)?;
                // Recording `users-password`.
                (!matches!(kind, "pve" | "pam")).then(|| {
                    Refusal::new(
                        Reason::InvalidSpec,
                        format!("Proxmox VE keeps passwords of users of pve and pam only; {realm} is of type {kind}"),
                    )
                })
            }
            Claim::Member(membership) => {
                let message = self.overwritten(membership)?;
                Some(Refusal::new(Reason::Conflict, message))
            }
            Claim::Thing(_) | Claim::PoolMember(..) | Claim::Acl(_) => None,
        }
    }

    pub(super) fn kind_of(&self, realm: &RealmId) -> Option<&str> {
        self.realm(realm).map(|realm| realm.kind.as_str())
    }

    fn realm(&self, realm: &RealmId) -> Option<&Realm> {
        self.input.snapshot.realms.as_ref().ok()?.realms.get(realm)
    }

    fn unfit_role(&self, role: &RoleId, content: &Content) -> Option<String> {
        let roles = self.input.snapshot.roles.as_ref().ok()?;
        if roles.get(role).is_some_and(|standing| standing.special) {
            return Some(format!(
                "{role} is a role of Proxmox VE itself, which cannot be changed; choose another roleId, or set \
                 managementPolicy to Observe"
            ));
        }
        let Content::Fields(wishes) = content else { return None };
        let wanted = wishes.0.get("privs")?.as_ref().map_or("", OptionValue::expose);
        privileges::unknown(wanted.split(',').filter(|name| !name.is_empty()), roles)
    }

    /// Whether every login or sync of the user's realm takes the membership away again or gives it.
    pub(super) fn overwritten(&self, Membership { group, user }: &Membership) -> Option<String> {
        let realm = user.realm();
        let standing = self.realm(&realm)?;
        let Some(Ok(options)) = &standing.options else { return None };
        match standing.kind.as_str() {
            "openid" if is_on(options, "groups-overwrite") => Some(format!(
                "the realm {realm} overwrites the groups of {user} at each login (groups.overwrite), so that the membership \
                 in {group} cannot be kept here; manage it at the identity provider, or set groups.overwrite to false"
            )),
            "ldap" | "ad" if group.may_be_synced(&realm) && self.syncs_groups(&realm, options) => Some(format!(
                "the sync of the realm {realm} overwrites who is in {group}; manage {user}'s membership in the directory, \
                 or use a group whose id does not end with -{realm}"
            )),
            _ => None,
        }
    }

    /// What could not be read of whether a realm overwrites the membership: nobody is put out on a guess.
    pub(super) fn unread(&self, Membership { group, user }: &Membership) -> Option<&Failure> {
        let realm = user.realm();
        let standing = self.realm(&realm)?;
        let options = standing.options.as_ref().and_then(|options| options.as_ref().err());
        match standing.kind.as_str() {
            "openid" => options,
            "ldap" | "ad" if group.may_be_synced(&realm) => {
                options.or_else(|| self.input.snapshot.jobs.as_ref().and_then(|jobs| jobs.as_ref().err()))
            }
            _ => None,
        }
    }

    /// Whether a sync of a directory's realm is about groups, as far as its defaults and its jobs tell.
    fn syncs_groups(&self, realm: &RealmId, options: &RealmOptions) -> bool {
        let defaults = options.get("sync-defaults-options").map_or("", OptionValue::expose);
        let jobs = self.input.snapshot.jobs.iter().flatten().flat_map(BTreeMap::values);
        let of_realm = jobs.filter(|job| job.options.get("realm").is_some_and(|it| it.expose() == realm.as_str()));
        let mut scopes = of_realm.filter_map(|job| job.options.get("scope")).map(OptionValue::expose);
        defaults.split(',').any(|option| matches!(option.trim(), "scope=groups" | "scope=both"))
            || scopes.any(|scope| matches!(scope, "groups" | "both"))
    }

    /// Why these writes cannot be made with this credential.
    pub(super) fn untold(&self, writes: &[Write]) -> Option<Refusal> {
        let only_password = matches!(writes, [Write::SetPassword { .. }]);
        let token = matches!(self.input.snapshot.credential, Credential::Token(_));
        (only_password && token).then(|| {
            Refusal::new(
                Reason::TicketRequired,
                "the password's Secret has changed, and Proxmox VE lets no API token change a password; give the connection \
                 auth.ticket, or leave out passwordSecretRef: the password is no longer managed then",
            )
        })
    }

    /// Whether a guest or storage may not exist: then it enters its pool by a request of its own (FACTS 84).
    pub(super) fn may_not_be(&self, item: &PoolItem) -> bool {
        !self.exists(item)
    }

    fn exists(&self, item: &PoolItem) -> bool {
        match (&self.input.snapshot.resources, item) {
            (Some(Ok(resources)), PoolItem::Guest(guest)) => resources.guests.contains_key(guest),
            (Some(Ok(resources)), PoolItem::Storage(storage)) => resources.storages.contains(storage),
            (Some(Err(_)) | None, _) => false,
        }
    }

    /// Why something cannot enter a pool now.
    pub(super) fn kept_out(&self, claim: &Claim, item: &PoolItem, allow_move: bool) -> Option<Refusal> {
        let not_found = |why: &str| {
            Some(Refusal::new(
                Reason::MemberNotFound,
                format!("{item} does not exist in Proxmox VE{why}; correct its id, or make it"),
            ))
        };
        if self.exists(item) {
            let (Some(Ok(resources)), PoolItem::Guest(guest), false) =
                (&self.input.snapshot.resources, item, allow_move)
            else {
                return None;
            };
            let pool = resources.guests.get(guest)?.as_ref()?;
            let message =
                format!("{item} is in pool {pool}; set allowMove to true to take it from there, or remove it there");
            return Some(Refusal::new(Reason::Conflict, message));
        }
        let (privilege, path) = match item {
            PoolItem::Guest(guest) => ("VM.Audit", format!("/vms/{guest}")),
            PoolItem::Storage(storage) => ("Datastore.Audit", format!("/storage/{storage}")),
        };
        let path = AclPath::observed(&path);
        if matches!(self.input.snapshot.resources, Some(Ok(_))) && self.view.holds(&path, &[privilege]) == Some(true) {
            return not_found("");
        }
        let told = format!(", or the credential lacks {privilege} on {path}");
        if self.input.memory.unshown.contains(claim) { not_found(&told) } else { None }
    }
}

fn is_on(options: &RealmOptions, name: &str) -> bool {
    options.get(name).is_some_and(|value| value.expose() == "1")
}
