//! The snapshot from recorded answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;

use super::server::{Received, Reply, Server, answer, failed, ok, on_connecting};
use super::{connected, settings};
use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::{AclKey, AclPath, GroupId, PoolId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::snapshot::{OptionValue, Snapshot, Token};
use crate::pve::read::SnapshotScope;
use crate::pve::realms::RealmCache;

/// Answers as in the recordings, with oddities of FACTS 13 and 14 spread over them.
fn recorded(request: &Received, digest: &str) -> Reply {
    match request.line().strip_prefix("GET /api2/json").unwrap_or_default() {
        "/access/permissions" => ok(r#"{"/":{"Sys.Audit":1,"VM.Audit":0},"/access":{}}"#),
        "/access/groups" => ok(
            r#"[{"groupid":"dev","comment":"the devs","users":"a@pve,b@pve"},{"groupid":"none","users":""},{"groupid":7}]"#,
        ),
        "/access/users?full=1" => {
            ok(r#"[{"tokens":null,"realm-type":"pve","userid":"alice@pve","groups":"","enable":1,"expire":0},
                {"groups":"dev,ops","enable":"0","expire":"4102444800","userid":"bob@pve","email":"","keys":"x",
                 "tokens":[{"privsep":0,"tokenid":"full","expire":0},{"privsep":"1","tokenid":"part","expire":5}]}]"#)
        }
        "/access/roles" => ok(
            r#"[{"special":1,"privs":"Pool.Allocate,Pool.Audit","roleid":"PVEPoolAdmin"},{"roleid":"Empty","privs":"","special":0}]"#,
        ),
        "/access/acl" => ok(r#"[{"path":"/","ugid":"ops@pve","type":"user","roleid":"Ops","propagate":1},
                {"path":"/vms","ugid":"dev","type":"group","roleid":"Ops","propagate":"0"},
                {"path":"/vms","ugid":"ops@pve!full","type":"token","roleid":"Ops","propagate":1},
                {"path":"/vms","ugid":"x","type":"robot","roleid":"Ops","propagate":1}]"#),
        "/access/domains" => ok(r#"[{"realm":"oidc","type":"openid","default":1},{"realm":"o3","type":null},
                {"realm":"pam","comment":"Linux PAM standard authentication","type":"pam"},{"realm":"pve","type":"pve"}]"#),
        "/access/domains/pam" => ok(&format!(
            r#"{{"comment":"Linux","plugin":"PVE::Auth::PAM","digest":"{digest}","type":"pam","default":0}}"#
        )),
        "/access/domains/oidc" => ok(&format!(
            r#"{{"digest":"{digest}","type":"openid","issuer-url":"https://id","client-key":"s3cret","autocreate":1,"comment":""}}"#
        )),
        "/access/domains/o3" => failed(500, "domain 'o3' does not exist"),
        "/pools" => ok(r#"[{"poolid":"p1","comment":"first"},{"poolid":"p1/sub"}]"#),
        other => panic!("{other} is not read"),
    }
}

async fn server(reply: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| on_connecting(request).unwrap_or_else(|| reply(request))).await
}

fn wanted(realms: &[&str]) -> SnapshotScope {
    let realms = realms.iter().map(|realm| RealmId::observed(realm)).collect();
    SnapshotScope { realms, ..SnapshotScope::default() }
}

async fn snapshot(server: &Server, realms: &[&str]) -> Result<Snapshot, Failure> {
    let session = connected(&settings(&server.url, server.pinned())).await;
    session.snapshot(&wanted(realms), &RealmCache::default()).await
}

#[tokio::test]
async fn every_list_is_read_as_recorded() {
    let server = server(|request| recorded(request, "d")).await;
    let snapshot = snapshot(&server, &["oidc", "missing"]).await.expect("a snapshot");
    assert_eq!(server.received().len(), 11, "9 reads, the version on connecting, 1 realm");

    let held = snapshot.permissions.at("/").expect("the root");
    assert_eq!((held.get("Sys.Audit"), held.get("VM.Audit")), (Some(&true), Some(&false)));
    let groups = snapshot.groups.expect("groups");
    let dev = groups.get(&GroupId::observed("dev")).expect("dev");
    assert_eq!(dev.comment, "the devs");
    assert_eq!(dev.members, BTreeSet::from([UserId::observed("a@pve"), UserId::observed("b@pve")]));
    assert!(groups.contains_key(&GroupId::observed("7")));
    let users = snapshot.users.expect("users");
    let bob = users.get(&UserId::observed("bob@pve")).expect("bob");
    assert_eq!((bob.enabled, bob.expire, bob.groups.len()), (false, 4_102_444_800, 2));
    assert_eq!(
        bob.tokens.get(&TokenId::observed("bob@pve!part")),
        Some(&Token { privilege_separation: true, expire: 5, comment: String::new() })
    );
    let roles = snapshot.roles.expect("roles");
    let admin = roles.get(&RoleId::observed("PVEPoolAdmin")).expect("a role");
    assert!(admin.special && admin.privileges.contains("Pool.Audit") && admin.privileges.len() == 2);
    assert!(roles.get(&RoleId::observed("Empty")).is_some_and(|role| role.privileges.is_empty() && !role.special));
    let acl = snapshot.acl.expect("entries");
    let entry = |path, subject| AclKey { path: AclPath::observed(path), subject, role: RoleId::observed("Ops") };
    assert_eq!(acl.len(), 3, "the unknown type is passed over");
    assert_eq!(acl.get(&entry("/vms", Subject::Group(GroupId::observed("dev")))), Some(&false));
    assert_eq!(acl.get(&entry("/vms", Subject::Token(TokenId::observed("ops@pve!full")))), Some(&true));
    let pools = snapshot.pools.expect("pools");
    assert_eq!(pools.get(&PoolId::observed("p1/sub")).map(|pool| pool.comment.as_str()), Some(""));
}

#[tokio::test]
async fn realms_have_options_only_where_they_are_wanted() {
    let server = server(|request| recorded(request, "d")).await;
    let realms = snapshot(&server, &["oidc", "pam", "o3"]).await.expect("a snapshot").realms.expect("realms");
    assert_eq!(realms.digest.as_deref(), Some("d"));
    let realm = |id| realms.realms.get(&RealmId::observed(id)).expect(id);
    assert!(realm("oidc").default && realm("o3").kind.is_empty());
    let options = realm("oidc").options.clone().expect("wanted").expect("readable");
    let plain = |text: &str| Some(OptionValue::Plain(text.to_owned()));
    assert_eq!(options.get("autocreate").cloned(), plain("1"));
    assert_eq!(options.get("issuer-url").cloned(), plain("https://id"));
    assert!(matches!(options.get("client-key"), Some(OptionValue::Secret(key)) if key.expose() == "s3cret"));
    assert_eq!(options.len(), 3, "neither type, digest nor empty values");
    let pam = realm("pam").options.clone().expect("wanted").expect("readable");
    assert_eq!((pam.get("default").cloned(), pam.contains_key("plugin")), (plain("0"), false));
    assert_eq!(realm("pve").options, None);
    let damaged = realm("o3").options.clone().expect("wanted").expect_err("damaged");
    assert_eq!(damaged.kind, FailureKind::Gone);
}

#[tokio::test]
async fn an_unchanged_digest_needs_no_realm_to_be_read_again() {
    let digest = Arc::new(Mutex::new("one".to_owned()));
    let shown = Arc::clone(&digest);
    let server = server(move |request| recorded(request, &shown.lock().expect("no panic"))).await;
    let session = connected(&settings(&server.url, server.pinned())).await;
    let cache = RealmCache::default();
    let mut reads = Vec::new();
    for change in ["one", "one", "two"] {
        change.clone_into(&mut digest.lock().expect("no panic"));
        let realms = session.snapshot(&wanted(&["oidc"]), &cache).await.expect("a snapshot").realms.expect("realms");
        assert!(matches!(realms.realms.get(&RealmId::observed("oidc")).map(|realm| &realm.options), Some(Some(Ok(_)))));
        reads.push(server.lines().iter().filter(|line| line.ends_with("/domains/oidc")).count());
    }
    assert_eq!(reads, [1, 1, 2]);
}

#[tokio::test]
async fn without_the_right_to_read_realms_their_options_are_forbidden_and_the_list_is_known() {
    let server = server(|request| {
        if request.line().contains("/domains/") {
            return failed(403, "Permission check failed (/access/realm, Realm.Allocate|Sys.Audit)");
        }
        recorded(request, "d")
    })
    .await;
    let realms = snapshot(&server, &["oidc"]).await.expect("a snapshot").realms.expect("the list");
    assert_eq!((realms.digest, realms.realms.len()), (None, 4));
    let options = realms.realms.get(&RealmId::observed("oidc")).and_then(|realm| realm.options.clone());
    assert_eq!(options.expect("wanted").expect_err("forbidden").kind, FailureKind::Forbidden);
}

#[tokio::test]
async fn a_list_that_fails_fails_alone_but_a_lost_server_fails_all() {
    let with = |path: &'static str, reply: fn() -> Reply| async move {
        let server =
            server(move |request| if request.line().ends_with(path) { reply() } else { recorded(request, "d") }).await;
        snapshot(&server, &["oidc"]).await
    };
    let one = with("/access/acl", || failed(403, "Permission check failed")).await.expect("the rest");
    assert_eq!(one.acl.expect_err("forbidden").kind, FailureKind::Forbidden);
    assert!(one.groups.is_ok());
    let odd = with("/access/groups", || ok(r#"{"not":"a list"}"#)).await.expect("the rest");
    let odd = odd.groups.expect_err("unknown shape");
    assert!(odd.kind == FailureKind::Other && odd.message.contains("GET /access/groups"), "{odd}");

    let permissions = with("/access/permissions", || failed(403, "Permission check failed")).await;
    assert_eq!(permissions.expect_err("needed").kind, FailureKind::Forbidden);
    let html = with("/pools", || answer("200 OK", "text/html", "<html>")).await;
    assert_eq!(html.expect_err("lost").kind, FailureKind::Unreachable);
    let revoked = with("/access/domains/oidc", || answer("401 Authentication failed!", "", "")).await;
    assert_eq!(revoked.expect_err("refused").kind, FailureKind::Authentication);
}
