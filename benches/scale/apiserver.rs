//! What kube-apiserver has counted.

use std::time::Duration;

use kube::Client;

/// Writes to our objects and of Events since the control plane was started, by whomever.
#[derive(Debug, Clone, Copy, Default)]
pub struct Writes {
    /// Patches of our objects: what the operator does and the rig does not, but where it says so.
    pub patches: f64,
    /// Events.
    pub events: f64,
}

impl Writes {
    /// How many there were until now.
    pub async fn until_now(client: &Client) -> Self {
        let request = hyper::Request::get("/metrics").body(Vec::new()).expect("a request");
        let text = client.request_text(request).await.expect("metrics");
        let mut writes = Self::default();
        for line in text.lines().filter_map(|line| line.strip_prefix("apiserver_request_total{")) {
            let (labels, count) = line.rsplit_once("} ").expect("labels and a number");
            let count: f64 = count.parse().expect("a number");
            let is = |name: &str, value: &str| labels.split(',').any(|it| it == format!("{name}=\"{value}\""));
            if is("group", "proxmox-identity.dev") && ["APPLY", "PATCH", "PUT"].iter().any(|verb| is("verb", verb)) {
                writes.patches += count;
            }
            if is("resource", "events") && ["POST", "PATCH"].iter().any(|verb| is("verb", verb)) {
                writes.events += count;
            }
        }
        writes
    }

    /// The same once no more Events come: they are told one by one, and nothing waits for them.
    pub async fn settled(client: &Client) -> Self {
        let mut before = Self::until_now(client).await;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = Self::until_now(client).await;
            if now.events <= before.events {
                return now;
            }
            before = now;
        }
    }

    /// How many there were since.
    pub async fn since(self, client: &Client) -> Self {
        let now = Self::until_now(client).await;
        Self { patches: now.patches - self.patches, events: now.events - self.events }
    }
}
