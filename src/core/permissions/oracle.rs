//! The same evaluation once more, as Proxmox VE's manual tells it ("Permission Management"): slow, level by level from
//! the top, and without a line of the real one. Both must say the same of whatever ACL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::{DEFAULT_PATHS, Decision, Directory, Entry, Explanation, Holders, Pool, Privileges, Token, User};
use crate::core::ids::{AclKey, AclPath, GroupId, PoolId, RoleId, Subject, TokenId, UserId};
use crate::core::snapshot::Credential;

const NOW: i64 = 1000;

/// Role and whether it is passed on.
type Roles = BTreeMap<String, bool>;

/// The roles that somebody has on a path: "individual over group", "deeper over inherited".
fn roles(
    directory: &Directory,
    path: &str,
    is_own: &dyn Fn(&Subject) -> bool,
    is_of_group: &dyn Fn(&Subject) -> bool,
) -> Roles {
    let mut held = Roles::new();
    let levels: Vec<String> = if path == "/" {
        vec!["/".to_owned()]
    } else {
        let ends = path.match_indices('/').skip(1).map(|(at, _)| at).chain([path.len()]);
        ["/".to_owned()].into_iter().chain(ends.map(|end| path[..end].to_owned())).collect()
    };
    for level in levels {
        let counting = |concerns: &dyn Fn(&Subject) -> bool| -> Roles {
            let here = directory.acl.iter().filter(|(key, propagate)| {
                key.path.as_str() == level && concerns(&key.subject) && (**propagate || level == path)
            });
            let mut roles = Roles::new();
            // Two groups may have the same role; passed on by one of them is passed on.
            for (key, propagate) in here {
                *roles.entry(key.role.to_string()).or_default() |= *propagate;
            }
            roles
        };
        for own in [counting(is_of_group), counting(is_own)] {
            if !own.is_empty() {
                held = own;
            }
        }
    }
    held
}

/// What these roles grant on a path, together with what reaches it through the pools that it is in.
fn granted(
    directory: &Directory,
    path: &str,
    is_own: &dyn Fn(&Subject) -> bool,
    is_of_group: &dyn Fn(&Subject) -> bool,
) -> Privileges {
    let mut held = Privileges::new();
    let mut add = |roles: &Roles, inherits: bool| {
        for (role, propagate) in roles {
            for privilege in &directory.roles[&RoleId::observed(role)] {
                *held.entry(privilege.clone()).or_default() |= *propagate && inherits;
            }
        }
    };
    let direct = roles(directory, path, is_own, is_of_group);
    if direct.contains_key("NoAccess") {
        return held;
    }
    add(&direct, true);
    for (id, Pool { guests, storages }) in &directory.pools {
        let inside = guests.iter().any(|guest| path == format!("/vms/{guest}"))
            || storages.iter().any(|storage| path == format!("/storage/{storage}"));
        let through = roles(directory, &format!("/pool/{id}"), is_own, is_of_group);
        if inside && !through.contains_key("NoAccess") {
            add(&through, false);
        }
    }
    held
}

fn of_user(directory: &Directory, user: &UserId, path: &str) -> Privileges {
    match directory.users.get(user) {
        Some(User { enabled: true, expire }) if *expire == 0 || *expire > NOW => {}
        _ => return Privileges::new(),
    }
    if user.as_str() == "root@pam" {
        return directory.roles.values().flatten().map(|privilege| (privilege.clone(), true)).collect();
    }
    let is_own = |subject: &Subject| *subject == Subject::User(user.clone());
    let is_of_group = |subject: &Subject| match subject {
        Subject::Group(group) => directory.groups.get(group).is_some_and(|members| members.contains(user)),
        Subject::User(_) | Subject::Token(_) => false,
    };
    granted(directory, path, &is_own, &is_of_group)
}

fn of_token(directory: &Directory, token: &TokenId, path: &str) -> Privileges {
    let user = of_user(directory, &token.user(), path);
    match directory.tokens.get(token) {
        Some(Token { expire, .. }) if *expire != 0 && *expire <= NOW => Privileges::new(),
        None => Privileges::new(),
        Some(Token { privilege_separation: false, .. }) => user,
        Some(Token { privilege_separation: true, .. }) => {
            let own = granted(directory, path, &|subject| *subject == Subject::Token(token.clone()), &|_| false);
            let both = own.into_iter().filter_map(|(name, mine)| user.get(&name).map(|theirs| (name, mine && *theirs)));
            both.collect()
        }
    }
}

const PATHS: [&str; 12] = [
    "/",
    "/vms",
    "/vms/100",
    "/vms/101",
    "/storage",
    "/storage/local",
    "/pool",
    "/pool/p",
    "/pool/p/q",
    "/access",
    "/access/groups",
    "/nodes/x",
];
const USERS: [&str; 3] = ["root@pam", "u@pve", "v@pve"];
const TOKENS: [&str; 3] = ["root@pam!sep", "u@pve!sep", "v@pve!full"];
const GROUPS: [&str; 2] = ["g", "h"];
const ROLES: [&str; 4] = ["A", "B", "AB", "NoAccess"];

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        prop::sample::select(&USERS[..]).prop_map(|id| Subject::User(UserId::observed(id))),
        prop::sample::select(&TOKENS[..]).prop_map(|id| Subject::Token(TokenId::observed(id))),
        prop::sample::select(&GROUPS[..]).prop_map(|id| Subject::Group(GroupId::observed(id))),
    ]
}

fn key() -> impl Strategy<Value = AclKey> {
    let path = prop::sample::select(&PATHS[..]).prop_map(AclPath::observed);
    let role = prop::sample::select(&ROLES[..]).prop_map(RoleId::observed);
    (path, subject(), role).prop_map(|(path, subject, role)| AclKey { path, subject, role })
}

fn expiry() -> impl Strategy<Value = i64> {
    prop::sample::select(&[0, 0, 0, NOW - 1, NOW, NOW + 1][..])
}

fn directory() -> impl Strategy<Value = Directory> {
    let users = prop::collection::vec((prop::bool::weighted(0.9), expiry()), USERS.len());
    let tokens = prop::collection::vec((any::<bool>(), expiry()), TOKENS.len());
    let members =
        prop::collection::vec(prop::collection::btree_set(prop::sample::select(&USERS[..]), 0..3), GROUPS.len());
    let pools = prop::collection::vec((any::<bool>(), any::<bool>()), 2);
    let acl = prop::collection::btree_map(key(), any::<bool>(), 0..12);
    (users, tokens, members, pools, acl).prop_map(|(users, tokens, members, pools, acl)| Directory {
        users: USERS
            .iter()
            .zip(users)
            .map(|(id, (enabled, expire))| (UserId::observed(id), User { enabled, expire }))
            .collect(),
        tokens: TOKENS
            .iter()
            .zip(tokens)
            .map(|(id, (privilege_separation, expire))| (TokenId::observed(id), Token { privilege_separation, expire }))
            .collect(),
        groups: GROUPS
            .iter()
            .zip(members)
            .map(|(id, members)| (GroupId::observed(id), members.into_iter().map(UserId::observed).collect()))
            .collect(),
        roles: [("A", &["a"][..]), ("B", &["b"]), ("AB", &["a", "b"]), ("NoAccess", &[])]
            .into_iter()
            .map(|(id, names)| (RoleId::observed(id), names.iter().map(|name| Arc::from(*name)).collect()))
            .collect(),
        pools: ["p", "p/q"]
            .into_iter()
            .zip(pools)
            .map(|(id, (guest, storage))| {
                let guests = BTreeSet::from([if guest { 100 } else { 101 }]);
                let storages = storage.then(|| "local".to_owned()).into_iter().collect();
                (PoolId::observed(id), Pool { guests, storages })
            })
            .collect(),
        acl,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn the_model_says_what_the_manual_says(directory in directory()) {
        for path in PATHS {
            let at = AclPath::observed(path);
            for user in USERS.map(UserId::observed) {
                let rights = directory.rights(&Credential::User(user.clone()), NOW);
                prop_assert_eq!(rights.on(&at), of_user(&directory, &user, path), "{} on {}", user, path);
                for privilege in ["a", "b"] {
                    prop_assert_eq!(rights.holds(&at, privilege), rights.on(&at).contains_key(privilege));
                }
            }
            for token in TOKENS.map(TokenId::observed) {
                let rights = directory.rights(&Credential::Token(token.clone()), NOW);
                prop_assert_eq!(rights.on(&at), of_token(&directory, &token, path), "{} on {}", token, path);
                for privilege in ["a", "b"] {
                    prop_assert_eq!(rights.holds(&at, privilege), rights.on(&at).contains_key(privilege));
                }
            }
        }
    }

    #[test]
    fn everywhere_is_all_paths_that_are_known_of(directory in directory()) {
        let entries = directory.acl.keys().map(|key| key.path.clone()).chain(DEFAULT_PATHS.map(AclPath::observed));
        let mut known: BTreeSet<AclPath> =
            entries.flat_map(|path| path.upwards().map(AclPath::observed).collect::<Vec<_>>()).collect();
        known.extend(directory.pools.values().flat_map(Pool::paths).map(|path| AclPath::observed(&path)));
        let users = USERS.map(|id| Credential::User(UserId::observed(id)));
        for credential in users.into_iter().chain(TOKENS.map(|id| Credential::Token(TokenId::observed(id)))) {
            let rights = directory.rights(&credential, NOW);
            let on = |path: &AclPath| Some((path.clone(), rights.on(path))).filter(|(_, held)| !held.is_empty());
            let expected: BTreeMap<AclPath, Privileges> = known.iter().filter_map(on).collect();
            let everywhere = rights.everywhere().into_iter().map(|(path, held)| (path, (*held).clone()));
            prop_assert_eq!(everywhere.collect::<BTreeMap<_, _>>(), expected, "{:?}", credential);
        }
    }

    #[test]
    fn the_holders_are_all_who_hold(directory in directory()) {
        let top = AclPath::root();
        let Holders { users, tokens } = directory.holders("a", NOW);
        for user in USERS.map(UserId::observed) {
            let holds = !user.is_root() && of_user(&directory, &user, top.as_str()).contains_key("a");
            prop_assert_eq!(users.contains(&user), holds, "{}", user);
        }
        for token in TOKENS.map(TokenId::observed) {
            let holds = of_token(&directory, &token, top.as_str()).contains_key("a");
            prop_assert_eq!(tokens.contains(&token), holds, "{}", token);
        }
    }

    #[test]
    fn an_explanation_says_what_is_so_and_names_what_stands(directory in directory()) {
        let users = USERS.map(UserId::observed).map(Credential::User);
        let tokens = TOKENS.map(TokenId::observed).map(Credential::Token);
        let credentials = users.iter().chain(&tokens).map(|credential| directory.rights(credential, NOW));
        let groups = GROUPS.map(GroupId::observed);
        let groups = groups.iter().map(|group| directory.rights_of_group_alone(group));
        for rights in credentials.chain(groups) {
            for (path, privilege) in PATHS.iter().flat_map(|path| [(path, "a"), (path, "b"), (path, "c")]) {
                let path = AclPath::observed(path);
                let explanation = rights.explain(&path, privilege);
                prop_assert_eq!(explanation.holds(), rights.holds(&path, privilege), "{:?} on {}", explanation, path);
                let Explanation::Decided(decisions) = explanation else { continue };
                for (_, decision) in decisions {
                    let held = decision.holds();
                    let entries = match decision {
                        Decision::Held(entry) => vec![entry],
                        Decision::Lacking(entries) => entries,
                    };
                    for Entry { key, propagate: _, pool } in entries {
                        prop_assert!(directory.acl.contains_key(key));
                        let below = pool.map_or_else(|| path.clone(), PoolId::acl_path);
                        prop_assert!(below.is_within(&key.path) && (key.path == below || directory.acl[key]));
                        prop_assert_eq!(directory.roles[&key.role].contains(privilege), held);
                    }
                }
            }
        }
    }
}
