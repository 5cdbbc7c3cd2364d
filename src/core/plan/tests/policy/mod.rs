//! What the policy of a connection allows.

mod attacks;
mod limits;
mod revoked;
mod unseen;

use super::fixtures::*;
use crate::api::policy::{ConnectionPolicy, PolicyRule};
use crate::api::refs::ConnectionKind;
use crate::core::claim::{Content, Thing, Wanted};
use crate::core::fields::Wishes;
use crate::core::ids::{AclKey, AclPath, GroupId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::plan::{Memory, plan};
use crate::core::policy::Policy;
use crate::core::realm::RealmContent;
use crate::core::snapshot::{OptionValue, Realm, Role, Snapshot, Token};

use super::super::*;

/// A PVE with an administrator, a group of such, and a tenant's things.
pub fn standing() -> Snapshot {
    let claims = [
        group("admins"),
        group("admins-corp"),
        group("team-a"),
        user("boss@corp"),
        user("ann@pve"),
        member("admins", "boss@corp"),
        member("team-ann", "ann@pve"),
        group("finance-own"),
        pool("a"),
        guest("a", "101"),
        guest("other", "100"),
    ];
    let mut snapshot = with(empty(), claims);
    let options = Some(Ok(BTreeMap::new()));
    let default = Realm { kind: "openid".to_owned(), default: true, options };
    snapshot.realms.as_mut().expect("read").realms.insert(RealmId::observed("others"), default);
    let ann = snapshot.users.as_mut().expect("read").get_mut(&UserId::observed("ann@pve")).expect("a user");
    let full = Token { privilege_separation: false, ..Token::default() };
    ann.tokens.insert(TokenId::observed("ann@pve!full"), full);
    let roles = snapshot.roles.as_mut().expect("read");
    for (role, privileges) in [("Admin", ["User.Modify", "VM.Audit"].as_slice()), ("Viewer", &["VM.Audit"])] {
        let privileges = privileges.iter().map(|name| (*name).to_owned()).collect();
        roles.insert(RoleId::observed(role), Role { privileges, special: false });
    }
    let entries = [
        acl("/vms", "TeamUsed", "group team-a"),
        acl("/", "Admin", "group admins"),
        acl("/", "Admin", "group admins-corp"),
        acl("/", "Admin", "user ops@pve"),
    ];
    for entry in entries {
        snapshot.acl.as_mut().expect("read").insert(entry, true);
    }
    snapshot
}

pub fn acl(path: &str, role: &str, subject: &str) -> AclKey {
    let (kind, id) = subject.split_once(' ').expect("a kind and an id");
    let subject = match kind {
        "group" => Subject::Group(GroupId::observed(id)),
        "user" => Subject::User(UserId::observed(id)),
        _ => Subject::Token(TokenId::observed(id)),
    };
    AclKey { path: AclPath::parse(path).expect("a path"), subject, role: RoleId::observed(role) }
}

pub fn grant(path: &str, role: &str, subject: &str) -> Wanted {
    wanted(Claim::Acl(acl(path, role, subject)))
}

pub fn with_field(thing: Thing, name: &'static str, value: &str) -> Wanted {
    let mut wishes = Wishes::default();
    wishes.value(name, value);
    Wanted::new(thing, Content::Fields(wishes))
}

pub fn token(id: &str, separated: bool) -> Wanted {
    with_field(Thing::Token(TokenId::observed(id)), "privsep", if separated { "1" } else { "0" })
}

pub fn role_with(id: &str, privileges: &str) -> Wanted {
    with_field(Thing::Role(RoleId::observed(id)), "privs", privileges)
}

pub fn realm(id: &str) -> Wanted {
    realm_with(id, [])
}

pub fn realm_with<const N: usize>(id: &str, options: [(&'static str, &str); N]) -> Wanted {
    let plain = |value: &str| Some(OptionValue::Plain(value.to_owned()));
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), plain(value))).collect();
    let content = RealmContent { kind: "openid", options, check_connection: false };
    Wanted::new(Thing::Realm(RealmId::observed(id)), Content::Realm(content))
}

pub fn put(pool: &str, number: &str) -> Wanted {
    Wanted::new(guest(pool, number), Content::PoolMember { allow_move: true })
}

pub fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What a tenant of the cluster is allowed.
pub fn tenant() -> ConnectionPolicy {
    ConnectionPolicy {
        rules: vec![PolicyRule {
            namespaces: Some(texts(&["default"])),
            kinds: None,
            paths: Some(texts(&["/pool/a", "/vms/100"])),
            roles: Some(texts(&["Viewer", "Team*", "Admin", "NoAccess"])),
            realms: Some(texts(&["pve", "pam", "corp", "own"])),
            group_ids: Some(texts(&["team-*", "admins-corp"])),
            user_ids: Some(texts(&["ann@pve", "ci-*@pve", "root@pam", "boss@corp"])),
        }],
        ..ConnectionPolicy::default()
    }
}

pub fn parsed(policy: &ConnectionPolicy) -> Policy {
    Policy::parse(Some(policy), ConnectionKind::ClusterProxmoxConnection).expect("a policy")
}

pub fn planned(object: &Object, snapshot: &Snapshot, policy: &ConnectionPolicy) -> Plan {
    let (objects, policies) = (std::slice::from_ref(object), [parsed(policy)]);
    plan(&Input { policies: &policies, ..input(objects, snapshot, &Memory::default()) })
}
