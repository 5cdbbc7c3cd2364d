//! The few names of a world: with so few of them, objects meet each other all the time.

/// The connection of all objects of a kind.
pub fn connection_of(kind: &str) -> &'static str {
    if is_of_pocket_id(kind) { "pocket-id" } else { "pve" }
}

/// Whether what a kind stands for is in Pocket ID.
pub fn is_of_pocket_id(kind: &str) -> bool {
    kind.starts_with("PocketId")
}

/// Names of objects by kind. Most are an id too, since a name is the id where a spec gives none.
pub fn objects(kind: &str) -> &'static [&'static str] {
    match kind {
        "ProxmoxRealm" => &["corp", "dir", "pve", "pam", "other"],
        "ProxmoxGroup" => &["g1", "g2", "team-corp", "first", "second"],
        "ProxmoxUser" => &["u1", "u2", "mine", "yours"],
        "ProxmoxToken" => &["t1", "t2", "ci"],
        "ProxmoxRole" => &["r1", "r2", "mine", "pve-like"],
        "ProxmoxPool" => &["p1", "p2", "inner", "outer"],
        "ProxmoxAcl" => &["a1", "a2", "a3", "a4", "a5"],
        "ProxmoxAccessCheck" => &["c1", "c2"],
        "PocketIdGroup" => &["team", "ops", "fans"],
        "PocketIdClient" => &["web", "wiki", "mine"],
        _ => &["nobody"],
    }
}

pub const GROUPS: &[&str] = &["g1", "g2", "g1", "G1", "team-corp", "g2", "team-dir", "by-hand"];
pub const USERS: &[&str] =
    &["u1@pve", "u2@pve", "U1@pve", "u1@corp", "by-hand@pve", "u2@dir", "u1@pve", "u2@pve", "u1@pam", "nobody@nowhere"];
pub const USER_NAMES: &[&str] = &["u1", "u2", "U1", "who.ever"];
pub const REALMS: &[&str] = &["corp", "dir", "Corp", "pve", "pam"];
pub const ROLES: &[&str] =
    &["r1", "r2", "R1", "by-hand", "PVEAuditor", "PVEVMUser", "NoAccess", "PVEAdmin", "PVEAuditor"];
pub const PATHS: &[&str] =
    &["/", "/vms", "/vms/100", "/pool/p1", "/pool/p1/q", "/pool/p2", "/storage/local", "/access"];
pub const POOLS: &[&str] = &["p1", "p1/q", "p1/q/r", "p2", "P1", "by-hand"];
pub const TOKEN_NAMES: &[&str] = &["t1", "t2", "T1"];
pub const TOKENS: &[&str] = &["u1@pve!t1", "u1@pve!t2", "u2@pve!t1", "u1@corp!t1", "by-hand@pve!t1"];
pub const GUESTS: &[i64] = &[100, 101, 200, 999];
pub const STORAGES: &[&str] = &["local", "ceph1", "nowhere"];
/// Groups and clients of Pocket ID.
pub const ID_GROUPS: &[&str] = &["team", "ops", "Team", "by-hand"];
pub const CLIENTS: &[&str] = &["web", "wiki", "by-hand"];
pub const CALLBACKS: &[&str] =
    &["https://pve1.example.com:8006", "https://*.example.com/back", "http://localhost:3000/cb"];
pub const SHOWN: &[&str] = &["One", "Two of them", "\u{fc}mlaut"];
pub const PRIVILEGES: &[&str] =
    &["VM.Audit", "VM.PowerMgmt", "Sys.Audit", "Datastore.Audit", "Pool.Audit", "Permissions.Modify", "VM.Audti"];
pub const COMMENTS: &[&str] = &["", "one", "two", " blanks around ", "0", "ümlaut: %3a", "two\nlines"];
pub const LINES: &[&str] = &["", "one", "two", " blanks around ", "ümlaut: %3a"];
pub const TIMES: &[&str] = &["", "2001-01-01T00:00:00Z", "2039-12-31T23:59:59Z", "2040-01-01T01:00:00+01:00"];
pub const DURATIONS: &[&str] = &["720h", "8760h", "87600h"];
pub const SECRETS: &[&str] = &["s1", "s2", "missing"];

/// Users and tokens whose loss would lock the operator out: not often, or nothing else would happen.
pub const OWN_USER: &str = "root@pam";
pub const OWN_TOKEN: &str = "root@pam!admin";

/// Whether it is one of the names by which things are told apart.
pub fn is_id(word: &str) -> bool {
    [GROUPS, USERS, REALMS, ROLES, POOLS, TOKENS, ID_GROUPS, CLIENTS].iter().any(|all| all.contains(&word))
}
