//! Each write is one request as it was recorded.

use std::collections::BTreeSet;

use super::server::{Received, Server, failed, ok, on_connecting};
use super::{connected, settings};
use crate::core::failure::FailureKind;
use crate::core::ids::{AclPath, GroupId, PoolId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::secret::Secret;
use crate::core::snapshot::{OptionValue, RealmOptions};
use crate::core::write::{AclBatch, AclChange, Write};

/// Sends one write and gives what the server received for it.
async fn sent(write: Write) -> (Result<(), FailureKind>, Vec<Received>) {
    let server = Server::start(|request| {
        on_connecting(request).unwrap_or_else(|| match request.line() {
            "GET /api2/json/access/domains/oidc" => ok(r#"{"type":"openid","digest":"now"}"#),
            "GET /api2/json/access/domains/nope" => failed(500, "domain 'nope' does not exist"),
            _ => ok("null"),
        })
    })
    .await;
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

fn options(pairs: &[(&str, &str)]) -> RealmOptions {
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

#[tokio::test]
async fn groups_are_written() {
    let group = GroupId::observed("g-1");
    let create = |comment: &str| Write::CreateGroup { group: group.clone(), comment: comment.to_owned() };
    assert_eq!(one(create("")).await, pair("POST /access/groups", "groupid=g-1"));
    let odd = "a;b&c=d +%\nä";
    let encoded = "groupid=g-1&comment=a%3Bb%26c%3Dd+%2B%25%0A%C3%A4";
    assert_eq!(one(create(odd)).await, pair("POST /access/groups", encoded));
    let clear = Write::UpdateGroup { group: group.clone(), comment: String::new() };
    assert_eq!(one(clear).await, pair("PUT /access/groups/g-1", "comment="));
    assert_eq!(one(Write::DeleteGroup { group }).await, pair("DELETE /access/groups/g-1", ""));
}

#[tokio::test]
async fn an_id_of_dots_is_not_sent_as_a_path() {
    let (result, received) = sent(Write::DeleteGroup { group: GroupId::observed("..") }).await;
    assert_eq!(result, Err(FailureKind::Invalid));
    assert!(received.is_empty());
}

#[tokio::test]
async fn pools_are_named_in_the_query() {
    let pool = PoolId::observed("a/b");
    let create = Write::CreatePool { pool: pool.clone(), comment: "c".to_owned() };
    assert_eq!(one(create).await, pair("POST /pools", "poolid=a%2Fb&comment=c"));
    let update = Write::UpdatePool { pool: pool.clone(), comment: String::new() };
    assert_eq!(one(update).await, pair("PUT /pools?poolid=a%2Fb", "comment="));
    assert_eq!(one(Write::DeletePool { pool }).await, pair("DELETE /pools?poolid=a%2Fb", ""));
}

#[tokio::test]
async fn realms_are_written() {
    let realm = RealmId::observed("oidc");
    let mut all = options(&[("issuer-url", "https://id"), ("default", "1")]);
    all.insert("client-key".to_owned(), OptionValue::Secret(Secret::new("k;1")));
    let create = Write::CreateRealm { realm: realm.clone(), kind: "openid", options: all };
    let body = "realm=oidc&type=openid&client-key=k%3B1&default=1&issuer-url=https%3A%2F%2Fid";
    assert_eq!(one(create).await, pair("POST /access/domains", body));
    let unset: BTreeSet<String> = ["comment".to_owned(), "prompt".to_owned()].into();
    let update = |digest: Option<&str>| Write::UpdateRealm {
        realm: realm.clone(),
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
    assert_eq!(one(Write::DeleteRealm { realm }).await, pair("DELETE /access/domains/oidc", ""));
}

#[tokio::test]
async fn a_realm_that_is_not_there_any_more_is_gone_before_it_is_written() {
    let realm = RealmId::observed("nope");
    let update = Write::UpdateRealm { realm, set: options(&[("comment", "c")]), unset: BTreeSet::new(), digest: None };
    let (result, received) = sent(update).await;
    assert_eq!((result, received.len()), (Err(FailureKind::Gone), 1));
}

#[tokio::test]
async fn an_empty_realm_option_is_never_sent() {
    for empty in ["", " "] {
        let realm = RealmId::observed("oidc");
        let create = Write::CreateRealm { realm, kind: "openid", options: options(&[("client-id", empty)]) };
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
