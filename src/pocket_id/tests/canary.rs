//! No secret is in a message, in `Debug`, or in a log, whatever the server echoes.

use serde_json::json;

use super::{KEY, connected, create_client, create_group, ok, raw, settings};
use crate::core::pocket_id::ids::ClientId;
use crate::core::pocket_id::snapshot::Scope;
use crate::core::pocket_id::write::{Answer, Write};
use crate::https::tests::log::Log;
use crate::https::tests::server::{Received, Reply, answer};
use crate::pocket_id::details::Details;

const SECRET: &str = "canary-of-an-issued-secret";

/// A server that repeats the key and the secret in its failures, the way a careless one might.
fn echo(request: &Received) -> Option<Reply> {
    if request.line() == "POST /api/oidc/clients/pve/secret" {
        return Some(ok(&json!({ "secret": SECRET }).to_string()));
    }
    if request.line() == "POST /api/oidc/clients" {
        // Of no known shape, with the secret in it.
        return Some(ok(&json!([SECRET]).to_string()));
    }
    let said = format!("you sent {}", request.header("x-api-key").unwrap_or_default());
    let body = json!({ "error": said }).to_string();
    (request.line().contains("/user-groups")).then(|| answer("500 Oops", "application/json", &body))
}

#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let log = Log::start();
    let server = raw(echo).await;
    let settings = settings(&server.url, server.pinned());
    let session = connected(&settings).await;
    let issued = session.write(&Write::IssueSecret(ClientId::observed("pve"))).await;
    let Ok(Answer::Secret { value, .. }) = &issued else { panic!("{issued:?}") };
    assert_eq!(value.expose(), SECRET);
    let created = session.write(&create_client("other")).await;
    let refused = session.write(&create_group("admins")).await.expect_err("a failure");
    let unread = session.snapshot(&Scope::default(), &mut Details::default()).await.expect_err("a failure");
    assert!(refused.message.contains("you sent [secret]"), "{refused}");
    let logged = log.text();
    assert!(logged.contains("called Pocket ID") && logged.contains("/api/oidc/clients/pve/secret"), "{logged}");
    let all = format!("{settings:?} {issued:?} {created:?} {refused:?} {unread:?} {logged}");
    assert!(server.received().iter().any(|request| request.header("x-api-key") == Some(KEY)), "the key was used");
    for secret in [KEY, SECRET] {
        assert!(!all.contains(secret), "{secret} is shown in {all}");
    }
}
