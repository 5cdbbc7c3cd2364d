//! The snapshot says what stands.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    RELEASES, connected, create_client, everything, group, ids, ok, raw, restricted, settings, settings_of, simulator,
};
use crate::core::failure::FailureKind;
use crate::core::pocket_id::ids::{ClientId, GroupId, UserId};
use crate::core::pocket_id::snapshot::Scope;
use crate::core::pocket_id::write::{Answer, Write};
use crate::https::tests::server::Received;
use crate::pocket_id::details::Details;
use crate::sim::pocket_id::Release;

#[tokio::test]
async fn lists_are_read_to_their_last_page() {
    for release in RELEASES {
        let simulator = simulator(release).await;
        let session = connected(&settings_of(&simulator)).await;
        for number in 0..250 {
            group(&session, &format!("group-{number:03}")).await;
        }
        simulator.clear_requests();
        let snapshot = everything(&session).await;
        assert_eq!(snapshot.groups.len(), 250, "{release:?}");
        let pages = simulator.requests().count("GET", "/api/user-groups");
        assert_eq!(pages, 3, "{release:?}");
    }
}

#[tokio::test]
async fn groups_users_and_clients_are_read_with_what_is_known_of_them() {
    for release in RELEASES {
        let simulator = simulator(release).await;
        let session = connected(&settings_of(&simulator)).await;
        let (admins, empty) = (group(&session, "admins").await, group(&session, "empty").await);
        let claims = [("pve_role".to_owned(), "operator".to_owned())];
        session
            .write(&Write::SetClaims { group: admins.clone(), claims: claims.clone().into() })
            .await
            .expect("claims");
        let alice = UserId::observed(&simulator.add_user("alice", &["admins"]).expect("a user"));
        let bob = UserId::observed(&simulator.add_user("bob", &[]).expect("a user"));
        session.write(&create_client("pve")).await.expect("a client");

        let snapshot = everything(&session).await;
        let (id, found) = snapshot.group_named("admins").expect("a group");
        assert_eq!((id, found.friendly_name.as_str(), &found.claims), (&admins, "The admins", &claims.into()));
        assert!(!found.from_directory);
        let users = snapshot.users.as_ref().expect("users");
        assert_eq!(users.len(), 2, "the user of the static key is left out: {users:?}");
        assert_eq!(users[&alice].email.as_deref(), Some("alice@example.com"));
        assert_eq!(snapshot.user_named("bob").map(|(id, user)| (id, user.disabled)), Some((&bob, false)));
        assert_eq!(snapshot.members(&admins), Some([alice].into()));
        assert_eq!(snapshot.members(&empty), Some([].into()));
        let client = &snapshot.clients[&ClientId::observed("pve")];
        for (name, value) in restricted("pve") {
            assert_eq!(client.fields[&name], value, "{release:?}");
        }
        assert_eq!((client.allowed.clone(), client.secrets.clone()), (Some([].into()), None));
    }
}

#[tokio::test]
async fn users_are_read_only_where_they_are_needed() {
    let simulator = simulator(Release::V2_9).await;
    let session = connected(&settings_of(&simulator)).await;
    let snapshot = session.snapshot(&Scope::default(), &mut Details::default()).await.expect("a snapshot");
    assert_eq!(snapshot.users, None);
    assert_eq!(simulator.requests().count("GET", "/api/users"), 0);
}

#[tokio::test]
async fn secrets_are_listed_where_there_can_be_several() {
    for release in RELEASES {
        let simulator = simulator(release).await;
        let session = connected(&settings_of(&simulator)).await;
        let mut issued = Vec::new();
        for id in ["pve", "other"] {
            session.write(&create_client(id)).await.expect("a client");
            let answer = session.write(&Write::IssueSecret(ClientId::observed(id))).await.expect("a secret");
            let Answer::Secret { id, .. } = answer else { panic!("{answer:?}") };
            issued.push(id);
        }
        let scope = Scope { secrets: ids(&["pve", "not-there"]), ..Scope::default() };
        let snapshot = session.snapshot(&scope, &mut Details::default()).await.expect("a snapshot");
        let secrets = |id| snapshot.clients[&ClientId::observed(id)].secrets.clone();
        let several = release == Release::V2_14;
        assert_eq!(issued[0].is_some(), several, "{release:?}");
        assert_eq!(secrets("pve"), several.then(|| issued[0].iter().cloned().collect()), "{release:?}");
        assert_eq!(secrets("other"), None, "{release:?}");
    }
}

/// A list of one page, where `total` are promised.
fn page(total: usize, rows: &str) -> String {
    format!(r#"{{"data":[{rows}],"pagination":{{"totalPages":1,"totalItems":{total}}}}}"#)
}

fn is_list(request: &Received, path: &str) -> bool {
    request.line().starts_with(&format!("GET {path}?"))
}

#[tokio::test]
async fn where_the_numbers_differ_the_group_is_asked_who_is_in_it() {
    let named = |id: &str, groups: &str| format!(r#"{{"id":"{id}","username":"{id}","userGroups":[{groups}]}}"#);
    let (alice, bob) = (named("alice", r#"{"id":"g1"}"#), named("bob", r#"{"id":"g2"}"#));
    let group = |id: &str, count| format!(r#"{{"id":"{id}","name":"{id}","friendlyName":"G","userCount":{count}}}"#);
    let groups = [group("g1", 1), group("g2", 2), group("g3", 1)].join(",");
    let users = [alice, bob].join(",");
    let server = raw(move |request| match request.line() {
        _ if is_list(request, "/api/user-groups") => Some(ok(&page(3, &groups))),
        _ if is_list(request, "/api/users") => Some(ok(&page(2, &users))),
        _ if is_list(request, "/api/oidc/clients") => Some(ok(&page(0, ""))),
        "GET /api/user-groups/g2" => Some(ok(r#"{"id":"g2","users":[{"id":"alice"},{"id":"bob"}]}"#)),
        // The third is deleted meanwhile.
        _ => None,
    })
    .await;
    let snapshot = everything(&connected(&settings(&server.url, server.pinned())).await).await;
    let members = |group: &str| {
        let members = snapshot.members(&GroupId::observed(group)).expect("users");
        members.iter().map(UserId::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!([members("g1"), members("g2"), members("g3")], ["alice", "alice bob", ""]);
    let asked: Vec<String> = server.lines().into_iter().filter(|line| line.contains("/user-groups/")).collect();
    assert_eq!(asked, ["GET /api/user-groups/g2", "GET /api/user-groups/g3"]);
}

#[tokio::test]
async fn a_list_that_lacks_what_it_promises_is_read_again() {
    for (wrong, read) in [(1, true), (2, true), (3, false)] {
        let asked = AtomicUsize::new(0);
        let server = raw(move |request| {
            if is_list(request, "/api/user-groups") {
                let total = usize::from(asked.fetch_add(1, Ordering::SeqCst) < wrong);
                return Some(ok(&page(total, "")));
            }
            request.line().contains('?').then(|| ok(&page(0, "")))
        })
        .await;
        let session = connected(&settings(&server.url, server.pinned())).await;
        let snapshot = session.snapshot(&Scope::default(), &mut Details::default()).await;
        assert_eq!(snapshot.is_ok(), read, "{snapshot:?}");
        if let Err(failure) = snapshot {
            assert_eq!(failure.kind, FailureKind::Changed, "{failure}");
        }
    }
}
