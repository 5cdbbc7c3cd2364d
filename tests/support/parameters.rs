//! What each field of a spec is in the system that it is for, Proxmox VE or Pocket ID: the documentation shows it, and the
//! suite of all kinds tries it.

/// Fields that all kinds have, and fields that only say what the operator does.
const OURS: &str = "";

const GROUP: [(&str, &str); 9] = [
    ("groupId", "`groupid`"),
    ("oidc.group", "`groupid`, as `<group>-<realm>`"),
    ("oidc.groupRef.name", "`groupid`, as `<group>-<realm>`"),
    ("oidc.realm", "`groupid`, as `<group>-<realm>`"),
    ("oidc.realmRef.name", "`groupid`, as `<group>-<realm>`"),
    ("comment", "`comment`"),
    ("members[].user", "`groups` of the user"),
    ("members[].userRef.name", "`groups` of the user"),
    ("membershipPolicy", OURS),
];

const USER: [(&str, &str); 17] = [
    ("userId", "`userid`"),
    ("userName", "`userid`, before the `@`"),
    ("realm", "`userid`, behind the `@`"),
    ("realmRef.name", "`userid`, behind the `@`"),
    ("enabled", "`enable`"),
    ("expiresAt", "`expire`"),
    ("firstName", "`firstname`"),
    ("lastName", "`lastname`"),
    ("email", "`email`"),
    ("comment", "`comment`"),
    ("groups[].group", "`groups`"),
    ("groups[].groupRef.name", "`groups`"),
    ("membershipPolicy", OURS),
    ("passwordSecretRef.name", "`password`; later `PUT /access/password`"),
    ("passwordSecretRef.key", "`password`; later `PUT /access/password`"),
    ("keysSecretRef.name", "`keys`"),
    ("keysSecretRef.key", "`keys`"),
];

const TOKEN: [(&str, &str); 15] = [
    ("user", "`userid`"),
    ("userRef.name", "`userid`"),
    ("tokenId", "`tokenid`"),
    ("privilegeSeparation", "`privsep`"),
    ("expiresAt", "`expire`"),
    ("lifetime", "`expire`, from when the secret is made"),
    ("comment", "`comment`"),
    ("secretTemplate.name", OURS),
    ("secretTemplate.labels", OURS),
    ("secretTemplate.annotations", OURS),
    ("secretTemplate.type", OURS),
    ("secretTemplate.data", OURS),
    ("rotation.interval", "`regenerate`"),
    ("rotation.beforeExpiry", "`regenerate`"),
    ("rotation.onLostSecret", "`regenerate`"),
];

const ROLE: [(&str, &str); 2] = [("roleId", "`roleid`"), ("privileges", "`privs`")];

const POOL: [(&str, &str); 6] = [
    ("poolId", "`poolid`"),
    ("comment", "`comment`"),
    ("members.guests", "`vms`"),
    ("members.storages", "`storage`"),
    ("membershipPolicy", "`delete` of members"),
    ("allowMove", "`allow-move`"),
];

const ACL: [(&str, &str); 12] = [
    ("path", "`path`"),
    ("poolRef.name", "`path`, as `/pool/<id>`"),
    ("roles[].role", "`roles`"),
    ("roles[].roleRef.name", "`roles`"),
    ("subjects[].group", "`groups`"),
    ("subjects[].groupRef.name", "`groups`"),
    ("subjects[].user", "`users`"),
    ("subjects[].userRef.name", "`users`"),
    ("subjects[].token", "`tokens`"),
    ("subjects[].tokenRef.name", "`tokens`"),
    ("propagate", "`propagate`"),
    ("entryPolicy", "`delete` of entries"),
];

const CHECK: [(&str, &str); 9] = [
    ("subject.group", OURS),
    ("subject.groupRef.name", OURS),
    ("subject.user", OURS),
    ("subject.userRef.name", OURS),
    ("subject.token", OURS),
    ("subject.tokenRef.name", OURS),
    ("path", "`path` of entries"),
    ("require", "`privs` of roles"),
    ("forbid", "`privs` of roles"),
];

const REALM: [(&str, &str); 42] = [
    ("realm", "`realm`"),
    ("comment", "`comment`"),
    ("default", "`default`"),
    ("pam", "the realm `pam`"),
    ("pve", "the realm `pve`"),
    ("tfa.oath.digits", "`tfa`: `type=oath,digits=`"),
    ("tfa.oath.step", "`tfa`: `type=oath,step=`"),
    ("tfa.yubico.apiId", "`tfa`: `type=yubico,id=`"),
    ("tfa.yubico.apiKeySecretRef.name", "`tfa`: `type=yubico,key=`"),
    ("tfa.yubico.apiKeySecretRef.key", "`tfa`: `type=yubico,key=`"),
    ("tfa.yubico.url", "`tfa`: `type=yubico,url=`"),
    ("syncJobs[].id", "`id` of the job"),
    ("syncJobs[].schedule", "`schedule` of the job"),
    ("syncJobs[].scope", "`scope` of the job"),
    ("syncJobs[].enabled", "`enabled` of the job"),
    ("syncJobs[].enableNew", "`enable-new` of the job"),
    ("syncJobs[].removeVanished", "`remove-vanished` of the job"),
    ("syncJobs[].comment", "`comment` of the job"),
    ("openid.issuerUrl", "`issuer-url`"),
    ("openid.clientRef.name", "`issuer-url`, `client-id`, `client-key`"),
    ("openid.clientId", "`client-id`"),
    ("openid.clientIdSecretRef.name", "`client-id`"),
    ("openid.clientIdSecretRef.key", "`client-id`"),
    ("openid.clientKeySecretRef.name", "`client-key`"),
    ("openid.clientKeySecretRef.key", "`client-key`"),
    ("openid.usernameClaim", "`username-claim`"),
    ("openid.users.autoCreate", "`autocreate`"),
    ("openid.users.onRemoval", "`enable`, `groups` of the users"),
    ("openid.users.provision", "users, with their `groups`"),
    ("openid.users.samples", OURS),
    ("openid.users.source.pocketIdClientRef.name", OURS),
    ("openid.users.source.configMapRef.name", OURS),
    ("openid.users.source.configMapRef.key", OURS),
    ("openid.groups.claim", "`groups-claim`"),
    ("openid.groups.autoCreate", "`groups-autocreate`"),
    ("openid.groups.overwrite", "`groups-overwrite`"),
    ("openid.scopes", "`scopes`"),
    ("openid.acrValues", "`acr-values`"),
    ("openid.audiences", "`audiences`"),
    ("openid.prompt", "`prompt`"),
    ("openid.queryUserinfo", "`query-userinfo`"),
    ("ad.domain", "`domain`"),
];

const POCKET_ID_GROUP: [(&str, &str); 5] = [
    ("groupName", "`name`"),
    ("friendlyName", "`friendlyName`"),
    ("members", "`users`"),
    ("membershipPolicy", OURS),
    ("customClaims", "`customClaims`"),
];

const POCKET_ID_CLIENT: [(&str, &str); 17] = [
    ("clientId", "`id`"),
    ("displayName", "`name`"),
    ("callbackUrls", "`callbackURLs`"),
    ("callbackUrlsFrom.connectionRef.name", "`callbackURLs`"),
    ("callbackUrlsFrom.connectionRef.kind", "`callbackURLs`"),
    ("pkce", "`pkceEnabled`"),
    ("allowedGroups[].group", "`allowedUserGroups`"),
    ("allowedGroups[].groupRef.name", "`allowedUserGroups`"),
    ("secretTemplate.name", OURS),
    ("secretTemplate.labels", OURS),
    ("secretTemplate.annotations", OURS),
    ("logo.url", "`logoUrl`"),
    ("logo.configMapKeyRef.name", "the logo, as a file"),
    ("logo.configMapKeyRef.key", "the logo, as a file"),
    ("rotation.interval", OURS),
    ("rotation.overlap", OURS),
    ("rotation.onLostSecret", OURS),
];

/// Below both `ldap` and `ad`.
const DIRECTORY: [(&str, &str); 25] = [
    ("baseDn", "`base_dn`"),
    ("userAttribute", "`user_attr`"),
    ("servers", "`server1`, `server2`"),
    ("port", "`port`"),
    ("caseSensitive", "`case-sensitive`"),
    ("bindDn", "`bind_dn`"),
    ("bindPasswordSecretRef.name", "`password`"),
    ("bindPasswordSecretRef.key", "`password`"),
    ("tls.mode", "`mode`"),
    ("tls.verify", "`verify`"),
    ("tls.caPath", "`capath`"),
    ("tls.certPath", "`cert`"),
    ("tls.keyPath", "`certkey`"),
    ("tls.version", "`sslversion`"),
    ("users.filter", "`filter`"),
    ("users.classes", "`user_classes`"),
    ("users.attributes", "`sync_attributes`"),
    ("groups.dn", "`group_dn`"),
    ("groups.filter", "`group_filter`"),
    ("groups.classes", "`group_classes`"),
    ("groups.nameAttribute", "`group_name_attr`"),
    ("syncDefaults.scope", "`sync-defaults-options`: `scope=`"),
    ("syncDefaults.enableNew", "`sync-defaults-options`: `enable-new=`"),
    ("syncDefaults.removeVanished", "`sync-defaults-options`: `remove-vanished=`"),
    ("checkConnection", "`check-connection`"),
];

/// What a field, by its path with dots, is in the system that it is for; empty where it is nothing there. `None`: nobody has said yet.
pub fn parameter(kind: &str, path: &str) -> Option<&'static str> {
    let shared =
        ["connectionRef.name", "connectionRef.kind", "managementPolicy", "adoptionPolicy", "deletionPolicy", "suspend"];
    let rows: &[(&str, &str)] = match kind {
        _ if kind.ends_with("Connection") || shared.contains(&path) => return Some(OURS),
        "ProxmoxGroup" => &GROUP,
        "ProxmoxUser" => &USER,
        "ProxmoxToken" => &TOKEN,
        "ProxmoxRole" => &ROLE,
        "ProxmoxPool" => &POOL,
        "ProxmoxAcl" => &ACL,
        "ProxmoxRealm" => &REALM,
        "ProxmoxAccessCheck" => &CHECK,
        "PocketIdGroup" => &POCKET_ID_GROUP,
        "PocketIdClient" => &POCKET_ID_CLIENT,
        _ => return None,
    };
    let named = |rows: &[(&str, &'static str)], path: &str| {
        rows.iter().find(|(field, _)| *field == path).map(|(_, parameter)| *parameter)
    };
    let directory = path.strip_prefix("ldap.").or_else(|| path.strip_prefix("ad."));
    named(rows, path).or_else(|| named(&DIRECTORY, directory.filter(|_| kind == "ProxmoxRealm")?))
}
