//! The same done without the operator: its own PUTs sent bare, and one object at a time as the Terraform provider does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use proxmox_identity::sim::Write;
use proxmox_identity::sim::pve::{Options, Simulator};

use crate::fleet::GROUPS;

/// A Proxmox VE with the groups and nothing else.
pub struct Bare {
    pub pve: Simulator,
    client: reqwest::Client,
}

/// A client that keeps its connections; the certificates of simulators are new each time.
pub fn client() -> reqwest::Client {
    // Another part of the rig may have done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().expect("a client")
}

/// What it took to do something to many objects, one by one.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    pub took: Duration,
    /// How often a lock was not to be had within Proxmox VE's 10 s, so that it was tried again.
    pub refused: usize,
}

impl Bare {
    /// A fresh one, as quick as another.
    pub async fn new(options: Options) -> Self {
        let bare = Self { pve: Simulator::start(options).await.expect("a simulator"), client: client() };
        for group in 0..GROUPS {
            let form = [("groupid".to_owned(), format!("g{group}"))];
            assert!(bare.send("POST", "/access/groups", &form).await, "a group");
        }
        bare.pve.clear_requests();
        bare
    }

    /// Sends recorded PUTs one by one.
    pub async fn replay(&self, writes: &[Write]) -> Duration {
        for write in writes {
            let form: Vec<_> = write.form.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            assert!(self.send(&write.method, &write.path, &form).await, "{write:?}");
        }
        first_to_last(&self.pve.requests().writes)
    }

    /// Makes some hundreds of entries with few PUTs, elsewhere than [`Self::apply`] does.
    pub async fn fill(&self, entries: usize) {
        let groups: Vec<String> = (0..GROUPS).map(|group| format!("g{group}")).collect();
        for path in 0..entries / GROUPS {
            let form = [
                ("path", format!("/storage/store{path}")),
                ("roles", "PVEDatastoreUser".to_owned()),
                ("groups", groups.join(",")),
            ];
            assert!(self.send("PUT", "/access/acl", &form.map(|(name, value)| (name.to_owned(), value))).await);
        }
    }

    /// Makes entries, each with a PUT of its own.
    pub async fn apply(&self, numbers: std::ops::Range<usize>, at_once: usize) -> Work {
        self.each(numbers, at_once, async |number| {
            let form = [
                ("path", format!("/vms/{}", 100 + number)),
                ("roles", "PVEVMUser".to_owned()),
                ("groups", format!("g{}", number % GROUPS)),
                ("propagate", "1".to_owned()),
            ];
            self.send("PUT", "/access/acl", &form.map(|(name, value)| (name.to_owned(), value))).await
        })
        .await
    }

    /// Looks whether entries stand, reading the whole ACL for each.
    pub async fn refresh(&self, numbers: std::ops::Range<usize>, at_once: usize) -> Work {
        self.each(numbers, at_once, async |_| self.send("GET", "/access/acl", &[]).await).await
    }

    async fn each(&self, numbers: std::ops::Range<usize>, at_once: usize, work: impl AsyncFn(usize) -> bool) -> Work {
        let (begun, refused, work) = (Instant::now(), AtomicUsize::new(0), &work);
        let all = stream::iter(numbers).map(async |number| {
            while !work(number).await {
                refused.fetch_add(1, Ordering::Relaxed);
            }
        });
        all.buffer_unordered(at_once).collect::<()>().await;
        Work { took: begun.elapsed(), refused: refused.into_inner() }
    }

    async fn send(&self, method: &str, path: &str, form: &[(String, String)]) -> bool {
        let url = format!("{}/api2/json{path}", self.pve.url());
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let token = format!("PVEAPIToken={}", self.pve.token());
        let mut request = self.client.request(method, url).header("Authorization", token);
        if !form.is_empty() {
            request = request.form(form);
        }
        let answer = request.send().await.expect("an answer");
        let done = answer.status().is_success();
        answer.bytes().await.expect("its body");
        done
    }
}

/// From the first to the last of some writes.
pub fn first_to_last<'a>(writes: impl IntoIterator<Item = &'a Write>) -> Duration {
    let mut times = writes.into_iter().map(|write| write.at_us);
    let first = times.next().unwrap_or_default();
    Duration::from_micros(times.last().unwrap_or(first) - first)
}
