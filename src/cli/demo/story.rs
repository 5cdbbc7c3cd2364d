//! What the demo shows, in order; each part fails when it does not see what it shows.

use std::time::{Duration, Instant};

use super::kubernetes::Kubernetes;
use super::manifests::{self, COLUMNS, EXAMPLE, MISTAKE, SECRETS, Values};
use super::pocket_id::PocketId;
use super::proxmox::Proxmox;
use super::screen::Screen;
use super::standing::Standing;
use super::{Failure, operator, people};
use crate::sim::child::GuardedChild;

/// How long anything may take; seconds are usual.
const PATIENCE: Duration = Duration::from_secs(30);

/// All that is Ready at once.
const READY: [&str; 11] = [
    "pocketidconnection/pocket-id",
    "pocketidgroup/proxmox-users",
    "pocketidgroup/proxmox-admins",
    "pocketidclient/proxmox-ve",
    "proxmoxconnection/proxmox",
    "proxmoxrealm/pocket-id",
    "proxmoxgroup/proxmox-users",
    "proxmoxgroup/proxmox-admins",
    "proxmoxpool/alice",
    "proxmoxacl/users-audit",
    "proxmoxacl/admins",
];

const ALICE: &str = "proxmoxacl/alice-pool";

/// Everything that runs; it ends when this is dropped.
pub struct Story {
    // Dropped in this order: the operator must not see the others go.
    operator: GuardedChild,
    pve: Proxmox,
    pocket_id: PocketId,
    kubernetes: Kubernetes,
}

impl Story {
    /// Tells it; to the end, or only until all is healed.
    ///
    /// # Errors
    /// When something is not as it should be.
    pub async fn tell(screen: &Screen, keep: bool) -> Result<Self, Failure> {
        screen.say("From Git to a sign-in: manifests → operator → Pocket ID and Proxmox VE → Alice, and not Mallory.");
        screen.say("All of it runs on loopback, touches nothing of yours, and is gone at the end.");
        let (mut story, clean) = Self::start(screen).await?;
        match story.play(screen, keep, &clean).await {
            Ok(()) => Ok(story),
            Err(error) => Err(format!("{error}\n{}", story.last_words().await).into()),
        }
    }

    async fn start(screen: &Screen) -> Result<(Self, Standing), Failure> {
        screen.step("Start Pocket ID, Proxmox VE and Kubernetes");
        let (pocket_id, kubernetes) = tokio::try_join!(PocketId::start(), Kubernetes::start())?;
        let pve = Proxmox::start(&pocket_id).await?;
        screen.good(&format!("Pocket ID 2.14 (simulated) at {}, with alice and mallory", pocket_id.simulator.url()));
        screen.good(&format!("Proxmox VE 9.2 (simulated) at {}, which knows nobody yet", pve.simulator.url()));
        screen.good(&format!("etcd and kube-apiserver (real) are up ({:.1} s)", screen.seconds()));

        screen.step("Give the operator no more rights than its kinds need, and start it");
        let token = pve.prepare_operator(screen).await?;
        let clean = Standing::read(&pocket_id, &pve).await?;
        let values = Values {
            endpoint: pve.simulator.url(),
            fingerprint: pve.simulator.fingerprint(),
            token,
            url: pocket_id.simulator.url(),
            url_fingerprint: pocket_id.simulator.fingerprint(),
            api_key: pocket_id.simulator.api_key().to_owned(),
        };
        manifests::write(kubernetes.dir(), &values)?;
        screen.command('$', "kubectl apply -f crds/");
        kubernetes.kubectl(&["apply", "-f", "crds/"]).await?;
        kubernetes.kubectl(&["wait", "--for=condition=Established", "--timeout=30s", "-f", "crds/"]).await?;
        let operator = operator::start(&kubernetes.kubeconfig())?;
        screen.good("the operator runs");
        Ok((Self { operator, pve, pocket_id, kubernetes }, clean))
    }

    async fn play(&mut self, screen: &Screen, keep: bool, clean: &Standing) -> Result<(), Failure> {
        self.apply(screen).await?;
        self.sign_in(screen).await?;
        self.heal(screen).await?;
        self.refuse(screen).await?;
        if !keep {
            self.take_away(screen, clean).await?;
            screen.say(&format!(
                "\nAll as it should be, in {:.0} s. To play with it yourself: make demo KEEP=1",
                screen.seconds()
            ));
        }
        Ok(())
    }

    async fn apply(&self, screen: &Screen) -> Result<(), Failure> {
        screen.step("Apply both halves: what is to stand in Pocket ID, and what in Proxmox VE");
        self.kubernetes.kubectl(&["create", "namespace", "identity"]).await?;
        self.kubernetes.show(screen, &format!("apply -n identity -f {SECRETS}/")).await?;
        let begun = Instant::now();
        self.kubernetes.show(screen, &format!("apply -n identity -f {EXAMPLE}/")).await?;
        self.kubernetes.wait("condition=Ready", &READY).await?;
        self.kubernetes.wait_for_reason("DependencyNotReady", &[ALICE]).await?;
        let seconds = begun.elapsed().as_secs_f64();
        screen.good(&format!("all but one object Ready {seconds:.1} s after the start of kubectl"));
        self.kubernetes.show(screen, &format!("get proxmox -n identity -o custom-columns-file={COLUMNS}")).await?;

        screen.step("Look at what stands in both now");
        let standing = self.standing().await?;
        for (system, table) in standing.tables() {
            screen.remark(system);
            screen.output(&table);
        }
        let back = self.pve.simulator.url();
        let expected: [&[&str]; 9] = [
            &["group", "proxmox_users", "alice"],
            &["group", "proxmox_admins"],
            &["client", "proxmox-ve", "only proxmox_admins, proxmox_users", &back],
            &["realm", "PocketID", "openid, default"],
            &["group", "proxmox_admins-PocketID"],
            &["group", "proxmox_users-PocketID"],
            &["pool", "alice"],
            &["ACL entry", "/", "Administrator", "group proxmox_admins-PocketID"],
            &["ACL entry", "/", "PVEAuditor", "group proxmox_users-PocketID"],
        ];
        match expected.iter().find(|cells| !standing.has(cells)) {
            Some(missing) => Err(format!("there should be {}, and is not", missing.join(" ")).into()),
            None => Ok(()),
        }
    }

    async fn sign_in(&self, screen: &Screen) -> Result<(), Failure> {
        screen.step("Alice signs in for the first time: Git says that she is in proxmox_users");
        let alice = people::gets_in(&self.pocket_id, &self.pve, "alice").await?;
        people::show(screen, &alice, &["/"]);
        let begun = Instant::now();
        self.kubernetes.wait("condition=Ready", &[ALICE]).await?;
        let seconds = begun.elapsed().as_secs_f64();
        screen.good(&format!("her own permission, which waited for her, stands {seconds:.1} s later"));
        let alice = people::gets_in(&self.pocket_id, &self.pve, "alice").await?;
        people::show(screen, &alice, &["/pool/alice"]);
        let may =
            |path: &str, privilege: &str| alice.permissions.get(path).is_some_and(|held| held.contains(privilege));
        if !may("/pool/alice", "VM.Console") || !may("/", "VM.Audit") || may("/", "VM.Console") {
            return Err(format!("Alice should be allowed what Git says, and is: {:?}", alice.permissions).into());
        }

        screen.step("Mallory has a passkey too, and is in no group that may sign in");
        let words = people::is_turned_away(&self.pocket_id, &self.pve, "mallory").await?;
        screen.stopped(&format!("turned away by Pocket ID: {words}"));
        Ok(())
    }

    async fn heal(&self, screen: &Screen) -> Result<(), Failure> {
        screen.step("Change things behind the operator's back, in both");
        let before = self.standing().await?;
        self.pocket_id.sabotage(screen, "proxmox-ve").await?;
        self.pve.sabotage(screen).await?;
        let begun = Instant::now();
        while self.standing().await? != before {
            patient(begun, "what was changed is healed").await?;
        }
        screen.good(&format!("all as before after {:.1} s", begun.elapsed().as_secs_f64()));
        let command = "get events -n identity --field-selector reason=DriftCorrected \
                       -o custom-columns=OBJECT:.involvedObject.name,EVENT:.message";
        let told = async || self.kubernetes.kubectl(&command.split(' ').collect::<Vec<_>>()).await;
        let expected = [
            "isGroupRestricted",
            "group proxmox_users-PocketID again",
            "PVEAuditor for group proxmox_users",
            "changed propagate",
        ];
        let events = loop {
            let events = told().await?;
            if expected.iter().all(|words| events.contains(words)) {
                break events;
            }
            patient(begun, &format!("Events tell of it, which now say:\n{events}")).await?;
        };
        screen.command('$', &format!("kubectl {command}"));
        screen.output(&events);
        Ok(())
    }

    async fn refuse(&self, screen: &Screen) -> Result<(), Failure> {
        screen.step("Make a mistake that would take away the operator's own rights");
        self.kubernetes.show(screen, &format!("apply -n identity -f {MISTAKE}")).await?;
        self.kubernetes.wait_for_reason("WouldLockOut", &["proxmoxacl/mistake"]).await?;
        self.kubernetes.show(screen, "get -n identity proxmoxacl/mistake -o wide").await?;
        if self.standing().await?.has(&["ACL entry", "/access", "NoAccess", "user proxmox-identity@pve"]) {
            return Err("the mistake should not stand in Proxmox VE, and does".into());
        }
        screen.good("nothing of it was written");
        self.kubernetes.show(screen, &format!("delete -n identity --timeout=30s -f {MISTAKE}")).await
    }

    async fn take_away(&self, screen: &Screen, clean: &Standing) -> Result<(), Failure> {
        screen.step("Delete the objects: what the operator made goes with them");
        self.kubernetes.show(screen, &format!("delete -n identity --timeout=30s -f {EXAMPLE}/")).await?;
        let standing = self.standing().await?;
        if standing != *clean {
            let tables = standing.tables().map(|(system, table)| format!("{system}\n{table}")).join("\n");
            return Err(format!("all should be as before the manifests were applied, and is not:\n{tables}").into());
        }
        screen.good("Pocket ID and Proxmox VE are as they were before");
        screen.remark("(but for the user alice@PocketID: her sign-in made her, not the operator)");
        Ok(())
    }

    async fn standing(&self) -> Result<Standing, Failure> {
        Standing::read(&self.pocket_id, &self.pve).await
    }

    /// Says how to use what has been left up.
    pub fn invite(&self, screen: &Screen) {
        screen.step("Play with it");
        let (pve, token) = (self.pve.simulator.url(), self.pve.simulator.token());
        let (pocket_id, key) = (self.pocket_id.simulator.url(), self.pocket_id.simulator.api_key());
        let kubectl = self.kubernetes.program();
        let program =
            std::env::current_exe().map_or_else(|_| "proxmox-identity".to_owned(), |path| path.display().to_string());
        for (what, how) in [
            ("Kubernetes", format!("export KUBECONFIG={}", self.kubernetes.kubeconfig().display())),
            ("", format!("alias kubectl={}", kubectl.display())),
            ("", "kubectl get proxmox -n identity -o wide".to_owned()),
            ("The manifests", format!("ls {}", self.kubernetes.dir().join(EXAMPLE).display())),
            ("The operator's log", format!("tail -f {}", self.operator.dir().join("log").display())),
            ("Proxmox VE", format!("curl -k -H 'Authorization: PVEAPIToken={token}' {pve}/api2/json/access/acl")),
            ("Pocket ID", format!("curl -k -H 'X-API-Key: {key}' {pocket_id}/api/oidc/clients")),
            ("How to sign somebody in", format!("{program} sim pocket-id --help")),
        ] {
            if !what.is_empty() {
                screen.remark(what);
            }
            screen.to_paste(&how);
        }
        screen.remark(
            "(Nothing but the operator runs in this Kubernetes: a namespace that is deleted waits for ever, and the",
        );
        screen.remark(
            "Secret that an object owned stays: kubectl delete secret proxmox-ve -n identity, before the manifests are",
        );
        screen.remark("applied again. The connections are looked at each second here, and each minute by default.)");
        screen.good("Ctrl-C ends everything and removes all files");
    }

    /// What may explain why something went wrong.
    async fn last_words(&mut self) -> String {
        let objects = self.kubernetes.kubectl(&["get", "proxmox", "-A", "-o", "wide"]).await;
        let ended = self.operator.has_ended().unwrap_or_default();
        let state = if ended { "ended by itself" } else { "runs" };
        let objects = objects.unwrap_or_else(|error| error.to_string());
        format!("{objects}\nThe operator {state}; its last lines:\n{}", self.operator.log_tail())
    }
}

async fn patient(since: Instant, until: &str) -> Result<(), Failure> {
    if since.elapsed() > PATIENCE {
        return Err(format!("waited {} s in vain until {until}", PATIENCE.as_secs()).into());
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(())
}
