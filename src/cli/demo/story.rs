//! What the demo shows, in order; each part fails when it does not see what it shows.

use std::path::Path;
use std::time::{Duration, Instant};

use super::kubernetes::Kubernetes;
use super::manifests::{self, EXAMPLE, MISTAKE, Values};
use super::proxmox::Proxmox;
use super::screen::Screen;
use super::standing::Standing;
use super::{Failure, screen};
use crate::sim::child::GuardedChild;

/// How long anything may take; seconds are usual.
const PATIENCE: Duration = Duration::from_secs(30);

/// All that is Ready at once.
const READY: [&str; 7] = [
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
    kubernetes: Kubernetes,
}

impl Story {
    /// Tells it; to the end, or only until all is healed.
    ///
    /// # Errors
    /// When something is not as it should be.
    pub async fn tell(screen: &Screen, keep: bool) -> Result<Self, Failure> {
        screen.say("A real Kubernetes API, a simulated Proxmox VE, and the operator between them.");
        screen.say("All of it runs on loopback, touches nothing of yours, and is gone at the end.");
        let (mut story, clean) = Self::start(screen).await?;
        match story.play(screen, keep, &clean).await {
            Ok(()) => Ok(story),
            Err(error) => Err(format!("{error}\n{}", story.last_words().await).into()),
        }
    }

    async fn start(screen: &Screen) -> Result<(Self, Standing), Failure> {
        screen.step("Start Kubernetes, and let it know the operator's kinds");
        let kubernetes = Kubernetes::start().await?;
        screen.good(&format!("etcd and kube-apiserver are up ({:.1} s)", screen.seconds()));

        screen.step("Start Proxmox VE, and give the operator a user of its own, with the rights that its kinds need");
        let pve = Proxmox::start().await?;
        let token = pve.prepare_operator(screen).await?;
        let clean = Standing::read(&pve).await?;
        let (endpoint, fingerprint) = (pve.simulator.url(), pve.simulator.fingerprint());
        manifests::write(kubernetes.dir(), &Values { endpoint, fingerprint, token })?;
        screen.good(&format!("Proxmox VE answers at {}", pve.simulator.url()));

        screen.step("Install the CRDs and start the operator");
        kubernetes.show(screen, "apply -f crds/").await?;
        kubernetes.kubectl(&["wait", "--for=condition=Established", "--timeout=30s", "-f", "crds/"]).await?;
        let operator = start_operator(kubernetes.kubeconfig())?;
        screen.good("the operator runs");
        Ok((Self { operator, pve, kubernetes }, clean))
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
        screen.step("Apply the manifests of Pocket ID's guide: realm, groups, permissions, pool");
        self.kubernetes.kubectl(&["create", "namespace", "identity"]).await?;
        let begun = Instant::now();
        self.kubernetes.show(screen, &format!("apply -n identity -f {EXAMPLE}/")).await?;
        self.wait("condition=Ready", &READY).await?;
        self.wait(r#"jsonpath={.status.conditions[?(@.type=="Ready")].reason}=DependencyNotReady"#, &[ALICE]).await?;
        screen.good(&format!(
            "all but one object Ready {:.1} s after the start of kubectl",
            begun.elapsed().as_secs_f64()
        ));
        self.kubernetes.show(screen, "get proxmox -A").await?;

        screen.step("Look at what stands in Proxmox VE now");
        let standing = Standing::read(&self.pve).await?;
        screen.output(&standing.table());
        let expected: [&[&str]; 6] = [
            &["realm", "PocketID", "openid, default"],
            &["group", "proxmox_admins-PocketID"],
            &["group", "proxmox_users-PocketID"],
            &["pool", "alice"],
            &["ACL entry", "/", "Administrator", "group proxmox_admins-PocketID"],
            &["ACL entry", "/", "PVEAuditor", "group proxmox_users-PocketID"],
        ];
        match expected.iter().find(|cells| !standing.has(cells)) {
            Some(missing) => Err(format!("Proxmox VE should have {}, and has not", missing.join(" ")).into()),
            None => Ok(()),
        }
    }

    async fn sign_in(&self, screen: &Screen) -> Result<(), Failure> {
        screen.step("Let Alice sign in for the first time: her permission has been waiting for it");
        self.kubernetes.show(screen, &format!("get -n identity {ALICE} -o wide")).await?;
        let begun = Instant::now();
        self.pve.simulator.login("alice@PocketID", &["proxmox_users-PocketID".to_owned()]).await?;
        screen.remark("(Alice signs in with Pocket ID; Proxmox VE makes the user alice@PocketID)");
        self.wait("condition=Ready", &[ALICE]).await?;
        screen.good(&format!("her permission is Ready after {:.1} s", begun.elapsed().as_secs_f64()));
        self.kubernetes.show(screen, &format!("get -n identity {ALICE}")).await
    }

    async fn heal(&self, screen: &Screen) -> Result<(), Failure> {
        screen.step("Change things in Proxmox VE behind the operator's back");
        let before = Standing::read(&self.pve).await?;
        self.pve.sabotage(screen).await?;
        let begun = Instant::now();
        while Standing::read(&self.pve).await? != before {
            patient(begun, "what was changed in Proxmox VE is healed").await?;
        }
        screen.good(&format!("all as before after {:.1} s", begun.elapsed().as_secs_f64()));
        let command = "get events -n identity --field-selector reason=DriftCorrected";
        let told = async || self.kubernetes.kubectl(&command.split(' ').collect::<Vec<_>>()).await;
        let expected =
            ["group proxmox_users-PocketID again", "PVEAuditor for group proxmox_users", "changed propagate"];
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
        self.wait(r#"jsonpath={.status.conditions[?(@.type=="Ready")].reason}=WouldLockOut"#, &["proxmoxacl/mistake"])
            .await?;
        self.kubernetes.show(screen, "get -n identity proxmoxacl/mistake -o wide").await?;
        if Standing::read(&self.pve).await?.has(&["ACL entry", "/access", "NoAccess", "user proxmox-identity@pve"]) {
            return Err("the mistake should not stand in Proxmox VE, and does".into());
        }
        screen.good("nothing of it was written");
        self.kubernetes.show(screen, &format!("delete -n identity --timeout=30s -f {MISTAKE}")).await
    }

    async fn take_away(&self, screen: &Screen, clean: &Standing) -> Result<(), Failure> {
        screen.step("Delete the objects: what the operator made goes with them");
        self.kubernetes.show(screen, &format!("delete -n identity --timeout=30s -f {EXAMPLE}/")).await?;
        let standing = Standing::read(&self.pve).await?;
        screen.output(&standing.table());
        if standing != *clean {
            return Err("Proxmox VE should be as it was before the manifests were applied, and is not".into());
        }
        screen.good("Proxmox VE is as it was before");
        screen.remark("(but for the user alice@PocketID: her sign-in made her, not the operator)");
        Ok(())
    }

    async fn wait(&self, what: &str, objects: &[&str]) -> Result<(), Failure> {
        let what = format!("--for={what}");
        let mut arguments = vec!["wait", "-n", "identity", "--timeout=30s", &what];
        arguments.extend(objects);
        self.kubernetes.kubectl(&arguments).await.map(drop)
    }

    /// Says how to use what has been left up.
    pub fn invite(&self, screen: &Screen) {
        screen.step("Play with it");
        let (url, token) = (self.pve.simulator.url(), self.pve.simulator.token());
        let kubectl = self.kubernetes.program();
        screen.output(&screen::table(&[
            vec!["Kubernetes".into(), format!("export KUBECONFIG={}", self.kubernetes.kubeconfig().display())],
            vec![String::new(), format!("alias kubectl={}", kubectl.display())],
            vec![String::new(), "kubectl get proxmox -n identity -o wide".into()],
            vec!["manifests".into(), self.kubernetes.dir().join(EXAMPLE).display().to_string()],
            vec!["operator's log".into(), self.operator.dir().join("log").display().to_string()],
            vec![
                "Proxmox VE".into(),
                format!("curl -k -H 'Authorization: PVEAPIToken={token}' {url}/api2/json/access/acl"),
            ],
            vec!["a sign-in".into(), format!("curl -k {url}/sim/login -d '{{\"userid\": \"bob@PocketID\"}}'")],
        ]));
        screen.remark(
            "(Nothing but the operator runs in this Kubernetes: a namespace that is deleted waits for ever, and what a",
        );
        screen.remark("deleted object owns stays. There is no Pocket ID either, of which the realm's Warning tells.)");
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

impl Kubernetes {
    /// Shows a command, runs it, and shows its answer.
    async fn show(&self, screen: &Screen, command: &str) -> Result<(), Failure> {
        screen.command('$', &format!("kubectl {command}"));
        let answer = self.kubectl(&command.split(' ').collect::<Vec<_>>()).await?;
        screen.output(&answer);
        Ok(())
    }
}

/// The same program as this one, at work.
fn start_operator(kubeconfig: &Path) -> Result<GuardedChild, Failure> {
    let kubeconfig = format!("KUBECONFIG={}", kubeconfig.display());
    let program = std::env::current_exe()?.display().to_string();
    // What the operator takes from its environment may be set for another one.
    let unset = ["PROXMOX_IDENTITY_WATCH_NAMESPACE", "PROXMOX_IDENTITY_PROGRESS_DEADLINE"];
    let mut words: Vec<&str> = unset.iter().flat_map(|name| ["-u", name]).collect();
    words.extend([kubeconfig.as_str(), &program, "run", "--listen=127.0.0.1:0", "--log-format=human"]);
    let words = words.into_iter().map(str::to_owned).collect();
    Ok(GuardedChild::start(Path::new("env"), |_| Ok(words))?)
}

async fn patient(since: Instant, until: &str) -> Result<(), Failure> {
    if since.elapsed() > PATIENCE {
        return Err(format!("waited {} s in vain until {until}", PATIENCE.as_secs()).into());
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(())
}
