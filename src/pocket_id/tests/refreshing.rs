//! The groups that clients let in are remembered, and how many requests that saves.

use super::{allow, client, connected, create_client, group, ids, settings_of, simulator};
use crate::core::pocket_id::ids::{ClientId, GroupId};
use crate::core::pocket_id::snapshot::{Scope, Snapshot};
use crate::permit::Permit;
use crate::pocket_id::details::Details;
use crate::pocket_id::session::Session;
use crate::sim::pocket_id::{Release, Simulator};

fn allowed(snapshot: &Snapshot, client: &str) -> Option<Vec<GroupId>> {
    snapshot.clients[&ClientId::observed(client)].allowed.as_ref().map(|groups| groups.iter().cloned().collect())
}

/// How many requests a snapshot takes.
async fn requests(simulator: &Simulator, session: &Session, scope: &Scope, details: &mut Details) -> u64 {
    simulator.clear_requests();
    session.snapshot(scope, details).await.expect("a snapshot");
    simulator.requests().count("GET", "/")
}

#[tokio::test]
async fn a_second_snapshot_takes_a_fraction_of_the_requests() {
    let simulator = simulator(Release::V2_9).await;
    let session = connected(&settings_of(&simulator)).await;
    for number in 0..200 {
        group(&session, &format!("group-{number}")).await;
    }
    let names: Vec<String> = (0..50).map(|number| format!("client-{number}")).collect();
    for name in &names {
        session.write(&create_client(name)).await.expect("a client");
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let needed = Scope { users: true, clients: ids(&names), ..Scope::default() };
    // 2 pages of groups, 1 of clients, 1 of users, and each client; then only ten clients.
    for (scope, first, second) in [(needed, 54, 14), (Scope::default(), 13, 13)] {
        let mut details = Details::default();
        let counts = [
            requests(&simulator, &session, &scope, &mut details).await,
            requests(&simulator, &session, &scope, &mut details).await,
        ];
        println!("200 groups, 50 clients, {} of them needed: {counts:?} requests", scope.clients.len());
        assert_eq!(counts, [first, second]);
    }
}

#[tokio::test]
async fn what_was_written_is_read_again_although_the_list_looks_the_same() {
    for release in [Release::V2_9, Release::V2_14] {
        let simulator = simulator(release).await;
        let client = client(&settings_of(&simulator));
        let session = client.connect(&Permit::unlimited()).await.expect("a session");
        let (one, other) = (group(&session, "one").await, group(&session, "other").await);
        session.write(&create_client("a-pve")).await.expect("a client");
        // So many that it would not be its turn.
        for number in 0..30 {
            session.write(&create_client(&format!("b-{number}"))).await.expect("a client");
        }
        let scope = Scope { clients: ids(&["a-pve"]), ..Scope::default() };
        let mut details = Details::default();
        for wanted in [&one, &other] {
            session.write(&allow("a-pve", &[wanted])).await.expect("a change");
            for _ in 0..2 {
                let session = client.connect(&Permit::unlimited()).await.expect("a session");
                let snapshot = session.snapshot(&scope, &mut details).await.expect("a snapshot");
                assert_eq!(allowed(&snapshot, "a-pve"), Some(vec![wanted.clone()]), "{release:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_written_is_read_again_though_there_is_no_room_for_what_can_wait() {
    let simulator = simulator(Release::V2_9).await;
    let session = connected(&settings_of(&simulator)).await;
    let one = group(&session, "one").await;
    for name in ["pve", "other"] {
        session.write(&create_client(name)).await.expect("a client");
    }
    let (scope, mut details) = (Scope::default(), Details::default());
    session.snapshot(&scope, &mut details).await.expect("a snapshot");
    session.write(&allow("pve", &[&one])).await.expect("a change");
    session.server.transport.pace.exhausted();
    simulator.clear_requests();
    let snapshot = session.snapshot(&scope, &mut details).await.expect("a snapshot");
    assert_eq!(allowed(&snapshot, "pve"), Some(vec![one]));
    assert_eq!(simulator.requests().count("GET", "/api/oidc/clients/"), 1, "and only that");
}

#[tokio::test]
async fn what_others_change_is_seen_at_once_in_the_list_and_else_in_turn() {
    let simulator = simulator(Release::V2_9).await;
    let session = connected(&settings_of(&simulator)).await;
    let (one, other) = (group(&session, "one").await, group(&session, "other").await);
    let names: Vec<String> = (0..25).map(|number| format!("client-{number:02}")).collect();
    for name in &names {
        session.write(&create_client(name)).await.expect("a client");
        session.write(&allow(name, &[&one])).await.expect("a change");
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scope = Scope { clients: ids(&names), ..Scope::default() };
    let mut details = Details::default();
    session.snapshot(&scope, &mut details).await.expect("a snapshot");

    let somebody = connected(&settings_of(&simulator)).await;
    somebody.write(&allow("client-00", &[])).await.expect("a change");
    somebody.write(&allow("client-24", &[&other])).await.expect("a change");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let snapshot = session.snapshot(&scope, &mut details).await.expect("a snapshot");
        assert_eq!(allowed(&snapshot, "client-00"), Some(vec![]), "its number of groups is in the list");
        seen.push(allowed(&snapshot, "client-24") == Some(vec![other.clone()]));
    }
    assert_eq!(seen, [false, false, true], "25 clients take three passes");
}
