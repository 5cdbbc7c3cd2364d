//! Each write is one request as it was recorded.

use std::collections::BTreeSet;

use super::server::{Received, Server, failed, ok, on_connecting};
use super::{connected, settings};
use crate::core::claim::{PoolItem, Thing};
use crate::core::failure::FailureKind;
use crate::core::fields::Fields;
use crate::core::ids::{AclPath, GroupId, GuestId, PoolId, RealmId, RoleId, StorageId, Subject, TokenId, UserId};
use crate::core::secret::Secret;
use crate::core::snapshot::OptionValue;
use crate::core::write::{AclBatch, AclChange, GroupChange, MemberChange, PoolChange, Write};
use crate::pve::config::{Auth, Settings};

async fn server() -> Server {
    Server::start(|request| {
        on_connecting(request).unwrap_or_else(|| match request.line() {
            "GET /api2/json/access/domains/oidc" => ok(r#"{"type":"openid","digest":"now"}"#),
            "GET /api2/json/access/users/a@pve" => ok(r#"{"groups":["b","x"]}"#),
            "GET /api2/json/access/domains/nope" => failed(500, "domain 'nope' does not exist"),
            "POST /api2/json/access/ticket" => ok(r#"{"ticket":"t","CSRFPreventionToken":"c"}"#),
            _ => ok("null"),
        })
    })
    .await
}

/// Sends one write with a password's ticket and gives what the server received.
async fn sent_as(user: &str, password: &str, write: Write) -> Vec<Received> {
    let server = server().await;
    let auth = Auth::Ticket { user: UserId::observed(user), password: Secret::new(password) };
    let settings = Settings { auth, ..settings(&server.url, server.pinned()) };
    connected(&settings).await.write(&write).await.expect("a success");
    server.received()
}

/// Sends one write and gives what the server received for it.
async fn sent(write: Write) -> (Result<Option<Secret>, FailureKind>, Vec<Received>) {
    let server = server().await;
    let session = connected(&settings(&server.url, server.pinned())).await;
    let before = server.received().len();
    let result = session.write(&write).await.map_err(|failure| failure.kind);
    (result, server.received().split_off(before))
}

/// The only request: its line and body.
async fn one(write: Write) -> (String, String) {
    let (result, received) = sent(write).await;
    result.expect("a success");
    let [request] = received.as_slice() else { panic!("{received:?}") };
    (request.line().replace("/api2/json", ""), request.body().to_owned())
}

fn options(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), OptionValue::Plain((*value).to_owned()))).collect()
}

fn batch(subjects: &[Subject], change: AclChange) -> Write {
    Write::Acl(AclBatch {
        path: AclPath::observed("/vms"),
        roles: [RoleId::observed("A"), RoleId::observed("B")].into(),
        subjects: subjects.iter().cloned().collect(),
        change,
    })
}

fn pair(line: &str, body: &str) -> (String, String) {
    (line.to_owned(), body.to_owned())
}

fn update(thing: Thing, set: &[(&str, &str)], unset: &[&str]) -> Write {
    let unset = unset.iter().map(|name| (*name).to_owned()).collect();
    Write::Update { thing, set: options(set), unset, digest: None }
}

#[tokio::test]
async fn named_things_are_written() {
    let group = Thing::Group(GroupId::observed("g-1"));
    let user = Thing::User(UserId::observed("a@pve"));
    let token = Thing::Token(TokenId::observed("a@pve!t1"));
    let role = Thing::Role(RoleId::observed("R"));
    // Nested pools have no path of their own.
    let pool = Thing::Pool(PoolId::observed("a/b"));
    let odd = "a;b&c=d +%\nä";
    for (write, line, body) in [
        (Write::create(group.clone(), options(&[])), "POST /access/groups", "groupid=g-1"),
        (
            Write::create(group.clone(), options(&[("comment", odd)])),
            "POST /access/groups",
            "groupid=g-1&comment=a%3Bb%26c%3Dd+%2B%25%0A%C3%A4",
        ),
        (update(group.clone(), &[], &["comment"]), "PUT /access/groups/g-1", "comment="),
        (Write::Delete { thing: group }, "DELETE /access/groups/g-1", ""),
        (Write::create(user.clone(), options(&[("enable", "0")])), "POST /access/users", "userid=a%40pve&enable=0"),
        (update(user.clone(), &[("expire", "0")], &["email"]), "PUT /access/users/a@pve", "expire=0&email="),
        (Write::Delete { thing: user }, "DELETE /access/users/a@pve", ""),
        (Write::create(token.clone(), options(&[("privsep", "0")])), "POST /access/users/a@pve/token/t1", "privsep=0"),
        (update(token.clone(), &[], &["comment"]), "PUT /access/users/a@pve/token/t1", "comment="),
        (Write::Delete { thing: token }, "DELETE /access/users/a@pve/token/t1", ""),
        (
            Write::create(role.clone(), options(&[("privs", "A.B,C.D")])),
            "POST /access/roles",
            "roleid=R&privs=A.B%2CC.D",
        ),
        (update(role.clone(), &[], &["privs"]), "PUT /access/roles/R", "privs="),
        (Write::Delete { thing: role }, "DELETE /access/roles/R", ""),
        (Write::create(pool.clone(), options(&[("comment", "c")])), "POST /pools", "poolid=a%2Fb&comment=c"),
        (update(pool.clone(), &[], &["comment"]), "PUT /pools?poolid=a%2Fb", "comment="),
        (Write::Delete { thing: pool }, "DELETE /pools?poolid=a%2Fb", ""),
    ] {
        assert_eq!(one(write).await, pair(line, body));
    }
}

#[tokio::test]
async fn groups_of_a_user_are_added_to_the_list_or_what_stands_now_is_kept() {
    let groups = |ids: &[&str]| ids.iter().map(|id| GroupId::observed(id)).collect::<BTreeSet<_>>();
    let change = |join: &[&str], leave: &[&str]| {
        let (join, leave) = (groups(join), groups(leave));
        Write::Groups(GroupChange { user: UserId::observed("a@pve"), join, leave, stay: groups(&["old"]) })
    };
    let line = "PUT /access/users/a@pve";
    assert_eq!(one(change(&["a", "b"], &[])).await, pair(line, "groups=a%2Cb&append=1"));
    // `x` was joined since the lists were read, and `old` was left.
    for (join, body) in [(&["a"][..], "groups=a%2Cx"), (&[], "groups=x")] {
        let (result, received) = sent(change(join, &["b"])).await;
        result.expect("a success");
        let [read, write] = received.as_slice() else { panic!("{received:?}") };
        assert_eq!(read.line(), "GET /api2/json/access/users/a@pve");
        assert_eq!((write.line(), write.body()), ("PUT /api2/json/access/users/a@pve", body));
    }
}

#[tokio::test]
async fn members_of_a_pool_are_written() {
    let items = [
        PoolItem::Guest(GuestId::observed("100")),
        PoolItem::Guest(GuestId::observed("101")),
        PoolItem::Storage(StorageId::observed("local")),
    ];
    for (change, end) in [
        (MemberChange::Enter { allow_move: false }, ""),
        (MemberChange::Enter { allow_move: true }, "&allow-move=1"),
        (MemberChange::Leave, "&delete=1"),
    ] {
        let items = items.iter().cloned().collect();
        let write = Write::PoolMembers(PoolChange { pool: PoolId::observed("p"), items, change });
        let body = format!("vms=100%2C101&storage=local{end}");
        assert_eq!(one(write).await, pair("PUT /pools?poolid=p", &body));
    }
}

#[tokio::test]
async fn a_password_is_confirmed_with_ones_own_unless_one_is_root() {
    for (user, confirmation) in [("ops@pve", "&confirmation-password=own-password"), ("root@pam", "")] {
        let password = Secret::new("new-password");
        let write = Write::SetPassword { user: UserId::observed("a@pve"), password };
        let received = sent_as(user, "own-password", write).await;
        let last = received.last().expect("a request");
        assert_eq!(last.line(), "PUT /api2/json/access/password");
        assert_eq!(last.body(), format!("userid=a%40pve&password=new-password{confirmation}"));
    }
}

#[tokio::test]
async fn an_id_of_dots_is_not_sent_as_a_path() {
    let (result, received) = sent(Write::Delete { thing: Thing::Group(GroupId::observed("..")) }).await;
    assert_eq!(result, Err(FailureKind::Invalid));
    assert!(received.is_empty());
}

#[tokio::test]
async fn realms_are_written() {
    let realm = Thing::Realm(RealmId::observed("oidc"));
    let mut all = options(&[("issuer-url", "https://id"), ("default", "1")]);
    all.insert("client-key".to_owned(), OptionValue::Secret(Secret::new("k;1")));
    all.insert("type".to_owned(), OptionValue::Plain("openid".to_owned()));
    let create = Write::create(realm.clone(), all);
    let body = "realm=oidc&client-key=k%3B1&default=1&issuer-url=https%3A%2F%2Fid&type=openid";
    assert_eq!(one(create).await, pair("POST /access/domains", body));
    let unset: BTreeSet<String> = ["comment".to_owned(), "prompt".to_owned()].into();
    let update = |digest: Option<&str>| Write::Update {
        thing: realm.clone(),
        set: options(&[("autocreate", "0")]),
        unset: unset.clone(),
        digest: digest.map(str::to_owned),
    };
    let body = "autocreate=0&delete=comment%2Cprompt&digest=planned";
    assert_eq!(one(update(Some("planned"))).await, pair("PUT /access/domains/oidc", body));
    let (result, received) = sent(update(None)).await;
    result.expect("a success");
    let lines: Vec<&str> = received.iter().map(Received::line).collect();
    assert_eq!(lines, ["GET /api2/json/access/domains/oidc", "PUT /api2/json/access/domains/oidc"]);
    assert!(received.last().is_some_and(|request| request.body().ends_with("&digest=now")));
    assert_eq!(one(Write::Delete { thing: realm }).await, pair("DELETE /access/domains/oidc", ""));
}

#[tokio::test]
async fn a_realm_that_is_not_there_any_more_is_gone_before_it_is_written() {
    let update = update(Thing::Realm(RealmId::observed("nope")), &[("comment", "c")], &[]);
    let (result, received) = sent(update).await;
    assert_eq!((result, received.len()), (Err(FailureKind::Gone), 1));
}

#[tokio::test]
async fn a_failed_connection_check_is_told_in_the_words_of_the_directory() {
    let server = Server::start(|request| {
        on_connecting(request).unwrap_or_else(|| match request.line() {
            "POST /api2/json/access/domains" => {
                failed(500, "add auth server failed: ldap bind failed: Invalid credentials")
            }
            _ => failed(500, "update auth server failed: Connection refused"),
        })
    })
    .await;
    let session = connected(&settings(&server.url, server.pinned())).await;
    let thing = Thing::Realm(RealmId::observed("ld"));
    let change = |set: &[(&str, &str)]| Write::Update {
        thing: thing.clone(),
        set: options(set),
        unset: BTreeSet::new(),
        digest: Some("d".to_owned()),
    };
    let (asked, other) = (("check-connection", "1"), ("port", "1"));
    let stored = "the new bind password is stored already";
    for (write, kind, says, password) in [
        (
            Write::create(thing.clone(), options(&[asked, ("password", "p")])),
            FailureKind::CheckFailed,
            "ldap bind failed: Invalid credentials",
            true,
        ),
        (change(&[asked, other, ("password", "p")]), FailureKind::CheckFailed, "Connection refused", true),
        (change(&[asked, other]), FailureKind::CheckFailed, "Connection refused", false),
        (change(&[other]), FailureKind::Other, "Connection refused", false),
    ] {
        let failure = session.write(&write).await.expect_err("a failure");
        assert_eq!(failure.kind, kind);
        assert!(failure.message.ends_with(says), "{failure}");
        assert_eq!(failure.message.contains(stored), password, "{failure}");
    }
}

#[tokio::test]
async fn an_empty_realm_option_is_never_sent() {
    for empty in ["", " "] {
        let realm = Thing::Realm(RealmId::observed("oidc"));
        let create = Write::create(realm, options(&[("client-id", empty)]));
        let (result, received) = sent(create).await;
        assert_eq!((result, received.len()), (Err(FailureKind::Invalid), 0));
    }
}

#[tokio::test]
async fn acl_entries_are_written_as_a_product() {
    let subjects = [
        Subject::Group(GroupId::observed("g1")),
        Subject::Group(GroupId::observed("g2")),
        Subject::User(UserId::observed("ä!@pve")),
        Subject::Token(TokenId::observed("u@pve!tk")),
    ];
    let names = "path=%2Fvms&roles=A%2CB&groups=g1%2Cg2&users=%C3%A4%21%40pve&tokens=u%40pve%21tk";
    let grant = batch(&subjects, AclChange::Grant { propagate: false });
    assert_eq!(one(grant).await, pair("PUT /access/acl", &format!("{names}&propagate=0")));
    let revoke = batch(&subjects, AclChange::Revoke);
    assert_eq!(one(revoke).await, pair("PUT /access/acl", &format!("{names}&delete=1")));
}

#[tokio::test]
async fn an_acl_change_that_proxmox_ve_would_misread_is_not_sent() {
    let grant = AclChange::Grant { propagate: true };
    let huge: Vec<Subject> = (0..60_000).map(|n| Subject::Group(GroupId::observed(&format!("group-{n}")))).collect();
    for subjects in [&[][..], &[Subject::User(UserId::observed("a,b@pve"))], &huge] {
        let (result, received) = sent(batch(subjects, grant)).await;
        assert_eq!((result, received.len()), (Err(FailureKind::Invalid), 0));
    }
}

#[tokio::test]
async fn the_secret_of_a_token_is_taken_from_the_answer_and_shown_nowhere() {
    let token = TokenId::observed("a@pve!t1");
    let server = Server::start(|request| {
        on_connecting(request).unwrap_or_else(|| ok(r#"{"full-tokenid":"a@pve!t1","value":"canary-uuid","privsep":1}"#))
    })
    .await;
    let session = connected(&settings(&server.url, server.pinned())).await;
    let regenerate = Write::Regenerate { token: token.clone(), set: options(&[]), unset: BTreeSet::new() };
    for (write, line) in [
        (Write::create(Thing::Token(token.clone()), options(&[])), "POST /api2/json/access/users/a@pve/token/t1"),
        (regenerate, "PUT /api2/json/access/users/a@pve/token/t1"),
    ] {
        let shown = session.write(&write).await;
        assert!(!format!("{shown:?}").contains("canary"));
        assert_eq!(shown, Ok(Some(Secret::new("canary-uuid"))));
        assert_eq!(server.received().last().map(Received::line), Some(line));
    }
    let comment = Write::Update {
        thing: Thing::Token(token),
        set: options(&[("comment", "c")]),
        unset: BTreeSet::new(),
        digest: None,
    };
    assert_eq!(session.write(&comment).await, Ok(None), "an update shows none that is taken");
}
