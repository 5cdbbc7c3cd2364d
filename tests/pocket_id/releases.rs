//! How later releases differ.

use proxmox_identity::sim::pocket_id::Release;
use serde_json::{Value, json};

use super::ask::{Login, Pocket};
use super::play::KEY;

#[tokio::test]
async fn each_release_says_which_it_is() {
    for (release, version) in [(Release::V2_9, "2.9.0"), (Release::V2_12, "2.12.0"), (Release::V2_14, "2.14.0")] {
        let said = Pocket::of(release).await.get("/api/version/current").await;
        assert_eq!(said.body, json!({ "currentVersion": version }));
    }
}

#[tokio::test]
async fn from_2_14_on_the_metadata_have_a_second_path() {
    for (release, status) in [(Release::V2_13, 404), (Release::V2_14, 200)] {
        let said = Pocket::of(release).await.get("/.well-known/oauth-authorization-server").await;
        assert_eq!(said.status, status, "{release:?}");
    }
}

#[tokio::test]
async fn from_2_13_on_failures_have_codes_and_conflicts_a_status_of_their_own() {
    for (release, coded) in [(Release::V2_9, false), (Release::V2_12, false), (Release::V2_13, true)] {
        let pocket = Pocket::of(release).await;
        pocket.group("team").await;
        pocket.client(json!({ "id": "pve" })).await;
        let group = json!({ "name": "team", "friendlyName": "Team" });
        let taken = pocket.post("/api/user-groups", group).await;
        let chosen = pocket.post("/api/oidc/clients", json!({ "name": "B", "id": "pve" })).await;
        let gone = pocket.delete("/api/oidc/clients/none").await;
        let broken = pocket.send(Login::Key(KEY), "POST", "/api/user-groups", "application/json", b"{").await;
        let no_logo = pocket.get("/api/oidc/clients/pve/logo").await;
        let statuses = [taken.status, chosen.status, gone.status, broken.status, no_logo.status];
        if !coded {
            assert_eq!(statuses, [400, 400, 204, 500, 500], "{release:?}");
            assert_eq!(taken.body, json!({ "error": "Name is already in use" }));
            continue;
        }
        assert_eq!(statuses, [409, 409, 404, 400, 404], "{release:?}");
        let codes = [&taken, &chosen, &gone, &broken].map(|said| said.body["code"].clone());
        let known = ["already_in_use", "client_id_already_exists", "not_found", "invalid_request_body"];
        assert_eq!(codes, known.map(Value::from));
        assert_eq!(taken.body["details"], json!({ "property": "name" }));
        assert_eq!(taken.header("x-request-id"), taken.body["request_id"].as_str());
        let nowhere = pocket.get("/api/nowhere").await;
        assert_eq!((nowhere.failure().1, nowhere.body.get("code")), ("API endpoint not found", None));
    }
}

#[tokio::test]
async fn from_2_13_on_json_must_be_called_so() {
    let body = br#"{"name": "team", "friendlyName": "Team"}"#;
    for (release, status) in [(Release::V2_12, 201), (Release::V2_13, 415)] {
        let pocket = Pocket::of(release).await;
        let said = pocket.send(Login::Key(KEY), "POST", "/api/user-groups", "text/plain", body).await;
        assert_eq!(said.status, status, "{release:?}");
    }
}

#[tokio::test]
async fn a_secret_may_be_chosen_from_2_12_on() {
    let own = "chosen-by-the-operator";
    for (release, taken) in [(Release::V2_10, false), (Release::V2_12, true), (Release::V2_13, true)] {
        let pocket = Pocket::of(release).await;
        let client = pocket.client(json!({})).await;
        let path = format!("/api/oidc/clients/{client}/secret");
        let said = pocket.post(&path, json!({ "secret": own })).await;
        assert_eq!((said.status, said.body["secret"] == own), (200, taken), "{release:?}");
        if taken {
            for bad in ["too-short", "with-an-ümlaut-and-long"] {
                assert_eq!(pocket.post(&path, json!({ "secret": bad })).await.status, 400, "{bad}");
            }
            assert_eq!(pocket.send(Login::Key(KEY), "POST", &path, "", b"").await.status, 200, "no body is fine");
        }
    }
}

#[tokio::test]
async fn from_2_14_on_a_client_has_several_secrets() {
    let pocket = Pocket::of(Release::V2_14).await;
    let client = pocket.client(json!({})).await;
    let path = format!("/api/oidc/clients/{client}/secrets");
    let gone = pocket.post(&format!("/api/oidc/clients/{client}/secret"), json!({})).await;
    assert_eq!(gone.failure(), (404, "API endpoint not found"));

    let first = pocket.post(&path, json!({ "secret": "chosen-by-the-operator" })).await;
    let second = pocket.post(&path, json!({ "expiresAt": "2099-01-01T00:00:00Z" })).await;
    assert_eq!((first.status, second.status), (201, 201));
    let listed = pocket.get(&path).await.body;
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    assert_eq!((&listed[0]["prefix"], &listed[0]["expiresAt"]), (&json!("chos"), &Value::Null));
    assert_eq!((&listed[1]["isActive"], &listed[1]["expiresAt"]), (&json!(true), &json!("2099-01-01T00:00:00Z")));
    assert!(!listed.to_string().contains("chosen"));

    let is_valid = async |secret: &str| {
        let form = [("grant_type", "client_credentials")];
        pocket.token(Login::Basic(&client, secret), &form).await.status == 200
    };
    let fresh = second.body["secret"].as_str().expect("a secret");
    assert!(is_valid("chosen-by-the-operator").await && is_valid(fresh).await, "both are");
    let update = json!({ "name": "Proxmox", "credentials": { "secrets": [] } });
    let updated = pocket.put(&format!("/api/oidc/clients/{client}"), update).await;
    assert_eq!(updated.body["credentials"]["secrets"].as_array().map(Vec::len), Some(2), "read only there");
    let delete = format!("{path}/{}", first.body["id"].as_str().expect("an id"));
    assert_eq!((pocket.delete(&delete).await.status, pocket.delete(&delete).await.status), (204, 404));
    assert!(!is_valid("chosen-by-the-operator").await && is_valid(fresh).await);

    for _ in 1..20 {
        assert_eq!(pocket.post(&path, json!({})).await.status, 201);
    }
    assert_eq!(pocket.post(&path, json!({})).await.status, 400, "20 at most");
    let public = pocket.client(json!({ "isPublic": true })).await;
    assert_eq!(pocket.post(&format!("/api/oidc/clients/{public}/secrets"), json!({})).await.status, 400);
}

#[tokio::test]
async fn fields_of_later_releases_are_kept_there_and_reset_by_an_update_without_them() {
    let new = json!({
        "description": "All nodes", "skipConsent": true, "accessTokenDurationMinutes": 5, "refreshTokenDurationMinutes": 7,
    });
    let of = async |pocket: &Pocket, body: &Value| {
        let said = pocket.get("/api/oidc/clients/pve").await;
        body.as_object().into_iter().flatten().map(|(name, _)| said.body[name].clone()).collect::<Vec<_>>()
    };
    let pocket = Pocket::of(Release::V2_13).await;
    let mut body = new.clone();
    body["id"] = json!("pve");
    pocket.client(body).await;
    assert_eq!(
        of(&pocket, &new).await,
        new.as_object().into_iter().flatten().map(|(_, v)| v.clone()).collect::<Vec<_>>()
    );
    let said = pocket.post("/api/oidc/clients/pve/secret", json!({})).await;
    let secret = said.body["secret"].as_str().expect("a secret");
    let tokens = pocket.token(Login::Basic("pve", secret), &[("grant_type", "client_credentials")]).await;
    assert_eq!(tokens.body["expires_in"], 5 * 60);
    pocket.put("/api/oidc/clients/pve", json!({ "name": "Proxmox" })).await;
    assert_eq!(of(&pocket, &new).await, [json!(60), json!(""), json!(43200), json!(false)], "in the order of names");

    let old = Pocket::of(Release::V2_9).await;
    old.client(json!({ "id": "pve", "description": "All nodes" })).await;
    assert_eq!(old.get("/api/oidc/clients/pve").await.body.get("description"), None, "vanishes without a word");
}

#[tokio::test]
async fn from_2_10_on_no_callback_url_is_trusted_on_first_use() {
    for (release, status) in [(Release::V2_9, 200), (Release::V2_10, 400)] {
        let pocket = Pocket::of(release).await;
        let client = pocket.client(json!({ "callbackURLs": [] })).await;
        let user = pocket.simulator.add_user("ann", &[]).expect("a user");
        let said = pocket.authorize(&pocket.session(&user).await, &client, json!({})).await;
        assert_eq!(said.status, status, "{release:?}");
        let kept = pocket.get(&format!("/api/oidc/clients/{client}")).await;
        assert_eq!(kept.body["callbackURLs"].as_array().map(Vec::len), Some(usize::from(status == 200)));
    }
}

#[tokio::test]
async fn the_id_of_a_user_may_be_chosen_from_2_12_on() {
    let id = "7a7e1a5c-0c44-4f7f-9a51-0d5b0b3d8a11";
    let body = json!({ "id": id, "username": "ann", "email": "ann@example.com" });
    for (release, taken) in [(Release::V2_9, false), (Release::V2_12, true)] {
        let made = Pocket::of(release).await.post("/api/users", body.clone()).await;
        assert_eq!(made.id() == id, taken, "{release:?}");
    }
}

#[tokio::test]
async fn an_update_shows_the_groups_of_a_client_from_2_13_on() {
    for (release, count) in [(Release::V2_9, 0), (Release::V2_13, 1)] {
        let pocket = Pocket::of(release).await;
        let (group, client) = (pocket.group("team").await, pocket.client(json!({})).await);
        let path = format!("/api/oidc/clients/{client}");
        pocket.put(&format!("{path}/allowed-user-groups"), json!({ "userGroupIds": [group] })).await;
        let body = json!({ "name": "Proxmox", "isGroupRestricted": true });
        let updated = pocket.put(&path, body).await;
        assert_eq!(updated.body["allowedUserGroups"].as_array().map(Vec::len), Some(count), "{release:?}");
    }
}

#[tokio::test]
async fn a_logo_that_cannot_be_fetched_leaves_the_client() {
    let cases = [
        (Release::V2_9, "https://cdn.example.com/a.png", 500),
        (Release::V2_13, "https://cdn.example.com/a.png", 422),
        (Release::V2_13, "http://10.0.0.1/a.png", 400),
    ];
    for (release, url, status) in cases {
        let pocket = Pocket::of(release).await;
        let said = pocket.post("/api/oidc/clients", json!({ "name": "A", "id": "pve", "logoUrl": url })).await;
        assert_eq!(said.status, status, "{release:?} {url}");
        assert_eq!(pocket.get("/api/oidc/clients/pve").await.status, 200);
    }
}
