//! One life: made, changed, given new secrets, tampered with, healed and removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use kube::api::ListParams;
use proxmox_identity::sim::{pocket_id, pve};
use serde_json::{Value, json};

use crate::account::Reach;
use crate::both::Both;
use crate::canary;
use crate::death::Death;
use crate::objects::{OBJECTS, Object, SECRETS};
use crate::standing::{Secrets, difference, standing};
use crate::world::operator::{fetch, served_at};
use crate::written::{Lost, Written};

/// The connections, of Proxmox VE and of Pocket ID.
const CONNECTIONS: [(&str, &str); 2] = [("ProxmoxConnection", "pve"), ("PocketIdConnection", "pocket-id")];

/// What answers.
#[derive(Debug, Clone, Copy)]
pub struct Releases {
    pub pve: pve::Release,
    pub pocket_id: pocket_id::Release,
}

/// Where at a call the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Nothing was sent yet.
    Before,
    /// It took effect, and its answer is not known yet.
    After,
}

/// A part of a life before its end.
#[derive(Clone, Copy)]
enum Part {
    Made,
    GivenNewSecrets,
    Changed,
    Healed,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::GivenNewSecrets => "given new secrets",
            Self::Changed => "changed",
            Self::Healed => "healed",
        }
    }
}

/// One call of a life: what it does, and which of the calls that do this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub what: String,
    pub which: usize,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.which, self.what)
    }
}

impl Call {
    /// All calls of a life, in order.
    pub fn each(calls: &[String]) -> Vec<Self> {
        let mut made: BTreeMap<&str, usize> = BTreeMap::new();
        let mut each = Vec::new();
        for what in calls {
            let made = made.entry(what).or_default();
            *made += 1;
            each.push(Self { what: what.clone(), which: *made });
        }
        each
    }
}

/// What became of a life.
pub struct Lived {
    /// Where it was killed.
    point: String,
    /// What stood after each part, and what had been written until then.
    stood: Vec<Stood>,
    /// What was written in all.
    written: Written,
    /// Whose secrets may have been shown to the process that was killed and to nobody else.
    lost: Lost,
    /// The calls of the process that lived to the end.
    pub calls: Vec<String>,
    /// Whether it was killed.
    pub was_killed: bool,
}

/// What stood after a part.
struct Stood {
    is: Value,
    written: Written,
}

impl Lived {
    /// What it wrote that another life did not, or more often, until any of its parts or in all.
    pub fn wrote_more_than(&self, other: &Self) -> Vec<String> {
        let until = self.stood.iter().zip(&other.stood).map(|(ours, theirs)| (&ours.written, &theirs.written));
        let all = until.chain([(&self.written, &other.written)]);
        let more: BTreeSet<String> = all.flat_map(|(ours, theirs)| ours.more_than(theirs, self.lost)).collect();
        more.into_iter().map(|more| format!("killed {}: {more}", self.point)).collect()
    }
}

/// A world in which a life goes on.
struct Scene<'a> {
    world: Both,
    /// What is to stand after each part, in a life after the first.
    expected: Option<&'a Lived>,
    stood: Vec<Stood>,
    former: Secrets,
    /// All secrets that there ever were.
    secrets: BTreeSet<String>,
    point: String,
}

/// Lives one life, killed at a call or not; one that is killed has to stand as another one did.
pub async fn live(releases: Releases, kill_at: Option<(&Call, Side)>, expected: Option<&Lived>) -> Lived {
    let point = match kill_at {
        Some((call, Side::Before)) => format!("before:{call}"),
        Some((call, Side::After)) => format!("after:{call}"),
        None => "nowhere".to_owned(),
    };
    let world = born(releases).await;
    let mut before = standing(&world, &Secrets::default()).await;
    match kill_at {
        Some(_) => world.start_operator_with(&[&format!("PROXMOX_IDENTITY_KILL_AT={point}")], &[]),
        None => world.start_operator(),
    };
    let (stood, former, secrets) = (Vec::new(), Secrets::default(), BTreeSet::new());
    let mut scene = Scene { world, expected, stood, former, secrets, point };
    scene.goes_through_its_parts().await;
    let Scene { world, stood, point, .. } = scene;
    let mut after = standing(&world, &Secrets::default()).await;
    // The garbage collector, which does not run here, removes what is owned by objects that are gone.
    after["secrets"].as_object_mut().expect("Secrets").retain(|_, secret| secret["owners"] == json!([]));
    assert_eq!(after["work"].take()["delivered"]["token"], false, "killed {point}: the token has ended");
    before["work"].take();
    assert_eq!(difference(&before, &after), "", "killed {point}: what stood before all, and after all");
    let death = Death::of(&world.log_until_killed());
    let lost = death.as_ref().map_or_else(Lost::default, |death| Lost {
        token: death.lost_a_secret("/token/", "ci"),
        client: death.lost_a_secret("/secret", "proxmox"),
    });
    let (written, was_killed) = (Written::until_now(&world), death.is_some());
    Lived { point, stood, written, lost, calls: world.calls(), was_killed }
}

/// Everything that is there before the first object: people, and things that are not ours.
async fn born(releases: Releases) -> Both {
    let pocket = pocket_id::Options { release: releases.pocket_id, ..pocket_id::Options::default() };
    let pve = pve::Options { release: releases.pve, time_scale: 0.02, ..pve::Options::default() };
    let world = Both::of_both(Reach::Namespace, pve, pocket).await;
    for name in ["alice", "bob"] {
        world.pocket.add_user(name, &[]).expect("a user");
    }
    world.group_by_hand("others").await;
    world.pve_call("POST", "/access/groups", &[("groupid", "others")]).await;
    world.pve_call("POST", "/access/users", &[("userid", "other@pve"), ("groups", "others")]).await;
    let grant = [("path", "/nodes"), ("groups", "others"), ("roles", "PVEAuditor")];
    world.pve_call("PUT", "/access/acl", &grant).await;
    world.apply(SECRETS).await;
    // So seldom that each call is one of the life's own.
    for (kind, name) in CONNECTIONS {
        world.resync(&format!("{kind}/{name}"), "1h").await;
    }
    world
}

impl Scene<'_> {
    /// Once killed, and standing as the life without a kill stood in all three systems, it would go on as that did: it
    /// goes straight to its end.
    async fn goes_through_its_parts(&mut self) {
        for part in [Part::Made, Part::GivenNewSecrets, Part::Changed, Part::Healed] {
            self.begins(part).await;
            self.settles(part).await;
            self.tells_no_secret().await;
            if !self.world.log_until_killed().is_empty() {
                break;
            }
        }
        self.own_entry("1").await;
        self.remove().await;
        self.tells_no_secret().await;
    }

    async fn begins(&mut self, part: Part) {
        match part {
            Part::Made => self.declare(|object| Some(object.first)).await,
            Part::GivenNewSecrets => {
                self.own_entry("0").await;
                self.former = Secrets::of(&self.world).await;
                self.new_secrets().await;
            }
            Part::Changed => self.declare(|object| object.second).await,
            Part::Healed => self.tamper().await,
        }
    }

    /// Grants, or takes away, what somebody gave our token by hand: nobody manages it, and a token made anew keeps it.
    async fn own_entry(&self, delete: &str) {
        let entry = [("path", "/vms"), ("tokens", "svc@pve!ci"), ("roles", "PVEAuditor"), ("propagate", "0")];
        self.world.pve_call("PUT", "/access/acl", &[&entry[..], &[("delete", delete)]].concat()).await;
    }

    async fn declare(&self, spec: impl Fn(&Object) -> Option<&'static str>) {
        for object in &OBJECTS {
            let Some(spec) = spec(object) else { continue };
            if object.is_of_pocket_id() {
                self.world.declare(object.kind, object.name, spec).await;
            } else {
                self.world.object(object.kind, object.name, spec).await;
            }
        }
    }

    async fn new_secrets(&self) {
        let annotations = json!({"proxmox-identity.dev/rotate-requested-at": "once"});
        for kind in ["PocketIdClient", "ProxmoxToken"] {
            let object = OBJECTS.iter().find(|object| object.kind == kind).expect("an object");
            self.world.patch(kind, object.name, json!({"metadata": {"annotations": annotations}})).await;
        }
    }

    /// Takes away and gives, behind the operator's back.
    async fn tamper(&self) {
        self.world.pve_call("DELETE", "/access/groups/ops", &[]).await;
        self.world.pve_call("PUT", "/access/roles/starter", &[("privs", "VM.Audit,VM.Console,VM.Migrate")]).await;
        let taken = [("path", "/pool/lab"), ("groups", "pve-admins-PocketID"), ("roles", "starter"), ("delete", "1")];
        self.world.pve_call("PUT", "/access/acl", &taken).await;
        let group = self.world.pocket_group("pve-admins").await.expect("a group");
        let path = format!("/api/user-groups/{}/users", group["id"].as_str().expect("an id"));
        self.world.pocket_put(&path, json!({"userIds": []})).await;
    }

    /// Waits until everything was looked at again and stands as in the life before, or in the first life until nothing
    /// changes any more.
    async fn settles(&mut self, part: Part) {
        let asked = part.name();
        for (kind, name) in CONNECTIONS {
            let annotations = json!({"proxmox-identity.dev/reconcile-requested-at": asked});
            self.world.patch(kind, name, json!({"metadata": {"annotations": annotations}})).await;
            self.world
                .until("the connection was looked at", async || {
                    let object = self.world.get_object(kind, name).await?;
                    (object["status"]["lastHandledReconcileAt"] == asked).then_some(())
                })
                .await;
        }
        for object in &OBJECTS {
            self.world.ready(object.kind, object.name).await;
        }
        let stands = match self.expected.map(|lived| &lived.stood[self.stood.len()].is) {
            Some(expected) => {
                let what = format!("it stands as in a life without a kill, {asked}, killed {}", self.point);
                self.world
                    .until_or(&what, async || {
                        let stands = standing(&self.world, &self.former).await;
                        if stands == *expected {
                            return Ok(stands);
                        }
                        // To look at everything costs more than to wait.
                        tokio::time::sleep(Duration::from_millis(300)).await;
                        Err(difference(expected, &stands))
                    })
                    .await
            }
            None => self.stands_still().await,
        };
        self.stood.push(Stood { is: stands, written: Written::until_now(&self.world) });
    }

    /// Judges that no secret is in a log, a status, an Event or a metric.
    async fn tells_no_secret(&mut self) {
        let metrics = async || {
            let address = served_at(&self.world.log())?;
            fetch(&format!("http://{address}/metrics")).await.ok().map(|(_, text)| text)
        };
        // The process may be killed just then.
        let metrics = self.world.until("metrics are served", metrics).await;
        let logs = [self.world.log(), self.world.log_until_killed(), metrics];
        let mut told: Vec<(&str, String)> =
            ["log", "log until it was killed", "metrics"].into_iter().zip(logs).collect();
        for kind in OBJECTS.iter().map(|object| object.kind).chain(CONNECTIONS.map(|(kind, _)| kind)) {
            let objects = self.world.api(kind).list(&ListParams::default()).await.expect("a list").items;
            told.push((kind, serde_json::to_string(&objects).expect("JSON")));
        }
        told.push(("Events", self.world.all_events().await.join("\n")));
        let given = ["canary-bind-password", "canary-svc-password"].map(str::to_owned);
        let root = [self.world.pve.token(), self.world.pocket.api_key().to_owned()]
            .map(|secret| secret.split('=').next_back().unwrap_or_default().to_owned());
        let made = self.former.values().into_iter().chain(Secrets::of(&self.world).await.values());
        self.secrets.extend(given.into_iter().chain(root).chain(made));
        for secret in &self.secrets {
            let teller = told.iter().find(|(_, text)| canary::tells(text, secret)).map(|(teller, _)| teller);
            // The secret itself is not told here either.
            assert_eq!(teller, None, "killed {}: it tells a secret", self.point);
        }
    }

    async fn stands_still(&self) -> Value {
        let mut before = standing(&self.world, &self.former).await;
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let now = standing(&self.world, &self.former).await;
            if now == before {
                return now;
            }
            before = now;
        }
    }

    async fn remove(&self) {
        for object in OBJECTS.iter().rev() {
            self.world.delete(object.kind, object.name).await;
        }
        for object in &OBJECTS {
            self.world.gone(object.kind, object.name).await;
        }
        for (kind, name) in CONNECTIONS {
            self.world.delete(kind, name).await;
            self.world.gone(kind, name).await;
        }
    }
}
