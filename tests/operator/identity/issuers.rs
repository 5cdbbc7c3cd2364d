//! Whether people can sign in, told before anybody tries.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::{World, condition};

/// A provider that calls itself by its address and has no keys; answers with its address.
async fn provider() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    // Its description, and at the same address its keys.
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "jwks_uri": format!("{issuer}/keys"),
        "keys": [],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    let document = document.to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", document.len());
            let _ = stream.write_all(format!("{head}{document}").as_bytes()).await;
        }
    });
    issuer
}

async fn warning(world: &World) -> Option<Value> {
    let realm = world.get_object("ProxmoxRealm", "oid").await?;
    condition(&realm, "Warning").cloned()
}

async fn issue(world: &World, issuer: &str) {
    world.object("ProxmoxRealm", "oid", &format!("openid: {{issuerUrl: '{issuer}', clientId: c}}")).await;
    world.ready("ProxmoxRealm", "oid").await;
}

#[tokio::test]
async fn an_issuer_that_proxmox_ve_does_not_reach_is_told_and_asked_for_rarely() {
    let world = World::new().await;
    world.start_operator().connect().await;
    let issuer = provider().await;
    let asked = || world.pve.requests().count("POST", "/access/openid/auth-url");
    for (url, says) in [("http://127.0.0.1:1", "Request failed"), (&format!("{issuer}/"), "unexpected issuer")] {
        issue(&world, url).await;
        world
            .until(&format!("{says} is told"), async || {
                let warning = warning(&world).await?;
                let message = warning["message"].as_str()?;
                (warning["reason"] == "IssuerUnreachable" && message.contains(says)).then_some(())
            })
            .await;
    }
    assert_eq!(asked(), 2);
    issue(&world, &issuer).await;
    world.until("nothing is left to tell", async || warning(&world).await.is_none().then_some(())).await;
    world.passes(3).await;
    assert_eq!(asked(), 3, "once for each issuer");
}

#[tokio::test]
async fn an_issuer_that_hangs_delays_nothing() {
    let world = World::new().await;
    world.start_operator().connect().await;
    // Nobody accepts what is taken here.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    issue(&world, &format!("http://{}", silent.local_addr().expect("an address"))).await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    world.passes(2).await;
    assert_eq!(warning(&world).await, None, "what is not known is not told");
}
