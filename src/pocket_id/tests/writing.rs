//! Each write does what it says, in all releases.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    RELEASES, allow, connected, create_client, create_group, everything, group, restricted, settings_of, simulator,
};
use crate::core::failure::FailureKind::{self, AlreadyExists, Gone, Invalid, Other, Unreachable};
use crate::core::pocket_id::ids::{ClientId, GroupId, SecretId, UserId};
use crate::core::pocket_id::version::PocketIdVersion;
use crate::core::pocket_id::write::{Answer, Write};
use crate::sim::pocket_id::Release;

const NOWHERE: &str = "2e1f8d8e-0000-4000-8000-000000000000";

fn pve() -> ClientId {
    ClientId::observed("pve")
}

#[tokio::test]
async fn a_group_is_made_changed_filled_and_deleted() {
    for release in RELEASES {
        let simulator = simulator(release).await;
        let session = connected(&settings_of(&simulator)).await;
        let alice = UserId::observed(&simulator.add_user("alice", &[]).expect("a user"));
        let id = group(&session, "admins").await;
        let claims = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        for write in [
            Write::UpdateGroup { group: id.clone(), name: "ops".to_owned(), friendly_name: "Operators".to_owned() },
            Write::SetClaims { group: id.clone(), claims: claims.clone() },
            Write::SetMembers { group: id.clone(), users: [alice.clone()].into() },
        ] {
            assert_eq!(session.write(&write).await, Ok(Answer::Done), "{release:?} {write:?}");
        }
        let snapshot = everything(&session).await;
        let found = &snapshot.groups[&id];
        assert_eq!((found.name.as_str(), found.friendly_name.as_str(), &found.claims), ("ops", "Operators", &claims));
        assert_eq!(snapshot.members(&id), Some([alice].into()));

        let emptied = Write::SetMembers { group: id.clone(), users: [].into() };
        assert_eq!(session.write(&emptied).await, Ok(Answer::Done), "{release:?}");
        assert_eq!(everything(&session).await.members(&id), Some([].into()));
        assert_eq!(session.write(&Write::DeleteGroup(id)).await, Ok(Answer::Done), "{release:?}");
        assert!(everything(&session).await.groups.is_empty(), "{release:?}");
    }
}

#[tokio::test]
async fn a_client_is_made_changed_restricted_and_deleted() {
    for release in RELEASES {
        let simulator = simulator(release).await;
        let session = connected(&settings_of(&simulator)).await;
        let admins = group(&session, "admins").await;
        let mut fields = restricted("Proxmox VE");
        fields.insert("pkceEnabled".to_owned(), true.into());
        for write in [
            create_client("pve"),
            Write::UpdateClient { client: pve(), fields: fields.clone() },
            allow("pve", &[&admins]),
        ] {
            assert_eq!(session.write(&write).await, Ok(Answer::Done), "{release:?} {write:?}");
        }
        let snapshot = everything(&session).await;
        let client = &snapshot.clients[&pve()];
        for (name, value) in fields {
            assert_eq!(client.fields[&name], value, "{release:?}");
        }
        assert_eq!(client.allowed, Some([admins].into()), "{release:?}");
        assert_eq!(session.write(&Write::DeleteClient(pve())).await, Ok(Answer::Done), "{release:?}");
        assert!(everything(&session).await.clients.is_empty(), "{release:?}");
    }
}

#[tokio::test]
async fn a_secret_is_issued_where_the_release_has_it_whatever_version_was_read() {
    for release in RELEASES {
        for read in ["2.9.0", "2.14.0"] {
            let simulator = simulator(release).await;
            let mut session = connected(&settings_of(&simulator)).await;
            session.write(&create_client("pve")).await.expect("a client");
            session.version = PocketIdVersion::observed(read);
            let answer = session.write(&Write::IssueSecret(pve())).await;
            let Ok(Answer::Secret { id, value }) = answer else { panic!("{answer:?}") };
            assert_eq!((id.is_some(), value.expose().len()), (release == Release::V2_14, 32), "{release:?} {read}");
            let Some(secret) = id else { continue };
            let retire = Write::RetireSecret { client: pve(), secret };
            assert_eq!(session.write(&retire).await, Ok(Answer::Done));
            assert_eq!(session.write(&retire).await.expect_err("a failure").kind, Gone);
        }
    }
}

#[tokio::test]
async fn each_failure_is_told_for_what_it_is() {
    let group = || GroupId::observed(NOWHERE);
    let client = || ClientId::observed(NOWHERE);
    let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
    let no_name = || fields(json!({ "callbackURLs": ["https://pve.example.com"] }));
    let renamed = |group: GroupId, name: &str| Write::UpdateGroup {
        group,
        name: name.to_owned(),
        friendly_name: "Some".to_owned(),
    };
    for release in [Release::V2_9, Release::V2_14] {
        let simulator = simulator(release).await;
        let session = connected(&settings_of(&simulator)).await;
        let other = super::group(&session, "other").await;
        for write in [create_group("taken"), create_client("pve")] {
            session.write(&write).await.expect("a change");
        }
        let coded = release == Release::V2_14;
        let secret = SecretId::observed(NOWHERE);
        let users = [UserId::observed(NOWHERE)].into();
        let cases: Vec<(Write, Option<FailureKind>)> = vec![
            (create_group("taken"), Some(AlreadyExists)),
            (create_group("x"), Some(Invalid)),
            (renamed(other.clone(), "taken"), Some(AlreadyExists)),
            (renamed(other.clone(), ""), Some(Invalid)),
            (renamed(group(), "new"), Some(Gone)),
            // Up to 2.12 a broken reference in its database.
            (Write::SetClaims { group: group(), claims: [].into() }, Some(if coded { Gone } else { Other })),
            (
                Write::SetClaims { group: other.clone(), claims: [("sub".to_owned(), "x".to_owned())].into() },
                Some(Invalid),
            ),
            (Write::SetMembers { group: group(), users: [].into() }, Some(Gone)),
            // Unknown members are dropped in silence.
            (Write::SetMembers { group: other, users }, None),
            (Write::DeleteGroup(group()), Some(Gone)),
            (create_client("pve"), Some(AlreadyExists)),
            (Write::CreateClient { client: ClientId::observed("no name"), fields: restricted("x") }, Some(Invalid)),
            (Write::CreateClient { client: ClientId::observed("new"), fields: no_name() }, Some(Invalid)),
            (Write::UpdateClient { client: pve(), fields: Map::new() }, Some(Invalid)),
            (Write::UpdateClient { client: client(), fields: restricted("x") }, Some(Gone)),
            (allow(NOWHERE, &[]), Some(Gone)),
            (Write::IssueSecret(client()), Some(Gone)),
            // Before 2.14 there is no such call, which says nothing about the secret.
            (Write::RetireSecret { client: pve(), secret }, Some(if coded { Gone } else { Unreachable })),
            // Up to 2.12 it is deleted as often as one likes.
            (Write::DeleteClient(client()), coded.then_some(Gone)),
            (Write::DeleteClient(ClientId::observed("..")), Some(Invalid)),
        ];
        for (write, expected) in cases {
            let failure = session.write(&write).await.err();
            assert_eq!(failure.as_ref().map(|failure| failure.kind), expected, "{release:?} {write:?}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn a_public_client_gets_no_secret_where_it_is_refused() {
    for (release, kind) in [(Release::V2_9, None), (Release::V2_13, Some(Invalid)), (Release::V2_14, Some(Invalid))] {
        let simulator = simulator(release).await;
        let session = connected(&settings_of(&simulator)).await;
        let mut fields = restricted("public");
        fields.insert("isPublic".to_owned(), true.into());
        session.write(&Write::CreateClient { client: pve(), fields }).await.expect("a client");
        let failure = session.write(&Write::IssueSecret(pve())).await.err();
        assert_eq!(failure.map(|failure| failure.kind), kind, "{release:?}");
    }
}
