//! The CEL rules of our CRDs.
//!
//! What is allowed as an id is said once, in [`crate::core::ids`]: the messages quote it, and a test on a real apiserver
//! compares both on one table. Go's `$` is the end of the text, so a trailing newline does not pass.

use kube::core::Rule;

use crate::core::ids::{GroupId, PoolId, RealmId, RoleId};
use crate::core::pocket_id::ids::ClientId;

/// A letter of most ids.
pub const WORD: &str = "[A-Za-z0-9._-]";
const LETTER_FIRST: &str = "[A-Za-z][A-Za-z0-9._-]";

pub fn rule(cel: impl Into<String>, message: impl Into<String>) -> Rule {
    Rule::new(cel).message(message.into().as_str())
}

/// CEL: `text` matches all of `pattern`.
pub fn matches(text: &str, pattern: &str) -> String {
    format!("{text}.matches(r'^{pattern}$')")
}

// Ids: CEL conditions on any expression, so that they serve fields and metadata.name alike.

pub fn is_group(text: &str) -> String {
    format!("{} && {text} != '0'", is_role(text))
}

pub fn is_role(text: &str) -> String {
    format!("{} && !({text} in ['.', '..'])", matches(text, &format!("{WORD}+")))
}

pub fn is_realm(text: &str) -> String {
    matches(text, &format!("{LETTER_FIRST}{{1,31}}"))
}

pub fn is_pool(text: &str) -> String {
    matches(text, &format!("{LETTER_FIRST}*(/{LETTER_FIRST}*){{0,2}}"))
}

pub fn is_path(text: &str) -> String {
    format!("{} && !({text} + '/').contains('/../')", matches(text, &format!("(/|(/{WORD}+)+)")))
}

pub fn is_user(text: &str) -> String {
    matches(text, &format!(r"[^\p{{Z}}\p{{Cc}}:/,;]+@{LETTER_FIRST}{{1,31}}"))
}

/// The part of a user's id before the `@`.
pub fn is_user_name(text: &str) -> String {
    matches(text, r"[^\p{Z}\p{Cc}:/,;]+")
}

pub fn is_token(text: &str) -> String {
    matches(text, &format!(r"[^\p{{Z}}\p{{Cc}}:/,;]+@{LETTER_FIRST}{{1,31}}!{LETTER_FIRST}+"))
}

/// On the root: where `field` is unset, metadata.name is the id and must be one.
fn name_is(field: &str, condition: &str, what: &str, allowed: &str) -> Rule {
    rule(
        format!("{field} || {condition}"),
        format!("metadata.name is the {what} where the spec gives none, and must be {allowed}"),
    )
}

pub fn name_is_group() -> Rule {
    let given = "has(self.spec.groupId) || has(self.spec.oidc)";
    name_is(given, &format!("({})", is_group("self.metadata.name")), "group id", GroupId::RULE)
}

pub fn name_is_realm() -> Rule {
    name_is("has(self.spec.realm)", &is_realm("self.metadata.name"), "realm id", RealmId::RULE)
}

pub fn name_is_pool() -> Rule {
    name_is("has(self.spec.poolId)", &is_pool("self.metadata.name"), "pool id", PoolId::RULE)
}

pub fn name_is_role() -> Rule {
    let condition = format!("({})", is_role("self.metadata.name"));
    name_is("has(self.spec.roleId)", &condition, "role id", RoleId::RULE)
}

pub fn name_is_token() -> Rule {
    let condition = matches("self.metadata.name", &format!("{LETTER_FIRST}+"));
    let allowed = "at least 2 letters, digits, '.', '-' or '_', the first a letter";
    name_is("has(self.spec.tokenId)", &condition, "token's name", allowed)
}

pub fn name_is_group_name() -> Rule {
    let condition = "size(self.metadata.name) >= 2";
    name_is("has(self.spec.groupName)", condition, "group's name", "2 or more letters, digits, '.' or '-'")
}

pub fn name_is_client() -> Rule {
    let condition = "size(self.metadata.name) >= 2 && size(self.metadata.name) <= 128";
    name_is("has(self.spec.clientId)", &format!("({condition})"), "client's id", ClientId::RULE)
}

/// Pocket ID tells pictures by the ending of their names (recording `client-logo`).
pub fn picture() -> Rule {
    rule(
        "self.key.matches(r'.*[.](avif|gif|ico|jpe?g|png|svg|webp)$')",
        "the key must end with .avif, .gif, .ico, .jpeg, .jpg, .png, .svg or .webp, which says what the picture is",
    )
}

/// Up to 2.9 the first address that is used would be trusted, and no address could be used later.
pub fn some_callback() -> Rule {
    rule(
        "(has(self.callbackUrls) && size(self.callbackUrls) > 0) || has(self.callbackUrlsFrom)",
        "a client needs callbackUrls or callbackUrlsFrom: without any, nobody can come back after signing in, or, up to \
         Pocket ID 2.9, whoever comes first says where to",
    )
}

/// A time before the expiry needs one that moves on.
pub fn before_expiry() -> Rule {
    rule(
        "!has(self.rotation) || !has(self.rotation.beforeExpiry) || (has(self.lifetime) && \
         duration(self.rotation.beforeExpiry) < duration(self.lifetime))",
        "rotation.beforeExpiry needs a lifetime that is longer: a fixed expiresAt is not moved by a rotation",
    )
}

/// The key that the operator reads the token back from.
pub fn no_token_key() -> Rule {
    rule(
        "!has(self.data) || !('token' in self.data)",
        "the key token is always written, as user@realm!tokenid=uuid, and cannot be another",
    )
}

/// Kubernetes refuses other Secrets of this type, when the token is made already.
pub fn basic_auth_keys() -> Rule {
    rule(
        "!has(self.type) || self.type != 'kubernetes.io/basic-auth' || !has(self.data) || size(self.data) == 0 || \
         'username' in self.data || 'password' in self.data",
        "data of a Secret of type kubernetes.io/basic-auth needs username or password; leave out data to have both",
    )
}

/// On the root: where no name is given, metadata.name is the user's, and with the realm it is not too long.
pub fn name_is_user() -> Rule {
    let short = "size(self.metadata.name) + (has(self.spec.realm) ? size(self.spec.realm) : 2) < 64";
    rule(
        format!("has(self.spec.userId) || has(self.spec.userName) || ({short})"),
        "metadata.name is the user's name where the spec gives none, and with @ and the realm it has at most 64 characters",
    )
}

/// On the root: the roles of PVE itself can only be observed.
pub fn no_built_in_role() -> Rule {
    let id = "(has(self.spec.roleId) ? self.spec.roleId : self.metadata.name)";
    rule(
        format!(
            "self.spec.managementPolicy == 'Observe' || !({id}.lowerAscii().startsWith('pve') || {id} == 'Administrator' \
             || {id} == 'NoAccess')"
        ),
        "roles that begin with PVE, and Administrator and NoAccess, are of Proxmox VE itself: set managementPolicy to \
         Observe, or choose another roleId",
    )
}

/// On the root: the built-in realms `pam` and `pve` are of their own type, and no other realm is.
pub fn built_in_realms() -> Rule {
    let id = "(has(self.spec.realm) ? self.spec.realm : self.metadata.name)";
    rule(
        format!("has(self.spec.pam) == ({id} == 'pam') && has(self.spec.pve) == ({id} == 'pve')"),
        "the realm pam is of type pam and the realm pve is of type pve, and no other realm is",
    )
}

// Rules on a whole spec or union.

/// On the spec of a connection for several namespaces: an exception from the lockout guard is for one object.
pub fn lockouts_have_namespaces() -> Rule {
    rule(
        "!has(self.policy) || !has(self.policy.allowLockout) || self.policy.allowLockout.all(it, has(it.namespace))",
        "policy.allowLockout of a ClusterProxmoxConnection needs the namespace of each object",
    )
}

/// Exactly one of `fields` is set.
pub fn exactly_one(fields: &[&str]) -> Rule {
    rule(format!("{} == 1", set(fields)), format!("exactly one of {} must be set", fields.join(", ")))
}

/// No two of `fields` are set together.
pub fn at_most_one(fields: &[&str]) -> Rule {
    rule(format!("{} <= 1", set(fields)), format!("only one of {} can be set", fields.join(", ")))
}

/// `a` and `b` are not set together.
pub fn not_together(a: &str, b: &str) -> Rule {
    rule(format!("!has(self.{a}) || !has(self.{b})"), format!("{a} cannot be set together with {b}"))
}

/// A realm has its issuer from itself or from its client.
pub fn issuer_or_client() -> Rule {
    rule(
        "has(self.issuerUrl) != has(self.clientRef)",
        "exactly one of issuerUrl and clientRef must be set: a PocketIdClient knows its issuer",
    )
}

/// Nobody but Pocket ID tells who they are.
pub fn provision_needs_client() -> Rule {
    rule(
        "!has(self.provision) || !self.provision || (has(self.source) && has(self.source.pocketIdClientRef))",
        "provision needs source.pocketIdClientRef, which knows the people and their groups",
    )
}

/// Only Pocket ID shows what a sign-in would give.
pub fn samples_need_client() -> Rule {
    rule(
        "!has(self.users) || !has(self.users.samples) || size(self.users.samples) == 0 || has(self.clientRef)",
        "users.samples need clientRef: only Pocket ID shows who would get in",
    )
}

/// Without the claim nobody could tell which user of Proxmox VE is whom.
pub fn source_needs_username() -> Rule {
    rule(
        "!has(self.users) || !has(self.users.source) || !has(self.users.source.pocketIdClientRef) || \
         (has(self.usernameClaim) && self.usernameClaim in ['username', 'email', 'subject'])",
        "users.source.pocketIdClientRef needs usernameClaim to be username, email or subject: without it nobody can tell which \
         user is whom",
    )
}

/// A check says something.
pub fn some_privilege() -> Rule {
    rule(
        "(has(self.require) && size(self.require) > 0) || (has(self.forbid) && size(self.forbid) > 0)",
        "a check needs at least one privilege in require or forbid",
    )
}

/// A check does not contradict itself.
pub fn no_privilege_twice() -> Rule {
    rule(
        "!has(self.require) || !has(self.forbid) || self.require.all(name, !(name in self.forbid))",
        "a privilege cannot be in both require and forbid",
    )
}

/// Only realms with a directory are synced.
pub fn only_directories_sync() -> Rule {
    rule(
        "!has(self.syncJobs) || size(self.syncJobs) == 0 || has(self.ldap) || has(self.ad)",
        "syncJobs need ldap or ad: only realms with a directory are synced",
    )
}

/// Nobody is gone where nobody says who is there.
pub fn removal_needs_source() -> Rule {
    rule(
        "!has(self.onRemoval) || self.onRemoval == 'Report' || has(self.source)",
        "onRemoval needs a source, which says who may use the realm now: without it nobody is known to be gone",
    )
}

/// A list is not given where it would be ignored.
pub fn ignored_list(list: &str) -> Rule {
    rule(
        format!(
            "!has(self.{list}) || size(self.{list}) == 0 || !has(self.membershipPolicy) || self.membershipPolicy != 'Ignore'"
        ),
        format!("{list} need membershipPolicy Additive or Exact: with Ignore they would not be managed"),
    )
}

/// As [`ignored_list`], for the members of a pool.
pub fn ignored_members() -> Rule {
    rule(
        "!has(self.members) || !has(self.membershipPolicy) || self.membershipPolicy != 'Ignore'",
        "members need membershipPolicy Additive or Exact: with Ignore they would not be managed",
    )
}

/// CEL: how many of `fields` are set.
fn set(fields: &[&str]) -> String {
    let set: Vec<_> = fields.iter().map(|field| format!("has(self.{field})")).collect();
    format!("[{}].filter(set, set).size()", set.join(", "))
}

/// `field` cannot be changed, nor set or removed later.
pub fn immutable(field: &str) -> Rule {
    rule(
        format!("has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"),
        format!("{field} cannot be changed, set or removed later: create another object"),
    )
    .field_path(format!(".{field}"))
}
