use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Directory, Pool, Token, User};
use crate::core::ids::{AclKey, AclPath, GroupId, PoolId, RoleId, Subject, TokenId, UserId};
use crate::core::snapshot::Credential;

const NOW: i64 = 1000;

fn path(text: &str) -> AclPath {
    AclPath::parse(text).expect("a path")
}

/// `u` is in `g` and `h`; roles `A` and `B` hold one privilege each, `AB` both.
fn directory() -> Directory {
    let mut directory = Directory::default();
    for (user, enabled, expire) in
        [("root@pam", true, 0), ("u@pve", true, 0), ("off@pve", false, 0), ("old@pve", true, 999)]
    {
        directory.users.insert(UserId::observed(user), User { enabled, expire });
    }
    for (token, privilege_separation, expire) in
        [("u@pve!sep", true, 0), ("u@pve!full", false, 0), ("u@pve!old", false, 999), ("root@pam!sep", true, 0)]
    {
        directory.tokens.insert(TokenId::observed(token), Token { privilege_separation, expire });
    }
    for group in ["g", "h"] {
        directory.groups.insert(GroupId::observed(group), BTreeSet::from([UserId::observed("u@pve")]));
    }
    for (role, privileges) in [("A", &["a"][..]), ("B", &["b"]), ("AB", &["a", "b"]), ("NoAccess", &[])] {
        let privileges = privileges.iter().map(|name| Arc::from(*name)).collect();
        directory.roles.insert(RoleId::observed(role), privileges);
    }
    let pool = Pool { guests: BTreeSet::from([100]), storages: BTreeSet::from(["local".to_owned()]) };
    directory.pools.insert(PoolId::observed("p/q"), pool);
    directory
}

/// `/path subject role`, with `-` at the end for an entry that is not propagated.
fn with(entries: &[&str]) -> Directory {
    let mut directory = directory();
    for entry in entries {
        let words: Vec<&str> = entry.split(' ').collect();
        let subject = match words[1] {
            group if !group.contains('@') => Subject::Group(GroupId::observed(group)),
            token if token.contains('!') => Subject::Token(TokenId::observed(token)),
            user => Subject::User(UserId::observed(user)),
        };
        let key = AclKey { path: path(words[0]), subject, role: RoleId::observed(words[2]) };
        directory.acl.insert(key, words.get(3) != Some(&"-"));
    }
    directory
}

fn credential(id: &str) -> Credential {
    if id.contains('!') { Credential::Token(TokenId::observed(id)) } else { Credential::User(UserId::observed(id)) }
}

/// Held privileges, with `-` behind those that are not propagated.
fn held(directory: &Directory, id: &str, on: &str) -> String {
    let rights = directory.rights(&credential(id), NOW);
    let words: Vec<String> = rights
        .on(&path(on))
        .into_iter()
        .map(|(privilege, propagate)| format!("{privilege}{}", if propagate { "" } else { "-" }))
        .collect();
    words.join(" ")
}

#[test]
fn a_path_is_evaluated_as_pve_does() {
    let cases: [(&[&str], &str, &str, &str); 27] = [
        (&["/ g A"], "u@pve", "/vms/100", "a"),
        (&["/ g A"], "root@pam", "/", "a b"),
        (&["/ g A", "/vms h B"], "u@pve", "/vms/101", "b"),
        (&["/ g A", "/vms h B"], "u@pve", "/storage/x", "a"),
        (&["/ g A", "/ h B"], "u@pve", "/", "a b"),
        (&["/ g A", "/ u@pve B"], "u@pve", "/", "b"),
        (&["/vms u@pve B", "/vms/101 g A"], "u@pve", "/vms/101", "a"),
        (&["/ u@pve A", "/vms g NoAccess"], "u@pve", "/vms/100", ""),
        (&["/ u@pve A", "/ u@pve NoAccess"], "u@pve", "/", ""),
        (&["/ g A", "/ h NoAccess"], "u@pve", "/", ""),
        (&["/ g NoAccess", "/ u@pve A"], "u@pve", "/", "a"),
        (&["/ g A", "/nodes u@pve B -"], "u@pve", "/nodes", "b-"),
        (&["/ g A", "/nodes u@pve B -"], "u@pve", "/nodes/pve1", "a"),
        (&["/ u@pve A -", "/ u@pve AB"], "u@pve", "/", "a b"),
        (&["/pool/p u@pve A"], "u@pve", "/vms/100", "a-"),
        (&["/pool/p/q g A"], "u@pve", "/storage/local", "a-"),
        (&["/pool/p/q g A", "/vms g B"], "u@pve", "/vms/100", "a- b"),
        (&["/pool/p/q g A", "/vms/100 g NoAccess"], "u@pve", "/vms/100", ""),
        (&["/pool/p x@pve A"], "u@pve", "/vms/100", ""),
        (&["/ u@pve A", "/ u@pve!full NoAccess"], "u@pve!full", "/", "a"),
        (&["/ u@pve AB"], "u@pve!sep", "/", ""),
        (&["/ u@pve A", "/vms u@pve!sep AB"], "u@pve!sep", "/vms", "a"),
        (&["/ u@pve AB"], "u@pve!old", "/", ""),
        (&["/access root@pam!sep A"], "root@pam!sep", "/access", "a"),
        (&["/ off@pve A"], "off@pve", "/", ""),
        (&["/ old@pve A"], "old@pve", "/", ""),
        (&["/ ghost@pve A"], "ghost@pve", "/", ""),
    ];
    for (entries, id, on, expected) in cases {
        assert_eq!(held(&with(entries), id, on), expected, "{id} on {on} with {entries:?}");
    }
}

#[test]
fn everywhere_lists_only_where_something_is_held() {
    let directory = with(&["/pool/p/q g A", "/vms/105 g B", "/nodes/x h NoAccess"]);
    let rights = directory.rights(&credential("u@pve"), NOW);
    let paths: Vec<String> = rights.everywhere().keys().map(ToString::to_string).collect();
    assert_eq!(paths, ["/pool/p/q", "/storage/local", "/vms/100", "/vms/105"]);
}

#[test]
fn a_group_alone_has_the_rights_of_its_entries() {
    let directory = with(&["/vms g A", "/vms u@pve B"]);
    let rights = directory.rights_of_group_alone(&GroupId::observed("g"));
    assert!(rights.holds(&path("/vms/1"), "a"));
    assert!(!rights.holds(&path("/vms/1"), "b"));
}
