//! The objects of a life: all kinds, as they are at first and after a change.

/// An object, in YAML flow without its connection.
pub struct Object {
    pub kind: &'static str,
    pub name: &'static str,
    pub first: &'static str,
    /// What the spec becomes, where it changes.
    pub second: Option<&'static str>,
}

impl Object {
    const fn new(kind: &'static str, name: &'static str, first: &'static str, second: Option<&'static str>) -> Self {
        Self { kind, name, first, second }
    }

    pub fn is_of_pocket_id(&self) -> bool {
        self.kind.starts_with("PocketId")
    }
}

/// Secrets that people made, for the objects below.
pub const SECRETS: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: bind}
stringData: {password: canary-bind-password}
---
apiVersion: v1
kind: Secret
metadata: {name: svc}
stringData: {password: canary-svc-password}
";

/// In the order of their creation.
pub const OBJECTS: [Object; 13] = [
    Object::new(
        "PocketIdGroup",
        "pve-admins",
        "friendlyName: Admins, members: [alice], customClaims: {tier: gold}",
        Some("friendlyName: Administrators, members: [alice, bob], customClaims: {tier: iron}"),
    ),
    Object::new(
        "PocketIdClient",
        "proxmox",
        "displayName: Proxmox, callbackUrlsFrom: {connectionRef: {name: pve}}, allowedGroups: [{groupRef: {name: pve-admins}}]",
        Some(
            "displayName: Proxmox VE, callbackUrlsFrom: {connectionRef: {name: pve}}, \
             allowedGroups: [{groupRef: {name: pve-admins}}, {group: others}]",
        ),
    ),
    Object::new(
        "ProxmoxRealm",
        "pocket-id",
        "realm: PocketID, openid: {clientRef: {name: proxmox}, usernameClaim: username, scopes: [email, profile, groups], \
         groups: {claim: groups}}",
        Some(
            "realm: PocketID, comment: sign in here, openid: {clientRef: {name: proxmox}, usernameClaim: username, \
             scopes: [email, profile, groups], groups: {claim: groups, autoCreate: false}}",
        ),
    ),
    Object::new(
        "ProxmoxRealm",
        "corp",
        "ldap: {servers: [127.0.0.1], baseDn: 'dc=a', userAttribute: uid, bindDn: 'cn=a', \
         bindPasswordSecretRef: {name: bind, key: password}}, syncJobs: [{id: nightly, schedule: '02:30', scope: both}]",
        Some(
            "ldap: {servers: [127.0.0.1], baseDn: 'dc=a', userAttribute: uid, bindDn: 'cn=a', users: {filter: '(a=b)'}, \
             bindPasswordSecretRef: {name: bind, key: password}}, syncJobs: [{id: weekly, schedule: 'sat 02:30', scope: users}]",
        ),
    ),
    Object::new(
        "ProxmoxRole",
        "starter",
        "privileges: [VM.Audit, VM.PowerMgmt]",
        Some("privileges: [VM.Audit, VM.Console]"),
    ),
    Object::new("ProxmoxGroup", "admins", "oidc: {groupRef: {name: pve-admins}, realmRef: {name: pocket-id}}", None),
    Object::new("ProxmoxGroup", "ops", "comment: on call", Some("comment: on call at night")),
    Object::new(
        "ProxmoxUser",
        "svc",
        "realm: pve, email: svc@example.com, groups: [{groupRef: {name: ops}}], passwordSecretRef: {name: svc, key: password}",
        Some("realm: pve, email: ci@example.com, groups: [], passwordSecretRef: {name: svc, key: password}"),
    ),
    Object::new(
        "ProxmoxToken",
        "ci",
        "userRef: {name: svc}, comment: first",
        Some("userRef: {name: svc}, comment: second"),
    ),
    Object::new(
        "ProxmoxPool",
        "lab",
        "comment: for all, members: {guests: [100, 101], storages: [local]}",
        Some("comment: for all, members: {guests: [101, 102], storages: []}"),
    ),
    Object::new(
        "ProxmoxAcl",
        "lab",
        "poolRef: {name: lab}, roles: [{roleRef: {name: starter}}, {role: PVEPoolUser}], \
         subjects: [{groupRef: {name: admins}}, {tokenRef: {name: ci}}, {userRef: {name: svc}}]",
        Some(
            "poolRef: {name: lab}, roles: [{roleRef: {name: starter}}, {role: PVEVMUser}], propagate: false, \
             subjects: [{groupRef: {name: admins}}, {groupRef: {name: ops}}]",
        ),
    ),
    Object::new(
        "ProxmoxAcl",
        "audit",
        "path: /nodes, roles: [{role: PVEAuditor}], subjects: [{groupRef: {name: ops}}]",
        Some("path: /storage, roles: [{role: PVEAuditor}], subjects: [{groupRef: {name: ops}}]"),
    ),
    Object::new(
        "ProxmoxAccessCheck",
        "admins",
        "subject: {groupRef: {name: admins}}, path: /pool/lab, require: [VM.Audit], forbid: [Sys.Modify]",
        None,
    ),
];
