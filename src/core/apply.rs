//! What a write does to what stands: the next steps are planned on it before everything is read again.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::claim::{PoolItem, Thing};
use crate::core::fields::Fields;
use crate::core::ids::{AclPath, RealmId, Subject, UserId};
use crate::core::snapshot::{Group, OptionValue, Pool, Realm, Realms, Role, Snapshot, SyncJob, Token, User};
use crate::core::text::stored_comment;
use crate::core::write::{AclChange, GroupChange, MemberChange, PoolChange, Write};

impl Snapshot {
    /// What will stand after a write took effect.
    pub fn apply(&mut self, write: &Write) {
        match write {
            Write::Create { thing, fields } => self.create(thing, fields),
            Write::Update { thing, set, unset, digest: _ } => self.update(thing, set, unset),
            Write::Delete { thing } => self.delete(thing),
            Write::Regenerate { token, set, unset } => self.update(&Thing::Token(token.clone()), set, unset),
            Write::SetPassword { .. } => {}
            Write::Groups(change) => self.change_groups(change),
            Write::PoolMembers(change) => self.change_members(change),
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

    fn create(&mut self, thing: &Thing, fields: &Fields) {
        match thing {
            Thing::Realm(id) => self.realms.iter_mut().for_each(|realms| realms.create(id, fields)),
            Thing::SyncJob(id) => self.jobs.iter_mut().flatten().for_each(|jobs| {
                jobs.insert(id.clone(), SyncJob::default());
            }),
            Thing::Role(id) => self.roles.iter_mut().for_each(|roles| {
                roles.insert(id.clone(), Role { privileges: BTreeSet::new(), special: false });
            }),
            Thing::Group(id) => self.groups.iter_mut().for_each(|groups| {
                groups.insert(id.clone(), Group::default());
            }),
            Thing::User(id) => self.users.iter_mut().for_each(|users| {
                users.insert(id.clone(), User::default());
            }),
            Thing::Token(id) => self.users.iter_mut().for_each(|users| {
                if let Some(user) = users.get_mut(&id.user()) {
                    user.tokens.insert(id.clone(), Token::default());
                }
            }),
            Thing::Pool(id) => self.pools.iter_mut().for_each(|pools| {
                pools.insert(id.clone(), Pool { members: Some(Ok(BTreeSet::new())), ..Pool::default() });
            }),
        }
        if !matches!(thing, Thing::Realm(_)) {
            self.update(thing, fields, &BTreeSet::new());
        }
    }

    fn update(&mut self, thing: &Thing, set: &Fields, unset: &BTreeSet<String>) {
        let text = |name: &str, before: &str| match set.get(name) {
            Some(value) => stored_comment(value.expose()).to_owned(),
            None if unset.contains(name) => String::new(),
            None => before.to_owned(),
        };
        let flag = |name: &str, before: bool| set.get(name).map_or(before, |value| value.expose() == "1");
        let number =
            |name: &str, before: i64| set.get(name).map_or(before, |value| value.expose().parse().unwrap_or(before));
        match thing {
            Thing::Realm(id) => self.realms.iter_mut().for_each(|realms| realms.update(id, set, unset)),
            Thing::SyncJob(id) => {
                if let Some(job) = self.jobs.iter_mut().flatten().find_map(|jobs| jobs.get_mut(id)) {
                    job.options.retain(|name, _| !unset.contains(name));
                    job.options.extend(set.clone());
                }
            }
            Thing::Role(id) => {
                if let Some(role) = self.roles.iter_mut().find_map(|roles| roles.get_mut(id))
                    && let Some(privileges) =
                        set.get("privs").map(OptionValue::expose).or(unset.get("privs").map(|_| ""))
                {
                    role.privileges =
                        privileges.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
                }
            }
            Thing::Group(id) => {
                if let Some(group) = self.groups.iter_mut().find_map(|groups| groups.get_mut(id)) {
                    group.comment = text("comment", &group.comment);
                }
            }
            Thing::User(id) => {
                if let Some(user) = self.users.iter_mut().find_map(|users| users.get_mut(id)) {
                    user.enabled = flag("enable", user.enabled);
                    user.expire = number("expire", user.expire);
                    user.texts.retain(|name, _| !unset.contains(name));
                    let texts =
                        set.iter().filter(|(name, _)| !matches!(name.as_str(), "enable" | "expire" | "password"));
                    user.texts.extend(texts.map(|(name, value)| (name.clone(), value.clone())));
                }
            }
            Thing::Token(id) => {
                let user = self.users.iter_mut().find_map(|users| users.get_mut(&id.user()));
                if let Some(token) = user.and_then(|user| user.tokens.get_mut(id)) {
                    token.privilege_separation = flag("privsep", token.privilege_separation);
                    token.expire = number("expire", token.expire);
                    token.comment = text("comment", &token.comment);
                }
            }
            Thing::Pool(id) => {
                if let Some(pool) = self.pools.iter_mut().find_map(|pools| pools.get_mut(id)) {
                    pool.comment = text("comment", &pool.comment);
                }
            }
        }
    }

    fn delete(&mut self, thing: &Thing) {
        match thing {
            Thing::Realm(id) => self.realms.iter_mut().for_each(|realms| {
                realms.digest = None;
                realms.realms.remove(id);
            }),
            Thing::SyncJob(id) => self.jobs.iter_mut().flatten().for_each(|jobs| drop(jobs.remove(id))),
            Thing::Role(id) => {
                self.roles.iter_mut().for_each(|roles| drop(roles.remove(id)));
                // PVE drops its entries with it (FACTS 49).
                self.acl.iter_mut().for_each(|acl| acl.retain(|key, _| key.role != *id));
            }
            Thing::Group(id) => {
                self.groups.iter_mut().for_each(|groups| drop(groups.remove(id)));
                for user in self.users.iter_mut().flat_map(BTreeMap::values_mut) {
                    user.groups.remove(id);
                }
                // PVE drops its entries with it (FACTS 25).
                self.drop_entries_of(|subject| matches!(subject, Subject::Group(group) if group == id));
            }
            Thing::User(id) => {
                self.users.iter_mut().for_each(|users| drop(users.remove(id)));
                for group in self.groups.iter_mut().flat_map(BTreeMap::values_mut) {
                    group.members.remove(id);
                }
                // Tokens, memberships and entries go along (FACTS 33).
                self.drop_entries_of(|subject| subject.user().as_ref() == Some(id));
            }
            Thing::Token(id) => {
                if let Some(user) = self.users.iter_mut().find_map(|users| users.get_mut(&id.user())) {
                    user.tokens.remove(id);
                }
                // Deleting a token drops its entries (FACTS 40).
                self.drop_entries_of(|subject| matches!(subject, Subject::Token(token) if token == id));
            }
            Thing::Pool(id) => {
                self.pools.iter_mut().for_each(|pools| drop(pools.remove(id)));
                if id.parent().is_none() {
                    let path = id.acl_path();
                    self.drop_entries_within(&path);
                }
            }
        }
    }

    fn drop_entries_of(&mut self, gone: impl Fn(&Subject) -> bool) {
        self.acl.iter_mut().for_each(|acl| acl.retain(|key, _| !gone(&key.subject)));
    }

    fn drop_entries_within(&mut self, path: &AclPath) {
        self.acl.iter_mut().for_each(|acl| acl.retain(|key, _| !key.path.is_within(path)));
    }

    fn change_groups(&mut self, change: &GroupChange) {
        let GroupChange { user, join, leave, stay: _ } = change;
        if let Some(user) = self.users.iter_mut().find_map(|users| users.get_mut(user)) {
            user.groups.retain(|group| !leave.contains(group));
            user.groups.extend(join.iter().cloned());
        }
        for (id, group) in self.groups.iter_mut().flatten() {
            if join.contains(id) {
                group.members.insert(UserId::clone(user));
            } else if leave.contains(id) {
                group.members.remove(user);
            }
        }
    }

    fn change_members(&mut self, change: &PoolChange) {
        let PoolChange { pool, items, change } = change;
        let moves = |item: &PoolItem| matches!(item, PoolItem::Guest(_)) && items.contains(item);
        for (id, pool_now) in self.pools.iter_mut().flatten() {
            let Some(Ok(members)) = &mut pool_now.members else { continue };
            match (id == pool, change) {
                (true, MemberChange::Enter { .. }) => members.extend(items.iter().cloned()),
                (true, MemberChange::Leave) => members.retain(|item| !items.contains(item)),
                (false, MemberChange::Enter { .. }) => members.retain(|item| !moves(item)),
                (false, MemberChange::Leave) => {}
            }
        }
    }
}

impl Realms {
    fn create(&mut self, id: &RealmId, fields: &Fields) {
        let default = is_set(fields.get("default"));
        if default {
            self.clear_default();
        }
        let mut options = fields.clone();
        let kind = options.remove("type").map(|kind| kind.expose().to_owned()).unwrap_or_default();
        self.digest = None;
        self.realms.insert(id.clone(), Realm { kind, default, options: Some(Ok(options)) });
    }

    fn update(&mut self, id: &RealmId, set: &Fields, unset: &BTreeSet<String>) {
        self.digest = None;
        if is_set(set.get("default")) {
            self.clear_default();
        }
        if let Some(Realm { default, options: Some(Ok(options)), .. }) = self.realms.get_mut(id) {
            options.retain(|name, _| !unset.contains(name));
            options.extend(set.clone());
            *default = is_set(options.get("default"));
        }
    }

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
