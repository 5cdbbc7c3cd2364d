//! A life in which the operator asks everything that it ever asks Proxmox VE: objects of all kinds are made, changed and
//! removed.

use std::net::Ipv4Addr;

use proxmox_identity::sim::pve::{Options, Write};
use serde_json::{Value, json};

use crate::deeds::TIMEOUT;
use crate::lived::Lived;
use crate::proxy::{Asked, Proxy};
use crate::witness::Witness;
use crate::world::World;

/// The password of root@pam in the simulator.
const ROOT: &str = "pve-test-password";

/// A world with a proxy on the way to Proxmox VE.
pub struct Life {
    pub world: World,
    pub proxy: Proxy,
    witness: Witness,
}

/// What an endpoint is called: the path, and what tells apart lists at one path.
pub fn endpoint(asked: &Asked) -> String {
    let path = asked.path.trim_start_matches("/api2/json");
    let task = path.starts_with("/nodes/") && path.ends_with("/status");
    let path = if task { "/nodes/{node}/tasks/{upid}/status" } else { path };
    let query = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
    format!("{} {path}{query}", asked.method)
}

impl Life {
    /// Begins one, with a password for the way in, so that logins are asked for too.
    pub async fn begin() -> Self {
        let ldap = Some((Ipv4Addr::LOCALHOST, 0).into());
        let world = World::with(Options { time_scale: 0.02, ldap, ..Options::default() }).await;
        let proxy = Proxy::before(&world.pve.url()).await;
        let (url, fingerprint) = (proxy.url(), proxy.fingerprint());
        let witness = Witness::of(&world);
        world
            .apply(&format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: root}}\nstringData: {{password: {ROOT}}}\n---\n\
                 apiVersion: v1\nkind: Secret\nmetadata: {{name: client}}\nstringData: {{key: client-key}}\n---\n\
                 apiVersion: v1\nkind: Secret\nmetadata: {{name: bind}}\nstringData: {{password: bind-secret}}\n---\n\
                 apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: pve}}\nspec: \
                 {{endpoints: ['{url}'], auth: {{ticket: {{userName: root@pam, passwordSecretRef: {{name: root, key: \
                 password}}}}}}, tls: {{fingerprints: ['{fingerprint}']}}, resyncInterval: 1s, requestTimeout: {}s}}",
                TIMEOUT.as_secs()
            ))
            .await;
        password(&world, "first-password").await;
        Self { world, proxy, witness }
    }

    /// Makes objects of all kinds and waits until they are as they say.
    pub async fn make(&self) -> Value {
        let Self { world, .. } = self;
        for (kind, name, spec) in self.objects(&FIRST) {
            world.object(kind, name, &spec).await;
        }
        self.settled().await;
        self.content().await
    }

    /// Changes everything that can be changed.
    pub async fn change(&self) -> Value {
        let Self { world, .. } = self;
        password(world, "second-password").await;
        for (kind, name, spec) in self.objects(&SECOND) {
            world.object(kind, name, &spec).await;
        }
        annotate(world, "ProxmoxToken", "ci", "rotate", "now").await;
        world
            .until("the new secret has arrived", async || {
                let token = world.get_object("ProxmoxToken", "ci").await?;
                let token = &token["status"]["token"];
                (token["lastHandledRotateAt"] == "now" && token["secretState"] == "Delivered").then_some(())
            })
            .await;
        // A sync that fails is told, and is for somebody to ask for again.
        let mut asked = 0;
        let mut state = json!("Failed");
        while state != "Succeeded" {
            asked += 1;
            let when = asked.to_string();
            annotate(world, "ProxmoxRealm", "ld", "sync", &when).await;
            state = world
                .until("the sync has ended", async || {
                    let realm = world.get_object("ProxmoxRealm", "ld").await?;
                    let sync = &realm["status"]["sync"];
                    (sync["requestedAt"] == when && sync["state"] != "Running").then(|| sync["state"].clone())
                })
                .await;
        }
        self.settled().await;
        self.content().await
    }

    /// Removes everything.
    pub async fn remove(&self) -> Value {
        let objects = self.objects(&SECOND);
        for (kind, name, _) in objects.iter().rev() {
            self.world.delete(kind, name).await;
        }
        for (kind, name, _) in &objects {
            self.world.gone(kind, name).await;
        }
        self.content().await
    }

    /// What was made and removed at all, with success.
    pub fn lived(&self, stood: [Value; 3]) -> Lived {
        let objects = self.objects(&FIRST);
        let kinds: Vec<&str> = objects.iter().map(|(kind, ..)| *kind).chain(["ProxmoxConnection"]).collect();
        self.witness.saw_no_lie(&kinds);
        let writes = self.world.pve.requests().writes;
        let told = |is: fn(&Write) -> bool| {
            let repeatable = |write: &Write| {
                write.path.ends_with("/sync")
                    || ["/access/ticket", "/access/openid/auth-url"].contains(&write.path.as_str())
            };
            let of_kind = writes.iter().filter(|write| write.status == 200 && !repeatable(write) && is(write));
            let mut told: Vec<String> = of_kind.flat_map(parts).collect();
            told.sort();
            told
        };
        let births = told(|write| write.method == "POST");
        let deaths = told(|write| {
            let takes = write.method == "PUT" && write.form.get("delete").is_some_and(|it| it == "1");
            write.method == "DELETE" || takes
        });
        let is_secret = |write: &&Write| write.form.contains_key("regenerate") && write.status == 200;
        let secrets = writes.iter().filter(is_secret).count();
        Lived { stood, births, deaths, secrets }
    }

    /// All objects are as their specs say, the token works, and the password is the one of its Secret.
    async fn settled(&self) {
        let Self { world, .. } = self;
        for (kind, name, _) in self.objects(&FIRST) {
            world.ready(kind, name).await;
        }
        world.ready("ProxmoxConnection", "pve").await;
        let secret = world.get_object("Secret", "ci").await.expect("the Secret of the token");
        let k8s_openapi::ByteString(token) = serde_json::from_value(secret["data"]["token"].clone()).expect("a token");
        assert!(world.works(&String::from_utf8(token).expect("text")).await, "the token works");
        let secret = world.get_object("Secret", "ann").await.expect("the Secret of the user");
        let k8s_openapi::ByteString(password) =
            serde_json::from_value(secret["data"]["password"].clone()).expect("a password");
        assert!(world.logs_in("ann@pve", &String::from_utf8(password).expect("text")).await, "the password is taken");
    }

    /// What stands in Proxmox VE.
    async fn content(&self) -> Value {
        let mut lists = serde_json::Map::new();
        for path in
            ["/access/domains", "/access/groups", "/access/users?full=1", "/access/roles", "/cluster/jobs/realm-sync"]
        {
            let mut list = self.world.pve_get(path).await;
            let rows = list.as_array_mut().expect("a list");
            // Whom a sync brings is its own business: one that fails is told, and not begun again.
            rows.retain(|row| !row["userid"].as_str().is_some_and(|user| user.ends_with("@ld")));
            for row in rows.iter_mut() {
                for time in ["last-run", "next-run", "tokens"] {
                    row.as_object_mut().expect("a row").remove(time);
                }
            }
            rows.sort_by_key(ToString::to_string);
            lists.insert(path.to_owned(), list);
        }
        for realm in ["oid", "ld"] {
            let mut details = self.world.pve_find(&format!("/access/domains/{realm}")).await.unwrap_or_default();
            for not_ours in ["digest", "port"] {
                details.as_object_mut().and_then(|details| details.remove(not_ours));
            }
            lists.insert(realm.to_owned(), details);
        }
        let tokens = self.world.pve_find("/access/users/ann@pve/token").await;
        let pool = self.world.pve_find("/pools?poolid=lab").await;
        json!({"lists": lists, "acl": self.world.acl().await, "tokens": tokens, "pool": pool})
    }

    fn objects(&self, texts: &Texts) -> Vec<(&'static str, &'static str, String)> {
        let Texts { comment, schedule, privileges, member, guest, role, email } = texts;
        let port = self.world.pve.ldap().expect("a directory").port();
        vec![
            (
                "ProxmoxRealm",
                "oid",
                format!(
                    "openid: {{issuerUrl: 'https://id.example.com', clientId: c, clientKeySecretRef: {{name: client, key: \
                     key}}}}, comment: {comment}"
                ),
            ),
            (
                "ProxmoxRealm",
                "ld",
                format!(
                    "ldap: {{servers: [127.0.0.1], port: {port}, baseDn: 'dc=example,dc=com', userAttribute: uid, bindDn: \
                     'cn=admin,dc=example,dc=com', bindPasswordSecretRef: {{name: bind, key: password}}, syncDefaults: \
                     {{scope: users, enableNew: true}}, checkConnection: true}}, syncJobs: [{{id: nightly, schedule: \
                     '{schedule}', scope: users}}]"
                ),
            ),
            ("ProxmoxRole", "boss", format!("privileges: [{privileges}]")),
            (
                "ProxmoxGroup",
                "team",
                format!("comment: {comment}, membershipPolicy: Exact, members: [{{userRef: {{name: {member}}}}}]"),
            ),
            (
                "ProxmoxUser",
                "ann",
                format!("realm: pve, email: {email}@example.com, passwordSecretRef: {{name: ann, key: password}}"),
            ),
            ("ProxmoxUser", "bob", format!("realm: pve, comment: {comment}")),
            ("ProxmoxToken", "ci", format!("userRef: {{name: ann}}, comment: {comment}")),
            (
                "ProxmoxPool",
                "lab",
                format!("comment: {comment}, membershipPolicy: Exact, members: {{guests: [{guest}]}}"),
            ),
            (
                "ProxmoxAcl",
                "lab",
                format!(
                    "poolRef: {{name: lab}}, entryPolicy: Exact, roles: [{{role: {role}}}, {{roleRef: {{name: boss}}}}], \
                     subjects: [{{groupRef: {{name: team}}}}, {{tokenRef: {{name: ci}}}}]"
                ),
            ),
        ]
    }
}

/// What differs between the first and the second version of all objects.
struct Texts {
    comment: &'static str,
    schedule: &'static str,
    privileges: &'static str,
    member: &'static str,
    guest: &'static str,
    role: &'static str,
    email: &'static str,
}

const FIRST: Texts = Texts {
    comment: "first",
    schedule: "02:30",
    privileges: "Pool.Audit",
    member: "ann",
    guest: "100",
    role: "PVEVMUser",
    email: "ann",
};

const SECOND: Texts = Texts {
    comment: "second",
    schedule: "03:30",
    privileges: "Pool.Audit, VM.Audit",
    member: "bob",
    guest: "101",
    role: "PVEVMAdmin",
    email: "ann.second",
};

/// What a write is about, one by one: how much goes into one request depends on what was left to do. The port of the
/// directory is another one each time.
fn parts(write: &Write) -> Vec<String> {
    let mut parts = vec![format!("{} {}", write.method, write.path)];
    for (name, value) in write.form.iter().filter(|(name, _)| *name != "port") {
        let is_list = write.path == "/access/acl" && name == "roles" || name == "vms";
        let values: Vec<&str> = if is_list { value.split(',').collect() } else { vec![value] };
        let is_subject = write.path == "/access/acl" && matches!(name.as_str(), "groups" | "users" | "tokens");
        if !is_subject {
            parts = parts
                .iter()
                .flat_map(|part| values.iter().map(move |value| format!("{part} {name}={value}")))
                .collect();
        }
    }
    let subjects = ["groups", "users", "tokens"].map(|kind| (kind, write.form.get(kind)));
    let subjects = subjects.iter().filter_map(|(kind, list)| Some((kind, (*list)?)));
    let subjects: Vec<String> =
        subjects.flat_map(|(kind, list)| list.split(',').map(move |subject| format!("{kind}={subject}"))).collect();
    if write.path == "/access/acl" {
        parts = parts.iter().flat_map(|part| subjects.iter().map(move |subject| format!("{part} {subject}"))).collect();
    }
    parts
}

async fn password(world: &World, password: &str) {
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: ann}}\nstringData: {{password: {password}}}\n"
        ))
        .await;
}

async fn annotate(world: &World, kind: &str, name: &str, what: &str, when: &str) {
    let annotation = format!("proxmox-identity.dev/{what}-requested-at");
    let patch = kube::api::Patch::Merge(json!({"metadata": {"annotations": {annotation: when}}}));
    world.api(kind).patch(name, &kube::api::PatchParams::default(), &patch).await.expect("annotated");
}
