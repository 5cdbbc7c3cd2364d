//! API keys that end, and those that take their place.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Both;
use crate::world::condition;

/// Signs up the first administrator in a browser and makes keys that end in so many days; answers with them and their ends.
async fn keys<const N: usize>(world: &Both, days: [i64; N]) -> [(String, String); N] {
    let post = async |path: &str, cookie: &str, body: Value| {
        let url = format!("{}{path}", world.pocket.url());
        let answer = world.http.post(url).header("Cookie", cookie).json(&body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer
    };
    let user = json!({"username": "root", "email": "root@example.com", "firstName": "R", "lastName": "T"});
    let answer = post("/api/signup/setup", "", user).await;
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
    let mut made = Vec::new();
    for day in days {
        let end = Timestamp::from_second(Timestamp::now().as_second()).expect("a time")
            + SignedDuration::from_hours(24 * day);
        let body = json!({"name": format!("{day} days"), "expiresAt": end.to_string()});
        let answer: Value = post("/api/api-keys", &cookie, body).await.json().await.expect("JSON");
        made.push((answer["token"].as_str().expect("a key").to_owned(), end.to_string()));
    }
    made.try_into().expect("as many")
}

async fn takes(world: &Both, key: &str) {
    world.patch("Secret", "pocket-id", json!({"stringData": {"key": key}})).await;
}

/// When the key ends by the connection's status, and its warning.
async fn told(world: &Both) -> (Value, Option<String>) {
    let connection = world.get_object("PocketIdConnection", "pocket-id").await.expect("a connection");
    let warning = condition(&connection, "Warning").and_then(|it| it["reason"].as_str()).map(str::to_owned);
    (connection["status"]["apiKeyExpiry"].clone(), warning)
}

#[tokio::test]
async fn a_key_that_ends_soon_is_warned_of_until_another_one_takes_its_place() {
    let world = Both::new().await;
    let [(old, soon), (new, later)] = keys(&world, [13, 200]).await;
    takes(&world, &old).await;
    world.start_operator();
    let warned = (json!(soon), Some("KeyExpiring".to_owned()));
    world.until("it is warned", async || (told(&world).await == warned).then_some(())).await;
    let event = world.told("pocket-id", "KeyExpiring", &[&soon]).await;
    assert!(!event.contains(&old), "the key itself is not told");
    takes(&world, &new).await;
    let well = (json!(later), None);
    world.until("all is well", async || (told(&world).await == well).then_some(())).await;
    // The static key does not end.
    takes(&world, world.pocket.api_key()).await;
    world.until("no end is told", async || (told(&world).await == (Value::Null, None)).then_some(())).await;
}
