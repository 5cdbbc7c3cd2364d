//! Who would get in.

use serde_json::{Value, json};

use super::{RELEASES, allow, connected, create_client, group, settings_of, simulator};
use crate::core::failure::FailureKind;
use crate::core::pocket_id::ids::{ClientId, UserId};
use crate::pocket_id::{Claims, Preview};

#[tokio::test]
async fn members_of_allowed_groups_get_in_with_all_their_groups() {
    for release in RELEASES {
        let simulator = simulator(release).await;
        let session = connected(&settings_of(&simulator)).await;
        let admins = group(&session, "admins").await;
        group(&session, "others").await;
        session.write(&create_client("pve")).await.expect("a client");
        session.write(&allow("pve", &[&admins])).await.expect("a change");
        let alice = simulator.add_user("alice", &["admins", "others"]).expect("a user");
        let bob = simulator.add_user("bob", &["others"]).expect("a user");
        let scopes = |scopes: Value| serde_json::from_value::<Vec<String>>(scopes).expect("texts");
        let all = scopes(json!(["openid", "profile", "email", "groups"]));
        let preview = async |client: &str, user: &str, scopes: &[String]| {
            let found = session.preview(&ClientId::observed(client), &UserId::observed(user), scopes).await;
            found.map(|preview| match preview {
                Preview::Admitted(mut claims) => {
                    claims.groups.sort();
                    Preview::Admitted(claims)
                }
                Preview::TurnedAway => Preview::TurnedAway,
            })
        };
        let claims = Claims {
            subject: alice.clone(),
            preferred_username: Some("alice".to_owned()),
            email: Some("alice@example.com".to_owned()),
            groups: vec!["admins".to_owned(), "others".to_owned()],
        };
        assert_eq!(preview("pve", &alice, &all).await, Ok(Preview::Admitted(claims)), "{release:?}");
        let bare = Claims { subject: alice.clone(), preferred_username: None, email: None, groups: Vec::new() };
        let openid = scopes(json!(["openid"]));
        assert_eq!(preview("pve", &alice, &openid).await, Ok(Preview::Admitted(bare)), "{release:?}");
        assert_eq!(preview("pve", &bob, &all).await, Ok(Preview::TurnedAway), "{release:?}");
        for (client, user) in [("not-there", alice.as_str()), ("pve", "not-there")] {
            let failure = preview(client, user, &all).await.expect_err("a failure");
            assert_eq!(failure.kind, FailureKind::Gone, "{release:?} {failure}");
        }
    }
}
