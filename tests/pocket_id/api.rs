//! What the admin API does beyond the recordings that are here.

use proxmox_identity::sim::pocket_id::Options;
use serde_json::{Value, json};

use super::ask::{Login, Pocket};
use super::play::KEY;

async fn pocket() -> Pocket {
    Pocket::start(Options::default()).await
}

fn names(body: &Value) -> Vec<&str> {
    body["data"].as_array().into_iter().flatten().map(|row| row["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn a_list_comes_in_pages_and_past_the_end_the_last_one_comes_again() {
    let pocket = pocket().await;
    for number in 1..=23 {
        let body = json!({ "name": format!("team-{number:02}"), "friendlyName": format!("Z{:02}", 90 - number) });
        pocket.post("/api/user-groups", body).await.id();
    }
    let cases = [
        ("", 2, 1, 20, "team-01"),
        ("?pagination[page]=2", 2, 2, 20, "team-21"),
        ("?pagination[page]=9", 2, 2, 20, "team-21"),
        ("?pagination[page]=two", 2, 1, 20, "team-01"),
        ("?page=2&limit=1", 2, 1, 20, "team-01"),
        ("?pagination[limit]=5&pagination[page]=3", 5, 3, 5, "team-11"),
        ("?pagination[limit]=500", 1, 1, 100, "team-01"),
        ("?sort[column]=name&sort[direction]=desc", 2, 1, 20, "team-23"),
        ("?sort[column]=friendlyName&sort[direction]=asc", 2, 1, 20, "team-23"),
        ("?sort[column]=friendlyName&sort[direction]=sideways", 2, 1, 20, "team-23"),
        ("?sort[column]=color&sort[direction]=desc", 2, 1, 20, "team-01"),
        ("?filters[name]=team-07", 2, 1, 20, "team-01"),
        ("?search=TEAM-1_", 1, 1, 20, "team-10"),
    ];
    for (query, pages, page, per_page, first) in cases {
        let said = pocket.get(&format!("/api/user-groups{query}")).await;
        assert_eq!(names(&said.body)[0], first, "{query}");
        let total = if query.contains("search") { 10 } else { 23 };
        let pagination =
            json!({ "totalPages": pages, "totalItems": total, "currentPage": page, "itemsPerPage": per_page });
        assert_eq!(said.body["pagination"], pagination, "{query}");
    }
}

#[tokio::test]
async fn lists_can_be_filtered_by_flags_and_sorted_by_counts() {
    let pocket = pocket().await;
    let (small, large) = (pocket.group("small").await, pocket.group("large").await);
    for (name, groups) in [("ann", vec!["large"]), ("ben", vec!["small", "large"])] {
        pocket.simulator.add_user(name, &groups).expect("a user");
    }
    let groups = pocket.get("/api/user-groups?sort[column]=userCount&sort[direction]=desc").await;
    assert_eq!(names(&groups.body), ["large", "small"]);
    assert_eq!(groups.body["data"][0]["userCount"], 2);

    let users = pocket.get("/api/users?filters[isAdmin]=false").await;
    assert_eq!(users.body["pagination"]["totalItems"], 2, "without the user of the static key");
    let restricted = pocket.client(json!({ "id": "restricted", "isGroupRestricted": true })).await;
    pocket.client(json!({ "id": "open" })).await;
    let path = format!("/api/oidc/clients/{restricted}/allowed-user-groups");
    pocket.put(&path, json!({ "userGroupIds": [small, large, large, "nobody"] })).await;
    let clients = pocket.get("/api/oidc/clients?filters[isGroupRestricted]=true").await;
    assert_eq!(clients.body["pagination"]["totalItems"], 1);
    assert_eq!(clients.body["data"][0]["allowedUserGroupsCount"], 2);
}

#[tokio::test]
async fn sets_are_replaced_whole_and_must_be_given() {
    let pocket = pocket().await;
    let (group, client) = (pocket.group("team").await, pocket.client(json!({ "isGroupRestricted": true })).await);
    let user = pocket.simulator.add_user("ann", &[]).expect("a user");
    let sets = [
        (format!("/api/user-groups/{group}/users"), "userIds", "UserIDs", user.as_str(), "users"),
        (format!("/api/users/{user}/user-groups"), "userGroupIds", "UserGroupIds", group.as_str(), "userGroups"),
        (
            format!("/api/user-groups/{group}/allowed-oidc-clients"),
            "oidcClientIds",
            "OidcClientIDs",
            client.as_str(),
            "allowedOidcClients",
        ),
    ];
    for (path, field, called, id, shown) in &sets {
        for body in [json!({}), json!({ *field: null }), json!(null)] {
            assert_eq!(pocket.put(path, body).await.failure(), (400, format!("{called} is required").as_str()));
        }
        assert_eq!(pocket.put(path, json!({ *field: id })).await.failure(), (500, "Something went wrong"));
        let set = pocket.put(path, json!({ *field: [id, "nobody"] })).await;
        assert_eq!((set.status, &set.body[shown][0]["id"]), (200, &json!(id)), "{path}");
        assert_eq!(set.body[shown].as_array().map(Vec::len), Some(1), "unknown ids are dropped");
        let emptied = pocket.put(path, json!({ *field: [] })).await;
        assert_eq!(emptied.body[shown], json!([]));
    }
    let allowed = format!("/api/oidc/clients/{client}/allowed-user-groups");
    assert_eq!(pocket.put(&allowed, json!({})).await.failure(), (400, "UserGroupIDs is required"));
    let missing = "/api/oidc/clients/none/allowed-user-groups";
    assert_eq!(pocket.put(missing, json!({ "userGroupIds": [] })).await.failure(), (404, "Record not found"));
}

#[tokio::test]
async fn a_group_counts_its_members_in_lists_only() {
    let pocket = pocket().await;
    let group = pocket.group("team").await;
    let user = pocket.simulator.add_user("ann", &["team"]).expect("a user");
    assert_eq!(pocket.get("/api/user-groups").await.body["data"][0]["userCount"], 1);
    let shown = pocket.get(&format!("/api/users/{user}")).await;
    assert_eq!(shown.body["userGroups"][0]["userCount"], 0);
    assert_eq!(pocket.get(&format!("/api/users/{user}/groups")).await.body[0]["id"], json!(group));
    let member = &pocket.get(&format!("/api/user-groups/{group}")).await.body["users"][0];
    assert_eq!((&member["username"], &member["userGroups"]), (&json!("ann"), &json!([])));
}

#[tokio::test]
async fn names_of_groups_are_unique_and_friendly_names_are_not() {
    let pocket = pocket().await;
    let first = pocket.group("team").await;
    let body = |name: &str| json!({ "name": name, "friendlyName": "team" });
    assert_eq!(pocket.post("/api/user-groups", body("team")).await.failure(), (400, "Name is already in use"));
    let other = pocket.post("/api/user-groups", body("Team")).await.id();
    let path = format!("/api/user-groups/{other}");
    assert_eq!(pocket.put(&path, body("team")).await.failure(), (400, "Name is already in use"));
    assert_eq!(pocket.put(&format!("/api/user-groups/{first}"), body("team")).await.status, 200, "its own name");
}

#[tokio::test]
async fn an_update_of_a_client_replaces_everything_but_its_id_and_logo() {
    let pocket = pocket().await;
    let client = pocket
        .client(json!({
            "logoutCallbackURLs": ["https://pve.example.com/out"], "pkceEnabled": true, "launchURL": "https://pve.example.com",
            "requiresReauthentication": true, "requiresPushedAuthorizationRequests": true, "isGroupRestricted": true,
            "credentials": { "federatedIdentities": [{ "issuer": "https://k8s" }] },
        }))
        .await;
    let path = format!("/api/oidc/clients/{client}");
    let logo = b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.svg\"\r\n\r\n<svg/>\r\n--B--\r\n";
    let upload = format!("{path}/logo");
    let uploaded = pocket.send(Login::Key(KEY), "POST", &upload, "multipart/form-data; boundary=B", logo).await;
    assert_eq!(uploaded.status, 204);
    let updated = pocket.put(&path, json!({ "name": "Only" })).await;
    let expected = json!({
        "id": client, "name": "Only", "hasLogo": true, "hasDarkLogo": false, "launchURL": null,
        "requiresReauthentication": false, "callbackURLs": [], "logoutCallbackURLs": [], "isPublic": false,
        "pkceEnabled": false, "requiresPushedAuthorizationRequests": false, "credentials": {},
        "isGroupRestricted": false, "allowedUserGroups": [],
    });
    assert_eq!((updated.status, &updated.body), (200, &expected));
    assert_eq!(pocket.get(&path).await.body, expected);
    let logo = pocket.send(Login::No, "GET", &upload, "", b"").await;
    assert_eq!(logo.header("content-type"), Some("image/svg+xml"));
}

#[tokio::test]
async fn what_is_not_there_and_what_does_not_exist_are_told_apart() {
    let pocket = pocket().await;
    let (group, client) = (pocket.group("team").await, pocket.client(json!({})).await);
    let cases = [
        ("PATCH", format!("/api/user-groups/{group}"), 404, "API endpoint not found"),
        ("POST", format!("/api/user-groups/{group}"), 404, "API endpoint not found"),
        ("DELETE", "/api/user-groups".to_owned(), 404, "API endpoint not found"),
        ("POST", format!("/api/oidc/clients/{client}/secrets"), 404, "API endpoint not found"),
        ("GET", "/.well-known/nothing".to_owned(), 404, "API endpoint not found"),
        ("POST", "/api/oidc/clients/none/secret".to_owned(), 404, "Record not found"),
        ("GET", "/api/oidc/clients/none/meta".to_owned(), 404, "Record not found"),
        ("GET", "/api/oidc/clients/none/logo".to_owned(), 404, "Record not found"),
    ];
    for (method, path, status, sentence) in cases {
        let said = pocket.send(Login::Key(KEY), method, &path, "", b"").await;
        assert_eq!(said.failure(), (status, sentence), "{method} {path}");
    }
    let page = pocket.send(Login::No, "GET", "/settings", "", b"").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
}

#[tokio::test]
async fn a_slash_too_many_is_redirected() {
    let pocket = pocket().await;
    for (method, path, status, location) in [
        ("GET", "/api/user-groups/?search=a&x=b", 301, "/api/user-groups?search=a&x=b"),
        ("POST", "/api/oidc/clients/", 307, "/api/oidc/clients"),
    ] {
        let said = pocket.send(Login::No, method, path, "", b"").await;
        assert_eq!((said.status, said.header("location")), (status, Some(location)), "before any login");
    }
}

#[tokio::test]
async fn bodies_are_read_as_go_reads_them() {
    let pocket = pocket().await;
    let create =
        async |body: &str| pocket.send(Login::Key(KEY), "POST", "/api/user-groups", "", body.as_bytes()).await.status;
    assert_eq!(create(r#"{"NAME": "big", "friendlyname": "Big"}"#).await, 201, "names in any case");
    assert_eq!(create(r#"{"name": "rest", "friendlyName": "Rest"} and more"#).await, 201, "the first value counts");
    assert_eq!(create(r#"{"name": ["a"], "friendlyName": "A"}"#).await, 500);
    assert_eq!(create("").await, 500);
}

#[tokio::test]
async fn keys_expire_and_only_then_can_be_renewed() {
    let pocket = pocket().await;
    let user = pocket.simulator.add_user("ann", &[]).expect("a user");
    let session = pocket.session(&user).await;
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_millis(1100)).to_string();
    let login = Login::Session(&session);
    let made = pocket.json(login, "POST", "/api/api-keys", &json!({ "name": "short", "expiresAt": soon })).await;
    let (id, token) = (made.body["apiKey"]["id"].clone(), made.body["token"].as_str().expect("a key").to_owned());
    let me = async |token: &str| pocket.send(Login::Key(token), "GET", "/api/users/me", "", b"").await;
    while me(&token).await.status == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(me(&token).await.failure(), (401, "You are not signed in"));

    let path = format!("/api/api-keys/{}/renew", id.as_str().expect("an id"));
    let body = json!({ "expiresAt": "2099-01-01T00:00:00Z" });
    assert_eq!(pocket.post(&path, body.clone()).await.status, 403, "with a key");
    let renewed = pocket.json(login, "POST", &path, &body).await;
    assert_eq!(renewed.body["apiKey"]["id"], id);
    let fresh = renewed.body["token"].as_str().expect("a key");
    assert_eq!((me(fresh).await.status, me(&token).await.status), (200, 401));
}
