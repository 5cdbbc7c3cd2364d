//! What a write does to what stands: the next steps are planned on it before everything is read again.

use crate::core::ids::Subject;
use crate::core::snapshot::{Group, OptionValue, Pool, Realm, Realms, Snapshot};
use crate::core::text::stored_comment;
use crate::core::write::{AclChange, Write};

impl Snapshot {
    /// What will stand after a write took effect.
    pub fn apply(&mut self, write: &Write) {
        match write {
            Write::CreateGroup { group, comment } => self.groups.iter_mut().for_each(|groups| {
                let comment = stored_comment(comment).to_owned();
                groups.insert(group.clone(), Group { comment, ..Group::default() });
            }),
            Write::UpdateGroup { group, comment } => self.groups.iter_mut().for_each(|groups| {
                if let Some(group) = groups.get_mut(group) {
                    stored_comment(comment).clone_into(&mut group.comment);
                }
            }),
            Write::DeleteGroup { group } => {
                self.groups.iter_mut().for_each(|groups| drop(groups.remove(group)));
                // PVE drops its entries with it (FACTS 25).
                let gone = Subject::Group(group.clone());
                self.acl.iter_mut().for_each(|acl| acl.retain(|key, _| key.subject != gone));
            }
            Write::CreatePool { pool, comment } => self.pools.iter_mut().for_each(|pools| {
                pools.insert(pool.clone(), Pool { comment: stored_comment(comment).to_owned() });
            }),
            Write::UpdatePool { pool, comment } => self.pools.iter_mut().for_each(|pools| {
                if let Some(pool) = pools.get_mut(pool) {
                    stored_comment(comment).clone_into(&mut pool.comment);
                }
            }),
            Write::DeletePool { pool } => {
                self.pools.iter_mut().for_each(|pools| drop(pools.remove(pool)));
                if pool.parent().is_none() {
                    let path = pool.acl_path();
                    self.acl.iter_mut().for_each(|acl| acl.retain(|key, _| !key.path.is_within(&path)));
                }
            }
            Write::CreateRealm { realm, kind, options } => self.realms.iter_mut().for_each(|realms| {
                let default = is_set(options.get("default"));
                if default {
                    realms.clear_default();
                }
                let options = Some(Ok(options.clone()));
                realms.digest = None;
                realms.realms.insert(realm.clone(), Realm { kind: (*kind).to_owned(), default, options });
            }),
            Write::UpdateRealm { realm, set, unset, digest: _ } => self.realms.iter_mut().for_each(|realms| {
                realms.digest = None;
                if is_set(set.get("default")) {
                    realms.clear_default();
                }
                if let Some(Realm { default, options: Some(Ok(options)), .. }) = realms.realms.get_mut(realm) {
                    options.retain(|name, _| !unset.contains(name));
                    options.extend(set.clone());
                    *default = is_set(options.get("default"));
                }
            }),
            Write::DeleteRealm { realm } => self.realms.iter_mut().for_each(|realms| {
                realms.digest = None;
                realms.realms.remove(realm);
            }),
            Write::Acl(batch) => self.acl.iter_mut().for_each(|acl| {
                for key in batch.entries() {
                    match batch.change {
                        AclChange::Grant { propagate } => drop(acl.insert(key, propagate)),
                        AclChange::Revoke => drop(acl.remove(&key)),
                    }
                }
            }),
        }
    }
}

impl Realms {
    /// Setting the flag on one realm removes it from the others (FACTS 68).
    fn clear_default(&mut self) {
        for realm in self.realms.values_mut() {
            realm.default = false;
            if let Some(Ok(options)) = &mut realm.options {
                options.remove("default");
            }
        }
    }
}

fn is_set(value: Option<&OptionValue>) -> bool {
    value.is_some_and(|value| value.expose() == "1")
}
