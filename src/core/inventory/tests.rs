use super::{Account, Input, Kind, Recall};
use crate::api::Reason;
use crate::core::claim::{Claim, Entry, Ledger, Origin, Progress, Scope};
use crate::core::fields::Fields;
use crate::core::ids::{AclKey, AclPath, GroupId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::object::{Mode, Object};
use crate::core::plan::tests::fixtures::{ALL, empty, entry, group, object, permissions, pool, role, user};
use crate::core::snapshot::{Group, OptionValue, Pool, Realm, Role, Snapshot, Token, User};
use crate::core::visibility::View;

const NOW: i64 = 1000;

/// A group, a role of one's own, a pool, a user with a token, a realm and an entry.
fn some() -> Snapshot {
    let mut snapshot = empty();
    snapshot.roles.as_mut().expect("roles").values_mut().for_each(|role| role.special = true);
    add_group(&mut snapshot, "g");
    let own = Role { privileges: ["a".to_owned()].into(), special: false };
    snapshot.roles.as_mut().expect("roles").insert(RoleId::observed("own"), own);
    snapshot.pools.as_mut().expect("pools").extend([(crate::core::ids::PoolId::observed("p"), Pool::default())]);
    add_user(&mut snapshot, "root@pam");
    add_user(&mut snapshot, "u@pve");
    add_token(&mut snapshot, "u@pve!ci", true);
    add_realm(&mut snapshot, "corp", "openid", &[]);
    add(&mut snapshot, "/vms", Subject::Group(GroupId::observed("g")), "own");
    snapshot
}

fn add_group(snapshot: &mut Snapshot, id: &str) {
    snapshot.groups.as_mut().expect("groups").insert(GroupId::observed(id), Group::default());
}

fn add_user(snapshot: &mut Snapshot, id: &str) {
    snapshot.users.as_mut().expect("users").insert(UserId::observed(id), User::default());
}

fn add_token(snapshot: &mut Snapshot, id: &str, privilege_separation: bool) {
    let token = TokenId::observed(id);
    let user = snapshot.users.as_mut().expect("users").entry(token.user()).or_default();
    user.tokens.insert(token, Token { privilege_separation, ..Token::default() });
}

fn add_realm(snapshot: &mut Snapshot, id: &str, kind: &str, on: &[&str]) {
    let on = on.iter().map(|name| ((*name).to_owned(), OptionValue::Plain("1".to_owned())));
    let options: Fields = on.collect();
    let realm = Realm { kind: kind.to_owned(), default: false, options: Some(Ok(options)) };
    snapshot.realms.as_mut().expect("realms").realms.insert(RealmId::observed(id), realm);
}

fn key(path: &str, subject: Subject, role: &str) -> AclKey {
    AclKey { path: AclPath::observed(path), subject, role: RoleId::observed(role) }
}

fn add(snapshot: &mut Snapshot, path: &str, subject: Subject, role: &str) {
    snapshot.acl.as_mut().expect("entries").insert(key(path, subject, role), true);
}

fn by_user(id: &str) -> Subject {
    Subject::User(UserId::observed(id))
}

/// With a role `Admin`, and `a@pve` and `b@pve` who have it: one by himself, one by a group.
fn administered() -> Snapshot {
    let mut snapshot = empty();
    let admin = Role { privileges: ["Permissions.Modify".to_owned()].into(), special: true };
    snapshot.roles.as_mut().expect("roles").insert(RoleId::observed("Admin"), admin);
    for id in ["root@pam", "a@pve", "b@pve", "c@pve", "ops@pve"] {
        add_user(&mut snapshot, id);
    }
    let members = ["root@pam", "b@pve"].map(UserId::observed).into();
    let admins = Group { members, ..Group::default() };
    snapshot.groups.as_mut().expect("groups").insert(GroupId::observed("admins"), admins);
    add(&mut snapshot, "/", by_user("a@pve"), "Admin");
    add(&mut snapshot, "/", Subject::Group(GroupId::observed("admins")), "Admin");
    snapshot
}

fn take(recall: &mut Recall, objects: &[Object], snapshot: &Snapshot) -> Account {
    let view = View::new(snapshot);
    recall.take(&Input { objects, snapshot, view: &view, now: NOW }, |_| Vec::new())
}

fn once(objects: &[Object], snapshot: &Snapshot) -> Account {
    take(&mut Recall::default(), objects, snapshot)
}

/// `kind count` of what is not zero, or all kinds that were counted.
fn counts(account: &Account) -> String {
    let some = account.unmanaged.iter().filter(|it| it.count > 0);
    some.map(|it| format!("{} {}", it.kind.name(), it.count)).collect::<Vec<_>>().join(", ")
}

fn newest(account: &Account, kind: Kind) -> Vec<String> {
    account.unmanaged.iter().find(|it| it.kind == kind).map(|it| it.newest.clone()).unwrap_or_default()
}

fn reasons(account: &Account) -> Vec<Reason> {
    account.news.iter().map(|news| news.reason).collect()
}

fn admins(account: &Account) -> String {
    let names = account.administrators.as_ref().expect("they are seen");
    let names = names.names().map(|(name, by_claim)| format!("{name}{}", if by_claim { "" } else { "?" }));
    names.collect::<Vec<_>>().join(" ")
}

fn holding(claims: impl IntoIterator<Item = Claim>) -> Object {
    let entry = Entry { origin: Origin::Created, progress: Progress::Applied };
    let ledger: Ledger = claims.into_iter().map(|claim| (claim, entry)).collect();
    Object { ledger, ..object("holder", []) }
}

#[test]
fn what_is_claimed_held_or_observed_or_built_in_is_not_counted() {
    let snapshot = some();
    assert_eq!(counts(&once(&[], &snapshot)), "acl 1, groups 1, pools 1, realms 1, roles 1, tokens 1, users 1");
    let claims = [group("g"), pool("p"), user("u@pve"), role("own"), entry("/vms", "own", "g")];
    let rest = "realms 1, tokens 1";
    for mode in [Mode::Manage, Mode::Observe, Mode::Suspended] {
        let one = Object { mode, ..object("o", claims.clone()) };
        assert_eq!(counts(&once(&[one], &snapshot)), rest, "{mode:?}");
    }
    let gone = Object { mode: Mode::Deleting, ..holding(claims) };
    assert_eq!(counts(&once(&[gone], &snapshot)), rest);
    let exact = Object { exact: [Scope::Entries(AclPath::observed("/vms"))].into(), ..object("exact", []) };
    assert_eq!(counts(&once(&[exact], &snapshot)), "groups 1, pools 1, realms 1, roles 1, tokens 1, users 1");
}

#[test]
fn a_list_that_is_not_seen_in_full_is_not_counted() {
    let all = once(&[], &some()).unmanaged.len();
    assert_eq!(all, Kind::ALL.len());
    let snapshot = Snapshot { permissions: permissions(&[("/pool", ALL)]), ..some() };
    let account = once(&[], &snapshot);
    let kinds: Vec<&str> = account.unmanaged.iter().map(|it| it.kind.name()).collect();
    assert_eq!(kinds, ["pools", "realms", "roles"]);
    assert!(account.administrators.is_none());
}

#[test]
fn only_what_was_not_there_before_is_new() {
    let (mut recall, mut snapshot) = (Recall::default(), some());
    assert!(take(&mut recall, &[], &snapshot).news.is_empty(), "there is no before");
    for id in ["h1", "h2", "h3", "h4"] {
        add_group(&mut snapshot, id);
        let account = take(&mut recall, &[], &snapshot);
        assert_eq!(reasons(&account), [Reason::UnmanagedAppeared]);
        assert!(account.news[0].message.contains(&format!("group {id};")), "{:?}", account.news);
    }
    let account = take(&mut recall, &[], &snapshot);
    assert_eq!((account.news.len(), newest(&account, Kind::Groups)), (0, vec!["h4".into(), "h3".into(), "h2".into()]));
    // What gets an object is none of them any more, and what loses it is nothing new.
    let object = object("o", [group("h3")]);
    let account = take(&mut recall, std::slice::from_ref(&object), &snapshot);
    assert_eq!(newest(&account, Kind::Groups), ["h4", "h2"]);
    let account = take(&mut recall, &[], &snapshot);
    assert_eq!((account.news.len(), newest(&account, Kind::Groups)), (0, vec!["h4".into(), "h2".into()]));
}

#[test]
fn a_list_that_was_not_seen_for_a_while_is_compared_with_what_it_last_was() {
    let (mut recall, mut snapshot) = (Recall::default(), some());
    take(&mut recall, &[], &snapshot);
    let blind = Snapshot { permissions: permissions(&[]), ..some() };
    assert!(take(&mut recall, &[], &blind).news.is_empty());
    assert!(take(&mut recall, &[], &snapshot).news.is_empty());
    take(&mut recall, &[], &blind);
    add_group(&mut snapshot, "h");
    assert_eq!(reasons(&take(&mut recall, &[], &snapshot)), [Reason::UnmanagedAppeared]);
}

#[test]
fn the_newest_outlive_the_process() {
    let snapshot = some();
    let view = View::new(&snapshot);
    let input = Input { objects: &[], snapshot: &snapshot, view: &view, now: NOW };
    let account = Recall::default().take(&input, |kind| match kind {
        Kind::Groups => vec!["gone".to_owned(), "g".to_owned()],
        _ => Vec::new(),
    });
    assert_eq!((newest(&account, Kind::Groups), account.news.len()), (vec!["g".to_owned()], 0));
}

#[test]
fn what_a_realm_brings_is_counted_and_not_told() {
    for (kind, on) in [("ldap", &[][..]), ("openid", &["autocreate"]), ("openid", &["groups-autocreate"])] {
        let (mut recall, mut snapshot) = (Recall::default(), some());
        add_realm(&mut snapshot, "corp", kind, on);
        take(&mut recall, &[], &snapshot);
        add_user(&mut snapshot, "ann@corp");
        add_group(&mut snapshot, "devs-corp");
        let account = take(&mut recall, &[], &snapshot);
        assert!(account.news.is_empty(), "{kind} {on:?}: {:?}", account.news);
        assert!(counts(&account).contains("users 2") && newest(&account, Kind::Users).is_empty());
    }
    let (mut recall, mut snapshot) = (Recall::default(), some());
    take(&mut recall, &[], &snapshot);
    add_user(&mut snapshot, "ann@corp");
    assert_eq!(reasons(&take(&mut recall, &[], &snapshot)), [Reason::UnmanagedAppeared]);
}

#[test]
fn administrators_are_those_who_may_grant_everything() {
    let mut snapshot = administered();
    add_token(&mut snapshot, "a@pve!full", false);
    add_token(&mut snapshot, "b@pve!sep", true);
    add_token(&mut snapshot, "c@pve!full", false);
    add_token(&mut snapshot, "root@pam!full", false);
    add_token(&mut snapshot, "root@pam!sep", true);
    add(&mut snapshot, "/", by_user("c@pve"), "A");
    add(&mut snapshot, "/vms", by_user("c@pve"), "Admin");
    assert_eq!(admins(&once(&[], &snapshot)), "a@pve? b@pve? a@pve!full? root@pam!full?");
    let claims = [entry("/", "Admin", "admins")];
    assert_eq!(admins(&once(&[object("o", claims)], &snapshot)), "a@pve? b@pve a@pve!full? root@pam!full?");
    let by_token = Subject::Token(TokenId::observed("b@pve!sep"));
    add(&mut snapshot, "/", by_token, "Admin");
    // One's own entries take the place of those of the group, and who may not log in is none.
    add(&mut snapshot, "/", by_user("a@pve"), "NoAccess");
    add(&mut snapshot, "/", by_user("b@pve"), "Admin");
    assert_eq!(admins(&once(&[], &snapshot)), "b@pve? b@pve!sep? root@pam!full?");
    snapshot.users.as_mut().expect("users").get_mut(&UserId::observed("b@pve")).expect("b").expire = NOW;
    assert_eq!(admins(&once(&[], &snapshot)), "root@pam!full?");
}

#[test]
fn who_becomes_administrator_is_told_with_how() {
    let (mut recall, mut snapshot) = (Recall::default(), administered());
    take(&mut recall, &[], &snapshot);
    let by_c = key("/", by_user("c@pve"), "Admin");
    snapshot.acl.as_mut().expect("entries").insert(by_c.clone(), true);
    let account = take(&mut recall, &[object("o", [Claim::Acl(by_c)])], &snapshot);
    assert_eq!(reasons(&account), [Reason::AdministratorAppeared]);
    assert!(account.news[0].message.contains("c@pve, as objects say"), "{:?}", account.news);
    add(&mut snapshot, "/", by_user("ops@pve"), "Admin");
    let account = take(&mut recall, &[], &snapshot);
    assert_eq!(reasons(&account), [Reason::UnmanagedAppeared, Reason::AdministratorAppeared]);
    assert!(account.news[1].message.contains("ops@pve, by what no object claims"), "{:?}", account.news);
    assert!(take(&mut recall, &[], &snapshot).news.is_empty());
}

#[test]
fn the_last_administrator_is_missed_whoever_else_the_operator_is() {
    let (mut recall, mut snapshot) = (Recall::default(), administered());
    // The operator's own user is an administrator all the time.
    add(&mut snapshot, "/", by_user("ops@pve"), "Admin");
    take(&mut recall, &[], &snapshot);
    let entries = snapshot.acl.as_mut().expect("entries");
    entries.remove(&key("/", by_user("a@pve"), "Admin"));
    assert!(take(&mut recall, &[], &snapshot).news.is_empty(), "b is left");
    snapshot.groups.as_mut().expect("groups").clear();
    let account = take(&mut recall, &[], &snapshot);
    assert_eq!(reasons(&account), [Reason::LastAdministratorGone]);
    assert!(account.news[0].message.contains("root@pam and ops@pve"), "{:?}", account.news);
    assert!(take(&mut recall, &[], &snapshot).news.is_empty(), "it is told once");
}
