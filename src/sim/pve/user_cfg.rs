//! `user.cfg`: users, groups, tokens, roles, ACL entries and pools, kept as the lines PVE writes.
//!
//! Every change is written as text and parsed again, as PVE does. What the real server loses on that way
//! (group `0`, ids with a newline, entries of roles that are gone) is lost here for the same reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::formats;
use super::methods::builtin_roles;
use crate::core::ids::{AclKey, AclPath, GroupId, PoolId, RoleId, Subject, TokenId, UserId};
use crate::core::permissions::{Directory, Pool, Token as TokenRights, User as UserRights};

/// One user.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// Whether it may log in.
    pub enable: bool,
    /// As it stands in the file; `None` for the `root@pam` that PVE makes up.
    pub expire: Option<u64>,
    /// First name, empty when unset.
    pub firstname: String,
    /// Last name, empty when unset.
    pub lastname: String,
    /// Present though empty when a later field of the line is set (FACTS 14).
    pub email: Option<String>,
    /// Comment, empty when unset.
    pub comment: String,
    /// Old second-factor keys, empty when unset.
    pub keys: String,
    /// Its tokens by their own name.
    pub tokens: BTreeMap<String, Token>,
}

impl User {
    /// Whether it is enabled and not expired at `now`, in seconds since 1970.
    pub fn may_log_in(&self, now: i64) -> bool {
        let expire = self.expire.unwrap_or(0);
        self.enable && (expire == 0 || i64::try_from(expire).is_ok_and(|expire| expire > now))
    }
}

/// One API token.
#[derive(Debug, Clone, Default)]
pub struct Token {
    /// Seconds since 1970; 0 for never.
    pub expire: u64,
    /// Privilege separation.
    pub privsep: bool,
    /// Comment, empty when unset.
    pub comment: String,
}

/// One group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Comment, empty when unset.
    pub comment: String,
    /// Member ids; they need not exist as users (recording `users-comma-id`).
    pub members: BTreeSet<String>,
}

/// One pool: comment, guests and storages, which need not exist (recording `pools-members`).
#[derive(Debug, Clone, Default)]
pub struct PoolEntry {
    /// Comment, empty when unset.
    pub comment: String,
    /// Guest numbers.
    pub vms: BTreeSet<u64>,
    /// Storage ids.
    pub storage: BTreeSet<String>,
}

/// The whole file, and the rights that follow from it.
#[derive(Debug, Clone, Default)]
pub struct UserCfg {
    /// By id.
    pub users: BTreeMap<String, User>,
    /// By id.
    pub groups: BTreeMap<String, Group>,
    /// By id, the built-in ones included.
    pub roles: BTreeMap<String, BTreeSet<Arc<str>>>,
    /// Entries with their `propagate`.
    pub acl: BTreeMap<AclKey, bool>,
    /// By id.
    pub pools: BTreeMap<String, PoolEntry>,
}

impl UserCfg {
    /// The text of the file.
    pub fn write(&self) -> String {
        let mut text = String::new();
        for (id, user) in &self.users {
            let (enable, expire) = (u8::from(user.enable), expiry(user.expire.unwrap_or(0)));
            let (first, last) = (encode(&user.firstname), encode(&user.lastname));
            // Not encoded, so a newline in it ends the line (recording `newline-ids`).
            let email = user.email.as_deref().unwrap_or_default();
            let (comment, keys) = (encode(&user.comment), &user.keys);
            let _ = writeln!(text, "user:{id}:{enable}:{expire}:{first}:{last}:{email}:{comment}:{keys}:");
            for (name, token) in &user.tokens {
                let (expire, comment) = (expiry(token.expire), encode(&token.comment));
                let _ = writeln!(text, "token:{id}!{name}:{expire}:{}:{comment}:", u8::from(token.privsep));
            }
        }
        for (id, group) in &self.groups {
            let _ = writeln!(text, "group:{id}:{}:{}:", join(&group.members), encode(&group.comment));
        }
        for (id, pool) in &self.pools {
            let vms: Vec<String> = pool.vms.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "pool:{id}:{}:{}:{}:", encode(&pool.comment), vms.join(","), join(&pool.storage));
        }
        for (id, privileges) in &self.roles {
            if !builtin_roles().contains_key(id) {
                let privileges: Vec<&str> = privileges.iter().map(|name| &**name).collect();
                let _ = writeln!(text, "role:{id}:{}:", privileges.join(","));
            }
        }
        for (key, propagate) in &self.acl {
            let (path, role) = (&key.path, &key.role);
            let at = if matches!(key.subject, Subject::Group(_)) { "@" } else { "" };
            let _ = writeln!(text, "acl:{}:{path}:{at}{}:{role}:", u8::from(*propagate), key.subject.id());
        }
        text
    }

    /// Reads the file; lines that make no sense are left out.
    pub fn parse(text: &str) -> Self {
        let mut cfg = Self { roles: builtin_roles().clone(), ..Self::default() };
        let root = User { enable: true, ..User::default() };
        cfg.users.insert(UserId::ROOT.to_owned(), root);
        let mut entries = Vec::new();
        for line in text.lines() {
            // Empty fields at the end do not count, so whether an email is "" or absent depends on what follows it.
            let line = line.trim_end_matches(':');
            let mut fields = line.split(':').map(str::trim);
            match fields.next() {
                Some("user") => cfg.parse_user(&mut fields),
                Some("token") => cfg.parse_token(&mut fields),
                Some("group") => cfg.parse_group(&mut fields),
                Some("pool") => cfg.parse_pool(&mut fields),
                Some("role") => cfg.parse_role(&mut fields),
                Some("acl") => entries.push(fields.collect::<Vec<_>>()),
                _ => {}
            }
        }
        for entry in entries {
            cfg.parse_acl(&entry);
        }
        cfg
    }

    fn parse_user<'a>(&mut self, fields: &mut impl Iterator<Item = &'a str>) {
        let Some(id) = fields.next().filter(|id| formats::userid(id).is_ok()) else { return };
        let enable = truthy(fields.next()).is_some();
        let Ok(expire) = truthy(fields.next()).unwrap_or("0").parse() else { return };
        let mut text = || fields.next().map(decode);
        let (firstname, lastname, email) = (text(), text(), text());
        let (comment, keys) = (text(), text());
        let set = |field: Option<String>| field.filter(|value| value != "0").unwrap_or_default();
        let user = User {
            enable,
            expire: Some(expire),
            firstname: set(firstname),
            lastname: set(lastname),
            email,
            comment: set(comment),
            keys: set(keys),
            tokens: BTreeMap::new(),
        };
        self.users.insert(id.to_owned(), user);
    }

    fn parse_token<'a>(&mut self, fields: &mut impl Iterator<Item = &'a str>) {
        let Some((user, name)) = fields.next().and_then(|id| id.rsplit_once('!')) else { return };
        let Some(user) = self.users.get_mut(user) else { return };
        let Ok(expire) = truthy(fields.next()).unwrap_or("0").parse() else { return };
        let privsep = truthy(fields.next()).is_some();
        let comment = truthy(fields.next()).map(decode).unwrap_or_default();
        user.tokens.insert(name.to_owned(), Token { expire, privsep, comment });
    }

    fn parse_group<'a>(&mut self, fields: &mut impl Iterator<Item = &'a str>) {
        let Some(id) = truthy(fields.next()) else { return };
        let members = formats::split_list(fields.next().unwrap_or_default());
        let members = members.filter(|member| formats::userid(member).is_ok()).map(str::to_owned).collect();
        let comment = truthy(fields.next()).map(decode).unwrap_or_default();
        self.groups.insert(id.to_owned(), Group { comment, members });
    }

    fn parse_pool<'a>(&mut self, fields: &mut impl Iterator<Item = &'a str>) {
        let Some(id) = truthy(fields.next()) else { return };
        let comment = truthy(fields.next()).map(decode).unwrap_or_default();
        let vms = formats::split_list(fields.next().unwrap_or_default()).filter_map(|vm| vm.parse().ok()).collect();
        let storage = formats::split_list(fields.next().unwrap_or_default()).map(str::to_owned).collect();
        self.pools.insert(id.to_owned(), PoolEntry { comment, vms, storage });
    }

    fn parse_role<'a>(&mut self, fields: &mut impl Iterator<Item = &'a str>) {
        let Some(id) = truthy(fields.next()) else { return };
        let privileges = formats::split_list(fields.next().unwrap_or_default()).map(Arc::from).collect();
        self.roles.insert(id.to_owned(), privileges);
    }

    /// Entries of roles that are gone vanish here (FACTS 49), and those of `root@pam` are never kept (FACTS 55).
    fn parse_acl(&mut self, fields: &[&str]) {
        let [propagate, path, subject, role] = fields else { return };
        if !self.roles.contains_key(*role) {
            return;
        }
        let subject = match subject.strip_prefix('@') {
            Some(group) => Subject::Group(GroupId::observed(group)),
            None if formats::userid(subject).is_ok() => Subject::User(UserId::observed(subject)),
            None => Subject::Token(TokenId::observed(subject)),
        };
        if subject.id() == UserId::ROOT {
            return;
        }
        let key = AclKey { path: AclPath::observed(path), subject, role: RoleId::observed(role) };
        self.acl.insert(key, *propagate == "1");
    }

    /// The groups that a user is in.
    pub fn groups_of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a str> {
        self.groups.iter().filter(move |(_, group)| group.members.contains(user)).map(|(id, _)| id.as_str())
    }

    /// The groups of every user that is in any.
    pub fn groups_by_user(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut groups_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, group) in &self.groups {
            for member in &group.members {
                groups_of.entry(member).or_default().push(id);
            }
        }
        groups_of
    }

    /// What rights follow from.
    pub fn directory(&self) -> Directory {
        let mut directory = Directory { acl: self.acl.clone(), ..Directory::default() };
        let seconds = |expire: u64| i64::try_from(expire).unwrap_or(i64::MAX);
        for (id, user) in &self.users {
            let rights = UserRights { enabled: user.enable, expire: seconds(user.expire.unwrap_or(0)) };
            directory.users.insert(UserId::observed(id), rights);
            for (name, token) in &user.tokens {
                let rights = TokenRights { privilege_separation: token.privsep, expire: seconds(token.expire) };
                directory.tokens.insert(TokenId::observed(&format!("{id}!{name}")), rights);
            }
        }
        for (id, group) in &self.groups {
            let members = group.members.iter().map(|member| UserId::observed(member)).collect();
            directory.groups.insert(GroupId::observed(id), members);
        }
        for (id, privileges) in &self.roles {
            directory.roles.insert(RoleId::observed(id), privileges.clone());
        }
        for (id, pool) in &self.pools {
            let members = Pool { guests: pool.vms.clone(), storages: pool.storage.clone() };
            directory.pools.insert(PoolId::observed(id), members);
        }
        directory
    }
}

/// A field that Perl takes for true: neither missing, empty nor `0`.
pub fn truthy(field: Option<&str>) -> Option<&str> {
    field.filter(|value| !value.is_empty() && *value != "0")
}

/// Numbers beyond 64 bits become floating point in PVE, and such a line is not read back
/// (recording `users-field-limits`).
fn expiry(expire: u64) -> String {
    if expire == u64::MAX { "1e+20".to_owned() } else { expire.to_string() }
}

fn join(items: &BTreeSet<String>) -> String {
    items.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// Text fields keep anything by percent-encoding what would end the field; `0` is nothing (FACTS 19).
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for c in truthy(Some(text)).unwrap_or_default().chars() {
        if c.is_ascii_control() || matches!(c, ':' | '%') {
            let _ = write!(encoded, "%{:02X}", u32::from(c));
        } else {
            encoded.push(c);
        }
    }
    encoded
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
