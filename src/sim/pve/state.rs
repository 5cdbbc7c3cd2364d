//! What the simulator holds: the files of a cluster, its secrets and its certificates, kept over restarts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use super::calls::{jobs, realms};
use super::certificates;
use super::sections::Sections;
use super::user_cfg::UserCfg;
use crate::core::permissions::Directory;
use crate::sim::certificates::Certificates;
use crate::sim::lock::lock;
use crate::sim::{secrets, state_file};

/// Password of `root@pam` in the recorded first state.
pub const ROOT_PASSWORD: &str = "pve-test-password";
/// `user.cfg` of the recorded first state.
const FIRST_USER_CFG: &str = "user:root@pam:1:0:::::\ntoken:root@pam!admin:0:0::\n";
/// The token of the recorded first state.
pub const ROOT_TOKEN: &str = "root@pam!admin";

/// The files as they stand; replaced as a whole by each write, so that a read sees one moment.
#[derive(Debug, Clone)]
pub struct Files {
    /// Users, groups, tokens, roles, ACL entries, pools.
    pub users: Arc<UserCfg>,
    /// The rights that follow from [`Self::users`].
    pub directory: Arc<Directory>,
    /// Realms.
    pub realms: Arc<Sections>,
    /// Digest of the whole file of realms (FACTS 67).
    pub realms_digest: String,
    /// Sync jobs.
    pub jobs: Arc<Sections>,
    texts: Texts,
}

/// The texts of the files.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Texts {
    /// `user.cfg`
    pub users: String,
    /// `domains.cfg`
    pub realms: String,
    /// `jobs.cfg`
    pub jobs: String,
}

impl Files {
    fn parse(texts: Texts) -> Self {
        let users = UserCfg::parse(&texts.users);
        Self {
            directory: Arc::new(users.directory()),
            users: Arc::new(users),
            realms: Arc::new(realms::parse(&texts.realms)),
            realms_digest: secrets::digest(&texts.realms),
            jobs: Arc::new(Sections::parse(&texts.jobs, jobs::required)),
            texts,
        }
    }

    /// With other users.
    pub fn set_users(&mut self, text: String) {
        let users = UserCfg::parse(&text);
        self.directory = Arc::new(users.directory());
        self.users = Arc::new(users);
        self.texts.users = text;
    }

    /// With other realms.
    pub fn set_realms(&mut self, text: String) {
        self.realms = Arc::new(realms::parse(&text));
        self.realms_digest = secrets::digest(&text);
        self.texts.realms = text;
    }

    /// With other jobs.
    pub fn set_jobs(&mut self, text: String) {
        self.jobs = Arc::new(Sections::parse(&text, jobs::required));
        self.texts.jobs = text;
    }
}

/// Secrets of users and tokens.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Secrets {
    /// Hashes by user.
    pub passwords: BTreeMap<String, String>,
    /// By full token id.
    pub tokens: BTreeMap<String, String>,
    /// Bind passwords by realm.
    #[serde(default)]
    pub realms: BTreeMap<String, String>,
}

/// Everything that is kept over restarts.
#[derive(Serialize, Deserialize)]
struct Kept {
    root_key: String,
    ticket_key: String,
    certificates: Certificates,
    files: Texts,
    secrets: Secrets,
}

/// The state of the cluster.
pub struct State {
    files: Mutex<Arc<Files>>,
    secrets: Mutex<Secrets>,
    /// Signs tickets.
    pub ticket_key: String,
    /// The KEY of `root@pam!admin` in the first state.
    pub root_key: String,
    /// The cluster's own authority, and this node's certificate.
    pub certificates: Certificates,
    file: Option<PathBuf>,
}

impl State {
    /// Opens the state kept in a file, or makes the first state.
    ///
    /// # Errors
    /// When the file cannot be read or written, or no certificate can be made.
    pub fn open(file: Option<&Path>, root_key: Option<&str>) -> Result<Self, std::io::Error> {
        let state = if let Some(kept) = state_file::open::<Kept>(file)? {
            let mut secrets = kept.secrets;
            let root_key = root_key.map_or(kept.root_key, str::to_owned);
            if let Some(secret) = secrets.tokens.get_mut(ROOT_TOKEN) {
                secret.clone_from(&root_key);
            }
            Self {
                files: Mutex::new(Arc::new(Files::parse(kept.files))),
                secrets: Mutex::new(secrets),
                ticket_key: kept.ticket_key,
                root_key,
                certificates: kept.certificates,
                file: file.map(Path::to_owned),
            }
        } else {
            let state = Self {
                files: Mutex::new(Arc::new(Files::parse(Texts::default()))),
                secrets: Mutex::default(),
                ticket_key: secrets::random_key(),
                root_key: root_key.map_or_else(secrets::random_uuid, str::to_owned),
                certificates: certificates::issue().map_err(std::io::Error::other)?,
                file: file.map(Path::to_owned),
            };
            state.reset();
            state
        };
        state.keep()?;
        Ok(state)
    }

    /// Back to the recorded first state. The cluster stays the same one: its certificates are not changed.
    pub fn reset(&self) {
        let texts = Texts { users: FIRST_USER_CFG.to_owned(), ..Texts::default() };
        *lock(&self.files) = Arc::new(Files::parse(texts));
        *lock(&self.secrets) = Secrets {
            passwords: BTreeMap::from([("root@pam".to_owned(), secrets::hash_password(ROOT_PASSWORD))]),
            tokens: BTreeMap::from([(ROOT_TOKEN.to_owned(), self.root_key.clone())]),
            realms: BTreeMap::new(),
        };
    }

    /// The files at this moment.
    pub fn files(&self) -> Arc<Files> {
        lock(&self.files).clone()
    }

    /// Replaces files.
    pub fn replace(&self, edit: impl FnOnce(&mut Files)) {
        edit(Arc::make_mut(&mut lock(&self.files)));
    }

    /// Looks at or changes secrets. They are files of their own: a call that fails later leaves them changed
    /// (recording `users-password`).
    pub fn secrets(&self) -> MutexGuard<'_, Secrets> {
        lock(&self.secrets)
    }

    /// Writes the state to its file, if it has one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self) -> Result<(), std::io::Error> {
        let Some(file) = &self.file else { return Ok(()) };
        let kept = Kept {
            root_key: self.root_key.clone(),
            ticket_key: self.ticket_key.clone(),
            certificates: self.certificates.clone(),
            files: self.files().texts.clone(),
            secrets: self.secrets().clone(),
        };
        state_file::keep(file, &kept)
    }
}
