//! The locks of the cluster file system, and every write going through them.
//!
//! As in PVE a second writer does not queue: it looks again each second and gives up after ten (FACTS 16).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio::time::{Instant, sleep};

use super::answer::Failure;
use super::calls::{jobs, realms};
use super::faults::FaultName;
use super::sections::Sections;
use super::server::Server;
use super::user_cfg::UserCfg;

const POLL: Duration = Duration::from_secs(1);
const GIVE_UP: Duration = Duration::from_secs(10);

/// One lock for each file.
#[derive(Debug, Default)]
pub struct Locks {
    users: Mutex<()>,
    realms: Mutex<()>,
    jobs: Mutex<()>,
    /// Somebody looked for the first of them and found it taken.
    users_wanted: Notify,
}

/// A file with a lock of its own.
#[derive(Debug, Clone, Copy)]
enum File {
    Users,
    Realms,
    Jobs,
}

impl File {
    fn name(self) -> &'static str {
        match self {
            Self::Users => "user.cfg",
            Self::Realms => "domains.cfg",
            Self::Jobs => "jobs.cfg",
        }
    }

    fn refuse(self, why: &str) -> Failure {
        let lock = self.name().replace('.', "_");
        Failure::die(format!("cfs-lock 'file-{lock}' error: {why}"))
    }
}

impl Server {
    /// Changes `user.cfg`; nothing is written when `edit` fails.
    pub async fn change_users<T>(
        &self,
        prefix: &str,
        edit: impl FnOnce(&mut UserCfg) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let write = || {
            let mut cfg = (*self.state.files().users).clone();
            let value = edit(&mut cfg)?;
            let text = cfg.write();
            self.state.replace(|files| files.set_users(text));
            Ok(value)
        };
        self.locked(File::Users, prefix, write).await
    }

    /// Changes `domains.cfg`.
    pub async fn change_realms<T>(
        &self,
        prefix: &str,
        edit: impl FnOnce(&mut Sections) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let write = || {
            let mut sections = (*self.state.files().realms).clone();
            let value = edit(&mut sections)?;
            let text = sections.write(realms::required)?;
            self.state.replace(|files| files.set_realms(text));
            Ok(value)
        };
        self.locked(File::Realms, prefix, write).await
    }

    /// Changes `jobs.cfg`.
    pub async fn change_jobs<T>(&self, edit: impl FnOnce(&mut Sections) -> Result<T, Failure>) -> Result<T, Failure> {
        let write = || {
            let mut sections = (*self.state.files().jobs).clone();
            let value = edit(&mut sections)?;
            let text = sections.write(jobs::required)?;
            self.state.replace(|files| files.set_jobs(text));
            Ok(value)
        };
        self.locked(File::Jobs, "", write).await
    }

    async fn locked<T>(
        &self,
        file: File,
        prefix: &str,
        write: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let fault = self.controls.strike(file.name());
        let cut = fault.as_ref().is_some_and(|fault| fault.name == FaultName::Cut);
        if let Some(fault) = fault {
            let refuse = |why: &str| Err(file.refuse(why).prefixed(prefix));
            match fault.name {
                FaultName::HeldLock => {
                    self.wait(GIVE_UP).await;
                    return refuse("got lock request timeout");
                }
                FaultName::NoQuorum => {
                    self.wait(GIVE_UP).await;
                    return refuse("no quorum!");
                }
                FaultName::Status => return Err(Failure::Proxy(fault.status)),
                FaultName::Cut if fault.before => return Err(Failure::Cut),
                // The directory is none of a write's business.
                FaultName::Cut | FaultName::Ldap => {}
                FaultName::Delay => sleep(fault.delay()).await,
            }
        }
        let Some(guard) = self.acquire(file).await else {
            return Err(file.refuse("got lock request timeout").prefixed(prefix));
        };
        sleep(self.write_latency(file)).await;
        let value = write().map_err(|failure| failure.prefixed(prefix))?;
        let kept = self.state.keep();
        drop(guard);
        kept.map_err(|error| Failure::die(format!("unable to keep the state: {error}")))?;
        if cut { Err(Failure::Cut) } else { Ok(value) }
    }

    /// How long a write to a file holds its lock.
    fn write_latency(&self, file: File) -> Duration {
        let entries = match file {
            File::Users => self.state.files().users.acl.len(),
            File::Realms | File::Jobs => 0,
        };
        let growth = self.options.write_latency_per_entry * u32::try_from(entries).unwrap_or(u32::MAX);
        self.options.write_latency + growth
    }

    async fn acquire(&self, file: File) -> Option<MutexGuard<'_, ()>> {
        let lock = match file {
            File::Users => &self.locks.users,
            File::Realms => &self.locks.realms,
            File::Jobs => &self.locks.jobs,
        };
        let started = Instant::now();
        loop {
            if let Ok(guard) = lock.try_lock() {
                return Some(guard);
            }
            if matches!(file, File::Users) {
                self.locks.users_wanted.notify_waiters();
            }
            if started.elapsed() >= self.scaled(GIVE_UP) {
                return None;
            }
            self.wait(POLL).await;
        }
    }

    /// Holds the lock of `user.cfg` as another node does: for so long from when somebody looks for it.
    pub async fn hold_users(&self, time: Duration) {
        let _held = self.locks.users.lock().await;
        self.locks.users_wanted.notified().await;
        sleep(time).await;
    }

    /// How long something takes that takes so long in PVE.
    pub fn scaled(&self, time: Duration) -> Duration {
        time.mul_f64(self.options.time_scale.max(0.0))
    }

    /// Waits as PVE does.
    pub async fn wait(&self, time: Duration) {
        sleep(self.scaled(time)).await;
    }

    /// Sets a password, which is a file of its own and is not undone by what fails later.
    pub fn set_password(&self, user: &str, password: &str) {
        let hash = crate::sim::secrets::hash_password(password);
        self.state.secrets().passwords.insert(user.to_owned(), hash);
    }

    /// Forgets everything and starts from the recorded first state.
    pub fn reset(self: &Arc<Self>) {
        self.state.reset();
        self.controls.clear_faults();
        self.controls.clear_requests();
        crate::sim::lock::lock(&self.sign_ins).clear();
        if let Some(directory) = crate::sim::lock::lock(&self.directory).as_ref() {
            directory.reset();
        }
        if let Err(error) = self.state.keep() {
            tracing::warn!(%error, "the state could not be kept");
        }
    }
}
