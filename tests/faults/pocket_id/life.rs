//! A life in which the operator asks everything that it ever asks Pocket ID.

use std::sync::LazyLock;

use proxmox_identity::sim::Write;
use proxmox_identity::sim::pocket_id::Release;
use regex::Regex;
use serde_json::{Value, json};

use crate::both::Both;
use crate::lived::Lived;
use crate::proxy::{Asked, Proxy};
use crate::witness::Witness;

static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9a-f]{8}-[0-9a-f-]{27}").expect("a pattern"));

/// A world with a proxy on the way to Pocket ID.
pub struct Life {
    pub world: Both,
    pub proxy: Proxy,
    witness: Witness,
}

/// What an endpoint is called.
pub fn endpoint(asked: &Asked) -> String {
    format!("{} {}", asked.method, ID.replace_all(&asked.path, "{id}"))
}

const ALL: [(&str, &str); 3] = [("PocketIdGroup", "team"), ("PocketIdClient", "pve"), ("ProxmoxRealm", "oid")];

impl Life {
    /// Begins one.
    pub async fn begin(release: Release) -> Self {
        let world = Both::of(release).await;
        for name in ["alice", "bob"] {
            world.pocket.add_user(name, &[]).expect("a user");
        }
        let proxy = Proxy::before(&world.pocket.url()).await;
        let spec = json!({"url": proxy.url(), "tls": {"fingerprints": [proxy.fingerprint()]}});
        world.patch("PocketIdConnection", "pocket-id", json!({"spec": spec})).await;
        let witness = Witness::of(&world);
        Self { world, proxy, witness }
    }

    /// Makes objects of all kinds and waits until they are as they say.
    pub async fn make(&self) -> Value {
        self.declare("alice", "first").await;
        self.settled().await;
        self.content().await
    }

    /// Changes everything that can be changed.
    pub async fn change(&self) -> Value {
        self.declare("bob", "second").await;
        self.world.rotate("pve", "now").await;
        self.settled().await;
        self.content().await
    }

    /// Removes everything.
    pub async fn remove(&self) -> Value {
        for (kind, name) in ALL.into_iter().rev() {
            self.world.delete(kind, name).await;
        }
        for (kind, name) in ALL {
            self.world.gone(kind, name).await;
        }
        self.content().await
    }

    /// What was made and removed at all, with success. Secrets whose answer was lost are made again, and end.
    pub fn lived(&self, stood: [Value; 3]) -> Lived {
        self.witness.saw_no_lie(&ALL.map(|(kind, _)| kind));
        let writes = self.world.pocket.requests().writes;
        let told = |method: &str| {
            let of_kind = writes.iter().filter(|write| {
                let repeatable = write.path.contains("/secret") || write.path.ends_with("/logo");
                write.method == method && (200..300).contains(&write.status) && !repeatable
            });
            let mut told: Vec<String> = of_kind.map(|write| ID.replace_all(&write.path, "{id}").into_owned()).collect();
            told.sort();
            told
        };
        let (births, deaths) = (told("POST"), told("DELETE"));
        let is_secret = |write: &&Write| write.method == "POST" && write.path.contains("/secret");
        let secrets = writes.iter().filter(|it| (200..300).contains(&it.status)).filter(is_secret).count();
        Lived { stood, births, deaths, secrets }
    }

    async fn declare(&self, member: &str, text: &str) {
        let Self { world, .. } = self;
        world
            .apply(&format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: logos}}\ndata: {{pve.svg: '<svg>{text}</svg>'}}\n"
            ))
            .await;
        let group =
            format!("friendlyName: {text}, membershipPolicy: Exact, members: [{member}], customClaims: {{a: {text}}}");
        world.declare("PocketIdGroup", "team", &group).await;
        let client = format!(
            "displayName: {text}, callbackUrlsFrom: {{connectionRef: {{name: pve}}}}, allowedGroups: [{{groupRef: {{name: \
             team}}}}], logo: {{configMapKeyRef: {{name: logos, key: pve.svg}}}}, rotation: {{overlap: 10s}}"
        );
        world.declare("PocketIdClient", "pve", &client).await;
        let realm = "realm: oid, openid: {clientRef: {name: pve}, usernameClaim: username, scopes: [email, profile, groups], \
                     groups: {claim: groups}, users: {autoCreate: true, samples: [alice, bob]}}";
        world.object("ProxmoxRealm", "oid", realm).await;
    }

    /// All objects are as their specs say, the one secret works, and the samples are told.
    async fn settled(&self) {
        let Self { world, .. } = self;
        for (kind, name) in ALL {
            world.ready(kind, name).await;
        }
        world.ready("PocketIdConnection", "pocket-id").await;
        world
            .until("only the last secret is left, and stands in the realm", async || {
                let (status, listed) = world.ask("GET", "/api/oidc/clients/pve/secrets", None).await;
                let one = status == 404 || listed.as_array().map(Vec::len) == Some(1);
                let secret = world.value("pve", "clientSecret").await?;
                let realm = world.pve_get("/access/domains/oid").await;
                (one && world.takes("pve", &secret).await && realm["client-key"] == json!(secret)).then_some(())
            })
            .await;
        world
            .until("the samples are told", async || {
                let realm = world.get_object("ProxmoxRealm", "oid").await?;
                let samples = realm["status"]["signIn"]["samples"].as_array()?.clone();
                let members = world.members("team").await;
                let is_so = |sample: &Value| {
                    let is_member = members.iter().any(|member| sample["user"] == json!(member));
                    sample["result"] == if is_member { "Admitted" } else { "TurnedAway" }
                };
                (samples.len() == 2 && samples.iter().all(is_so)).then_some(())
            })
            .await;
    }

    /// What stands in Pocket ID.
    async fn content(&self) -> Value {
        let Self { world, .. } = self;
        let mut shown = serde_json::Map::new();
        for list in ["user-groups", "oidc/clients"] {
            let total = world.pocket_get(&format!("/api/{list}")).await["pagination"]["totalItems"].clone();
            shown.insert(list.to_owned(), total);
        }
        if let Some(group) = world.pocket_group("team").await {
            let members = world.members("team").await;
            shown.insert("team".to_owned(), json!([group["friendlyName"], group["customClaims"], members]));
        }
        if let Some(client) = world.pocket_client("pve").await {
            let lets_in = world.lets_in("pve").await;
            let own = self.world.pve.url();
            let addresses = client["callbackURLs"].to_string().replace(&own, "");
            shown.insert("pve".to_owned(), json!([client["name"], addresses, client["hasLogo"], lets_in]));
        }
        shown.into()
    }
}
