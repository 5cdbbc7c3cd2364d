//! OIDC clients and their secrets, up to the realm that uses them.

use proxmox_identity::sim::pocket_id::Release;
use serde_json::json;

use super::Both;
use crate::world::condition;

/// Client, groups and realm of the guide.
async fn declare_all(world: &Both) {
    world.declare("PocketIdGroup", "pve-admins", "").await;
    let spec = "displayName: Proxmox, callbackUrlsFrom: {connectionRef: {name: pve}}, \
                allowedGroups: [{groupRef: {name: pve-admins}}]";
    world.declare("PocketIdClient", "proxmox", spec).await;
    let realm = "realm: PocketID, openid: {clientRef: {name: proxmox}, usernameClaim: username, \
                 scopes: [email, profile, groups], groups: {claim: groups}, users: {autoCreate: true}}";
    world.object("ProxmoxRealm", "pocket-id", realm).await;
    let group = "oidc: {groupRef: {name: pve-admins}, realmRef: {name: pocket-id}}";
    world.object("ProxmoxGroup", "admins", group).await;
}

#[tokio::test]
async fn one_apply_leads_from_the_client_to_the_realm() {
    for release in [Release::V2_9, Release::V2_13, Release::V2_14] {
        let world = Both::of(release).await;
        world.start_operator();
        declare_all(&world).await;
        for (kind, name) in [
            ("PocketIdConnection", "pocket-id"),
            ("PocketIdGroup", "pve-admins"),
            ("PocketIdClient", "proxmox"),
            ("ProxmoxRealm", "pocket-id"),
            ("ProxmoxGroup", "admins"),
        ] {
            world.ready(kind, name).await;
        }
        let client = world.pocket_client("proxmox").await.expect("a client");
        assert_eq!((&client["name"], &client["isGroupRestricted"]), (&json!("Proxmox"), &json!(true)));
        assert_eq!(client["callbackURLs"], json!([world.pve.url()]), "with its port");
        assert_eq!(world.lets_in("proxmox").await, ["pve-admins"]);
        let (id, secret) = (world.value("proxmox", "clientId").await, world.value("proxmox", "clientSecret").await);
        assert_eq!(id.as_deref(), Some("proxmox"));
        let secret = secret.expect("a secret");
        assert!(world.takes("proxmox", &secret).await);
        assert_eq!(world.value("proxmox", "issuerUrl").await, Some(world.pocket.url()));
        let realm = world.pve_get("/access/domains/PocketID").await;
        assert_eq!((&realm["issuer-url"], &realm["client-id"]), (&json!(world.pocket.url()), &json!("proxmox")));
        assert_eq!(realm["client-key"], json!(secret));
        assert_eq!(world.groups().await, ["pve-admins-PocketID"]);
        let connection = world.get_object("PocketIdConnection", "pocket-id").await.expect("a connection");
        assert_eq!(connection["status"]["issuerUrl"], json!(world.pocket.url()));
        assert_eq!(connection["status"]["version"], json!(release.version()));
        // In order, and then quiet.
        world.pocket_passes(2).await;
        let (pocket, pve) = (world.pocket_writes(), world.pve_writes());
        world.pocket_passes(2).await;
        assert_eq!((world.pocket_writes(), world.pve_writes()), (pocket, pve));
    }
}

#[tokio::test]
async fn a_new_secret_reaches_the_realm_before_the_old_one_ends() {
    let world = Both::of(Release::V2_14).await;
    world.start_operator();
    declare_all(&world).await;
    world.ready("ProxmoxRealm", "pocket-id").await;
    let old = world.value("proxmox", "clientSecret").await.expect("a secret");
    // While Proxmox VE cannot be reached the realm keeps the old one, and the old one works.
    let suspend = |suspend: bool| format!("  suspend: {suspend}\n");
    world.connect_with(&world.pve.token(), &suspend(true)).await;
    world.reason("ProxmoxConnection", "pve", "Suspended").await;
    world.rotate("proxmox", "now").await;
    let new = world.value("proxmox", "clientSecret").await.expect("a secret");
    assert_ne!(old, new);
    world.pocket_passes(2).await;
    assert!(world.takes("proxmox", &old).await && world.takes("proxmox", &new).await, "both work");
    world.connect_with(&world.pve.token(), &suspend(false)).await;
    world.until("the old one ends", async || (!world.takes("proxmox", &old).await).then_some(())).await;
    assert!(world.takes("proxmox", &new).await);
    assert_eq!(world.pve_get("/access/domains/PocketID").await["client-key"], json!(new));
    let secrets = world.pocket_get("/api/oidc/clients/proxmox/secrets").await;
    assert_eq!(secrets.as_array().map(Vec::len), Some(1), "{secrets}");
    world.ready("PocketIdClient", "proxmox").await;
}

#[tokio::test]
async fn a_client_that_somebody_changes_is_as_it_was_again() {
    let world = Both::new().await;
    world.start_operator();
    declare_all(&world).await;
    world.ready("PocketIdClient", "proxmox").await;
    let other = world.group_by_hand("others").await;
    let mine = world.pocket_group("pve-admins").await.expect("a group")["id"].clone();
    for (what, path, body) in [
        (
            "opened to everybody",
            "/api/oidc/clients/proxmox",
            json!({"name": "Proxmox", "callbackURLs": ["https://evil.example"], "isGroupRestricted": false}),
        ),
        ("another group", "/api/oidc/clients/proxmox/allowed-user-groups", json!({"userGroupIds": [other, mine]})),
        ("one group for the other", "/api/oidc/clients/proxmox/allowed-user-groups", json!({"userGroupIds": [other]})),
    ] {
        world.pocket_put(path, body).await;
        world
            .until(what, async || {
                let client = world.pocket_client("proxmox").await?;
                let fits = client["isGroupRestricted"] == true && client["callbackURLs"] == json!([world.pve.url()]);
                (fits && world.lets_in("proxmox").await == ["pve-admins"]).then_some(())
            })
            .await;
    }
    let secret = world.value("proxmox", "clientSecret").await.expect("a secret");
    assert!(world.takes("proxmox", &secret).await, "its secret is the same");
    world.ask("DELETE", "/api/oidc/clients/proxmox", None).await;
    world
        .until("it is made again, with another secret that the realm has", async || {
            let new = world.value("proxmox", "clientSecret").await?;
            let realm = world.pve_get("/access/domains/PocketID").await;
            (new != secret && world.takes("proxmox", &new).await && realm["client-key"] == json!(new)).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_client_that_stood_before_keeps_its_secret() {
    let world = Both::of(Release::V2_14).await;
    let body = json!({"id": "old", "name": "Old", "callbackURLs": ["https://a.example"], "isGroupRestricted": true,
                      "pkceEnabled": true, "launchURL": "https://a.example"});
    world.pocket_post("/api/oidc/clients", body).await;
    let theirs = world.pocket_post("/api/oidc/clients/old/secrets", json!({})).await;
    let theirs = theirs["secret"].as_str().expect("a secret").to_owned();
    world.start_operator();
    world.declare("PocketIdClient", "old", "callbackUrls: ['https://a.example']").await;
    world.ready("PocketIdClient", "old").await;
    let object = world.get_object("PocketIdClient", "old").await.expect("an object");
    assert_eq!(object["status"]["clientSecret"]["secretState"], "Unknown");
    assert_eq!(condition(&object, "Warning").expect("a warning")["reason"], "SecretUnknown");
    world.object("ProxmoxRealm", "old", "openid: {clientRef: {name: old}}").await;
    let message = world.reason("ProxmoxRealm", "old", "DependencyNotReady").await;
    assert!(message.contains("rotate-requested-at"), "{message}");
    world.rotate("old", "now").await;
    world.ready("ProxmoxRealm", "old").await;
    world.pocket_passes(2).await;
    assert!(world.takes("old", &theirs).await, "what others use is left");
    // What it had beside is left as it was.
    world.declare("PocketIdClient", "old", "callbackUrls: ['https://a.example', 'https://b.example']").await;
    world.ready("PocketIdClient", "old").await;
    assert_eq!(world.pocket_client("old").await.expect("a client")["launchURL"], "https://a.example");
    let ours = world.value("old", "clientSecret").await.expect("a secret");
    world.delete("PocketIdClient", "old").await;
    world.gone("PocketIdClient", "old").await;
    assert!(world.takes("old", &theirs).await && world.takes("old", &ours).await, "it stays, with both secrets");
    let kept = world.get_object("Secret", "old").await.expect("a Secret");
    assert!(kept["metadata"]["ownerReferences"].as_array().is_none_or(Vec::is_empty), "nobody collects it");
}

#[tokio::test]
async fn what_others_refer_to_goes_after_them() {
    let world = Both::new().await;
    world.start_operator();
    declare_all(&world).await;
    for (kind, name) in [("ProxmoxRealm", "pocket-id"), ("ProxmoxGroup", "admins"), ("PocketIdClient", "proxmox")] {
        world.ready(kind, name).await;
    }
    world.delete("PocketIdGroup", "pve-admins").await;
    world.delete("PocketIdClient", "proxmox").await;
    let message = world.reason("PocketIdGroup", "pve-admins", "DeletionBlocked").await;
    assert!(message.contains("ProxmoxGroup admins"), "{message}");
    let message = world.reason("PocketIdClient", "proxmox", "DeletionBlocked").await;
    assert!(message.contains("ProxmoxRealm pocket-id"), "{message}");
    assert_eq!(world.lets_in("proxmox").await, ["pve-admins"]);
    world.delete("ProxmoxGroup", "admins").await;
    world.delete("ProxmoxRealm", "pocket-id").await;
    world.gone("PocketIdClient", "proxmox").await;
    world.gone("PocketIdGroup", "pve-admins").await;
    assert!(world.pocket_client("proxmox").await.is_none() && world.pocket_group("pve-admins").await.is_none());
}

#[tokio::test]
async fn nobody_gets_in_where_no_group_is_named() {
    let world = Both::new().await;
    world.start_operator();
    world.declare("PocketIdClient", "closed", "callbackUrls: ['https://a.example']").await;
    world.ready("PocketIdClient", "closed").await;
    let object = world.get_object("PocketIdClient", "closed").await.expect("an object");
    assert_eq!(condition(&object, "Warning").expect("a warning")["reason"], "NobodyAllowed");
    assert_eq!(world.pocket_client("closed").await.expect("a client")["isGroupRestricted"], true);
    assert_eq!(world.lets_in("closed").await, Vec::<String>::new());
    world
        .declare("PocketIdClient", "closed", "callbackUrls: ['https://a.example'], allowedGroups: [{group: later}]")
        .await;
    let message = world.reason("PocketIdClient", "closed", "DependencyNotReady").await;
    assert!(message.contains("later"), "{message}");
    world.group_by_hand("later").await;
    world.ready("PocketIdClient", "closed").await;
    assert_eq!(world.lets_in("closed").await, ["later"]);
}

#[tokio::test]
async fn a_client_has_its_logo_and_nothing_waits_for_one_that_cannot_be_had() {
    let world = Both::new().await;
    world.start_operator();
    let logo =
        |key: &str| format!("callbackUrls: ['https://a.example'], allowedGroups: [{{group: users}}], logo: {{{key}}}");
    world.group_by_hand("users").await;
    world.declare("PocketIdClient", "pve", &logo("configMapKeyRef: {name: logos, key: pve.svg}")).await;
    let message = world.reason("PocketIdClient", "pve", "DependencyNotReady").await;
    assert!(message.contains("ConfigMap logos"), "{message}");
    let secret = world.until("it has its secret all the same", async || world.value("pve", "clientSecret").await).await;
    let shown = async || {
        let url = format!("{}/api/oidc/clients/pve/logo", world.pocket.url());
        let answer = world.http.get(url).send().await.expect("an answer");
        if answer.status().is_success() { answer.text().await.expect("a text") } else { String::new() }
    };
    for picture in ["<svg>one</svg>", "<svg>two</svg>"] {
        world
            .apply(&format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: logos}}\ndata: {{pve.svg: '{picture}'}}\n"
            ))
            .await;
        world.until("the logo is shown", async || (shown().await == picture).then_some(())).await;
        world.ready("PocketIdClient", "pve").await;
    }
    world.ask("DELETE", "/api/oidc/clients/pve/logo", None).await;
    world.until("the logo is shown again", async || (shown().await == "<svg>two</svg>").then_some(())).await;
    world.declare("PocketIdClient", "pve", &logo("url: 'https://127.0.0.1/logo.png'")).await;
    world
        .until("it is said that it cannot be fetched", async || {
            let client = world.get_object("PocketIdClient", "pve").await?;
            (condition(&client, "Ready")?["status"] == "False").then_some(())
        })
        .await;
    world.rotate("pve", "now").await;
    assert_ne!(world.value("pve", "clientSecret").await, Some(secret), "its secret waits for nothing");
}
