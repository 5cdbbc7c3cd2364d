//! The permission checks that stand before every call, by the rules of the schema.

use crate::core::ids::{AclPath, UserId};
use crate::core::permissions::Rights;
use crate::core::snapshot::Credential;

use super::answer::Failure;
use super::formats;
use super::methods::{Check, GroupsParameter, Rule};
use super::parameters::{Raw, RawParameters};
use super::state::Files;

/// The caller and what it may do, at the moment the call came in.
pub struct Caller<'a> {
    /// The login.
    pub credential: Credential,
    rights: Rights<'a>,
    files: &'a Files,
}

/// A path as PVE compares it, or `None` when it has characters no path has (recording `acl-paths-invalid`).
pub fn normalise(path: &str) -> Option<String> {
    let known = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    if path.is_empty() || path == "0" || !formats::chomp(path).chars().all(known) {
        return None;
    }
    let components = path.split('/').filter(|component| !component.is_empty());
    Some(format!("/{}", components.collect::<Vec<_>>().join("/")))
}

/// The privileges of which one is enough to change the ACL of a path (FACTS 57).
pub fn privileges_to_modify(path: &str) -> &'static [&'static str] {
    let below = |top: &str| path.strip_prefix(top).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'));
    if below("/vms") {
        &["Permissions.Modify", "VM.Allocate"]
    } else if below("/storage") {
        &["Permissions.Modify", "Datastore.Allocate"]
    } else if below("/pool") {
        &["Permissions.Modify", "Pool.Allocate"]
    } else {
        &["Permissions.Modify"]
    }
}

impl<'a> Caller<'a> {
    /// The caller of this login.
    pub fn new(credential: Credential, files: &'a Files, now: i64) -> Self {
        let rights = files.directory.rights(&credential, now);
        Self { credential, rights, files }
    }

    /// The id of the user or token.
    pub fn id(&self) -> String {
        match &self.credential {
            Credential::User(user) => user.to_string(),
            Credential::Token(token) => token.to_string(),
        }
    }

    /// A login of `root@pam` with a ticket passes every check unseen (FACTS 8).
    pub fn is_root_login(&self) -> bool {
        matches!(&self.credential, Credential::User(user) if user.is_root())
    }

    /// What it may do.
    pub fn rights(&self) -> &Rights<'a> {
        &self.rights
    }

    /// Whether it holds any of these privileges on a path.
    pub fn holds_any(&self, path: &str, privileges: &[impl AsRef<str>]) -> bool {
        self.is_root_login() || self.rights.holds_any(&AclPath::observed(path), privileges)
    }

    /// Whether it may change the ACL of a path.
    pub fn may_modify(&self, path: &str) -> bool {
        self.holds_any(path, privileges_to_modify(path))
    }

    /// Refuses a caller that holds none of these privileges on a path.
    pub fn require_any(&self, path: &str, privileges: &[impl AsRef<str>]) -> Result<(), Failure> {
        if self.holds_any(path, privileges) { Ok(()) } else { Err(refusal(path, privileges)) }
    }

    /// Whether it may see or change a user: a privilege on all groups, or on one that the user is in.
    pub fn reaches_user(&self, user: &str, privileges: &[impl AsRef<str>]) -> bool {
        self.holds_any("/access/groups", privileges)
            || self.files.users.groups_of(user).any(|group| self.reaches_group(group, privileges))
    }

    /// Whether it holds any of these privileges on a group.
    pub fn reaches_group(&self, group: &str, privileges: &[impl AsRef<str>]) -> bool {
        self.holds_any(&format!("/access/groups/{group}"), privileges)
    }

    /// Refuses what the rule of a method does not allow.
    pub fn check(&self, rule: &Rule, parameters: &RawParameters) -> Result<(), Failure> {
        match rule {
            Rule::Check(check) if !self.is_root_login() => self.passes(check, parameters, false).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// `quiet` is how the parts of an `or` are asked; one that would refuse answers false then. An `and` in it is
    /// not quiet (recording `auth-token-forbidden` step 17).
    fn passes(&self, check: &Check, given: &RawParameters, quiet: bool) -> Result<bool, Failure> {
        match check {
            Check::Perm { path, privileges, any } => self.has(path, privileges, *any, given),
            Check::PermModify(name) => self.modifies(name, given),
            Check::Own => Ok(self.id() == userid(given)?),
            Check::RealmOfUser(privilege) => {
                let user = userid(given)?;
                let path = format!("/access/realm/{}", UserId::observed(&user).realm());
                self.require_any(&path, &[privilege]).map(|()| true)
            }
            Check::GroupsOfUser { privileges, groups } => {
                self.reaches(&userid(given)?, privileges, *groups, given, quiet)
            }
            Check::Or(checks) => {
                for check in checks {
                    if self.passes(check, given, true)? {
                        return Ok(true);
                    }
                }
                Err(Failure::forbidden(""))
            }
            Check::And(checks) => {
                for check in checks {
                    if !self.passes(check, given, false)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn has(&self, path: &str, privileges: &[String], any: bool, given: &RawParameters) -> Result<bool, Failure> {
        // A path that cannot be built leaves nothing in the text (FACTS 81).
        let path = normalise(&fill(path, given)).unwrap_or_default();
        let one = |privilege: &String| self.holds_any(&path, &[privilege]);
        let passes = !path.is_empty() && if any { privileges.iter().any(one) } else { privileges.iter().all(one) };
        if passes { Ok(true) } else { Err(refusal(&path, privileges)) }
    }

    fn modifies(&self, name: &str, given: &RawParameters) -> Result<bool, Failure> {
        // Without a path there is nothing to check; the parameters will say so.
        let Some(path) = text(given, name) else { return Ok(true) };
        let Some(normal) = normalise(&path) else {
            return Err(Failure::parameter(name, format!("invalid ACL path '{path}'")));
        };
        self.require_any(&normal, privileges_to_modify(&normal)).map(|()| true)
    }

    fn reaches(
        &self,
        user: &str,
        privileges: &[String],
        groups: GroupsParameter,
        given: &RawParameters,
        quiet: bool,
    ) -> Result<bool, Failure> {
        if groups != GroupsParameter::Create && !self.files.users.users.contains_key(user) {
            return if quiet { Ok(false) } else { Err(Failure::die(format!("no such user ('{user}')"))) };
        }
        if self.holds_any("/access/groups", privileges) {
            return Ok(true);
        }
        let named = text(given, "groups").unwrap_or_default();
        let named: Vec<&str> = formats::split_list(&named).collect();
        if groups == GroupsParameter::Create && named.is_empty() {
            return Err(refusal("/access/groups", privileges));
        }
        if groups != GroupsParameter::None
            && let Some(group) = named.iter().find(|group| !self.reaches_group(group, privileges))
        {
            return Err(refusal(&format!("/access/groups/{group}"), privileges));
        }
        if groups == GroupsParameter::Create || self.reaches_user(user, privileges) {
            return Ok(true);
        }
        if quiet { Ok(false) } else { Err(Failure::forbidden("")) }
    }
}

fn refusal(path: &str, privileges: &[impl AsRef<str>]) -> Failure {
    let privileges: Vec<&str> = privileges.iter().map(AsRef::as_ref).collect();
    Failure::forbidden(&format!("{path}, {}", privileges.join("|")))
}

fn text(given: &RawParameters, name: &str) -> Option<String> {
    match given.get(name)? {
        Raw::Text(text) => Some(text.clone()),
        Raw::List(items) => Some(items.join(",")),
        Raw::Flag(_) | Raw::Object => None,
    }
}

/// The user that a call is about; here a malformed id is a 500 (FACTS 8).
fn userid(given: &RawParameters) -> Result<String, Failure> {
    let user = text(given, "userid").unwrap_or_default();
    formats::userid(&user).map_err(Failure::die)?;
    Ok(user)
}

/// Puts parameters into a path; a missing one shows as `-` (FACTS 59).
fn fill(template: &str, given: &RawParameters) -> String {
    let Some((before, rest)) = template.split_once('{') else { return template.to_owned() };
    let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
    let value = text(given, name).unwrap_or_else(|| "-".to_owned());
    format!("{before}{value}{}", fill(after, given))
}
