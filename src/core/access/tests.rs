use std::collections::{BTreeMap, BTreeSet};

use super::{Check, judge};
use crate::api::Reason;
use crate::core::claim::PoolItem;
use crate::core::ids::{AclKey, AclPath, GroupId, GuestId, PoolId, RoleId, Subject, TokenId, UserId};
use crate::core::snapshot::{Credential, Group, HeldPermissions, Pool, Realms, Role, Snapshot, Token, User};
use crate::core::version::PveVersion;

const NOW: i64 = 1_800_000_000;

/// Paths, each with what the operator holds there.
type Seen<'a> = &'a [(&'a str, &'a str)];

fn permissions(sees: Seen<'_>) -> HeldPermissions {
    let held =
        |(path, privilege): &(&str, &str)| ((*path).to_owned(), BTreeMap::from([((*privilege).to_owned(), true)]));
    HeldPermissions(sees.iter().map(held).collect())
}

/// All that it needs to see everything.
const ALL: Seen<'_> =
    &[("/access", "Sys.Audit"), ("/access/groups", "Sys.Audit"), ("/pool", "Pool.Audit"), ("/pool/p", "Pool.Audit")];

/// `u` is in `g` and has a separated token; guest 100 is in the pool `p`.
fn snapshot(entries: &[&str]) -> Snapshot {
    let role = |(id, privileges): (&str, &[&str])| {
        let privileges = privileges.iter().map(|name| (*name).to_owned()).collect();
        (RoleId::observed(id), Role { privileges, special: false })
    };
    let roles: [(&str, &[&str]); 3] =
        [("Use", &["VM.Audit", "VM.Console"]), ("Admin", &["VM.Audit", "VM.Console", "Sys.Modify"]), ("NoAccess", &[])];
    let token = |id: &str, expire| (TokenId::observed(id), Token { expire, ..Token::default() });
    let user = |enabled, expire, tokens| User { enabled, expire, tokens, ..User::default() };
    let tokens = BTreeMap::from([token("u@pve!ci", 0), token("u@pve!old", NOW - 1)]);
    Snapshot {
        credential: Credential::Token(TokenId::observed("ops@pve!token")),
        version: PveVersion::observed("9.2.11"),
        permissions: permissions(ALL),
        groups: Ok(["g", "h"]
            .map(|id| (GroupId::observed(id), group(if id == "g" { &["u@pve"] } else { &[] })))
            .into()),
        users: Ok([
            ("u@pve", user(true, 0, tokens)),
            ("off@pve", user(false, 0, BTreeMap::new())),
            ("old@pve", user(true, NOW - 1, BTreeMap::new())),
            ("root@pam", user(true, 0, BTreeMap::new())),
        ]
        .map(|(id, user)| (UserId::observed(id), user))
        .into()),
        roles: Ok(roles.map(role).into()),
        acl: Ok(entries.iter().map(|text| entry(text)).collect()),
        realms: Ok(Realms::default()),
        pools: Ok([(PoolId::observed("p"), pool(&["100"]))].into()),
        jobs: None,
        resources: None,
    }
}

fn group(members: &[&str]) -> Group {
    Group { members: members.iter().map(|id| UserId::observed(id)).collect(), ..Group::default() }
}

fn pool(guests: &[&str]) -> Pool {
    let members: BTreeSet<PoolItem> = guests.iter().map(|id| PoolItem::Guest(GuestId::observed(id))).collect();
    Pool { members: Some(Ok(members)), ..Pool::default() }
}

fn subject(id: &str) -> Subject {
    match id {
        group if !group.contains('@') => Subject::Group(GroupId::observed(group)),
        token if token.contains('!') => Subject::Token(TokenId::observed(token)),
        user => Subject::User(UserId::observed(user)),
    }
}

/// `/path subject role`, with `-` at the end for an entry that is not propagated.
fn entry(text: &str) -> (AclKey, bool) {
    let words: Vec<&str> = text.split(' ').collect();
    let key =
        AclKey { path: AclPath::observed(words[0]), subject: subject(words[1]), role: RoleId::observed(words[2]) };
    (key, words.get(3) != Some(&"-"))
}

/// `subject path +Required -Forbidden`.
fn check(text: &str) -> Check {
    let words: Vec<&str> = text.split(' ').collect();
    let of = |sign| words.iter().filter_map(|word| word.strip_prefix(sign)).map(str::to_owned).collect();
    Check { subject: subject(words[0]), path: AclPath::observed(words[1]), require: of('+'), forbid: of('-') }
}

fn judged(snapshot: &Snapshot, text: &str) -> Result<String, (Reason, String)> {
    let mut results = judge(&[Ok(check(text))], snapshot, NOW);
    results.remove(0).map(|holds| holds.message).map_err(|refusal| (refusal.reason, refusal.message))
}

#[test]
fn what_holds_for_nobody_is_warned_of() {
    let snapshot = snapshot(&["/vms g Use"]);
    let warning = |text| judge(&[Ok(check(text))], &snapshot, NOW).remove(0).expect("it holds").warning;
    let warned = warning("opertors /vms -VM.Audit").expect("a warning");
    assert_eq!(warned.reason, Reason::SubjectMissing);
    assert_eq!(warning("g /vms -Sys.Modify"), None);
}

#[test]
fn what_holds_says_what_decides() {
    let cases: [(&[&str], &str, &str); 8] = [
        (
            &["/vms g Use"],
            "g /vms/100 +VM.Audit",
            "VM.Audit is held on /vms/100: by Use for group g on /vms (propagated)",
        ),
        (
            &["/vms/100 u@pve Use"],
            "u@pve /vms/100 +VM.Audit +VM.Console",
            "VM.Audit, VM.Console are held on /vms/100: by Use for user u@pve on /vms/100",
        ),
        (
            &["/pool/p g Use"],
            "g /vms/100 +VM.Audit -Sys.Modify",
            "VM.Audit is held on /vms/100: by Use for group g on /pool/p (through pool p); Sys.Modify is not held on \
             /vms/100: the deepest entry that counts is Use for group g on /pool/p (through pool p)",
        ),
        (
            &["/ g Use", "/ u@pve!ci Admin"],
            "u@pve!ci / +VM.Audit -Sys.Modify",
            "VM.Audit is held on /: by Use for group g on / and by Admin for token u@pve!ci on /; Sys.Modify is not held \
             on /: user u@pve lacks it (the deepest entry that counts is Use for group g on /)",
        ),
        (&[], "root@pam /vms +Sys.Modify", "Sys.Modify is held on /vms: root@pam may do everything"),
        (
            &["/ ghost Admin"],
            "ghost / -Sys.Modify",
            "Sys.Modify is not held on /: group ghost does not exist in Proxmox VE",
        ),
        (
            &["/ off@pve Admin"],
            "off@pve / -Sys.Modify",
            "Sys.Modify is not held on /: user off@pve is disabled in Proxmox VE",
        ),
        (&["/ g Admin"], "h / -VM.Audit -Sys.Modify", "VM.Audit, Sys.Modify are not held on /: no entry counts there"),
    ];
    for (entries, text, expected) in cases {
        assert_eq!(judged(&snapshot(entries), text).as_deref(), Ok(expected), "{text} with {entries:?}");
    }
}

#[test]
fn what_fails_says_what_decides() {
    let cases: [(&[&str], &str, &str); 7] = [
        (
            &["/vms g Use", "/vms/100 u@pve NoAccess"],
            "u@pve /vms/100 +VM.Audit",
            "VM.Audit is not held on /vms/100: the deepest entry that counts is NoAccess for user u@pve on /vms/100",
        ),
        (
            &["/ g Admin"],
            "g /vms +VM.Audit -Sys.Modify",
            "Sys.Modify is held on /vms: by Admin for group g on / (propagated)",
        ),
        (
            &["/ g Use"],
            "u@pve!ci / +VM.Audit",
            "VM.Audit is not held on /: token u@pve!ci lacks it (no entry counts there)",
        ),
        (
            &[],
            "u@pve!ci / +VM.Audit",
            "VM.Audit is not held on /: user u@pve lacks it (no entry counts there) and token u@pve!ci lacks it (no entry \
             counts there)",
        ),
        (
            &["/ old@pve Use"],
            "old@pve / +VM.Audit",
            "VM.Audit is not held on /: user old@pve expired at 2027-01-15T07:59:59Z",
        ),
        (
            &["/ u@pve!old Use"],
            "u@pve!old / +VM.Audit",
            "VM.Audit is not held on /: token u@pve!old expired at 2027-01-15T07:59:59Z",
        ),
        (&[], "no@pve / +VM.Audit", "VM.Audit is not held on /: user no@pve does not exist in Proxmox VE"),
    ];
    for (entries, text, expected) in cases {
        let failed = Err((Reason::AssertionFailed, expected.to_owned()));
        assert_eq!(judged(&snapshot(entries), text), failed, "{text} with {entries:?}");
    }
}

#[test]
fn what_cannot_be_seen_is_not_guessed() {
    let (groups, pools) = ("Sys.Audit or Group.Allocate or User.Modify on /access/groups", "Pool.Audit on /pool");
    let cases: [(Seen<'_>, &[&str], &str, &str); 6] = [
        (&ALL[1..], &[], "g / -VM.Audit", "Sys.Audit on /access"),
        (
            &[("/access", "Sys.Audit"), ("/access/groups", "Group.Allocate")],
            &[],
            "u@pve / -VM.Audit",
            "Sys.Audit or User.Modify on /access/groups",
        ),
        (&[("/access", "Sys.Audit"), ("/access/groups", "VM.Audit")], &[], "ghost / -VM.Audit", groups),
        (&ALL[..2], &[], "g /vms/100 -VM.Audit", pools),
        (
            &[ALL[0], ALL[1], ALL[2], ("/pool/secret", "VM.Audit")],
            &["/pool/secret ops@pve Use"],
            "g /storage/local -VM.Audit",
            "Pool.Audit on /pool/secret",
        ),
        (
            &[ALL[0], ALL[1], ALL[2]],
            &["/pool/secret ops@pve NoAccess"],
            "g /storage/local -VM.Audit",
            "Pool.Audit on /pool/secret",
        ),
    ];
    for (sees, entries, text, needs) in cases {
        let snapshot = Snapshot { permissions: permissions(sees), ..snapshot(entries) };
        let (reason, message) = judged(&snapshot, text).expect_err("cannot be told");
        assert_eq!(reason, Reason::Forbidden, "{text}: {message}");
        assert!(message.contains(needs), "{text}: {message}");
    }
    // Pools do not matter elsewhere.
    let blind = Snapshot { permissions: permissions(&ALL[..2]), ..snapshot(&[]) };
    assert!(judged(&blind, "g /vms -VM.Audit").is_ok());
}

#[test]
fn a_group_that_only_its_member_tells_of_is_hidden() {
    let mut snapshot = snapshot(&[]);
    let users = snapshot.users.as_mut().expect("read");
    users.get_mut(&UserId::observed("u@pve")).expect("a user").groups.insert(GroupId::observed("secret"));
    let (reason, message) = judged(&snapshot, "u@pve / -VM.Audit").expect_err("cannot be told");
    assert_eq!(reason, Reason::Forbidden);
    assert!(message.contains("/access/groups/secret"), "{message}");
}

#[test]
fn a_privilege_that_is_not_known_is_refused_with_the_nearest() {
    let (reason, message) = judged(&snapshot(&[]), "g / +VM.Audti -Sys.Modify").expect_err("not known");
    assert_eq!(reason, Reason::InvalidSpec);
    assert!(message.contains("VM.Audti (did you mean VM.Audit?)"), "{message}");
}
