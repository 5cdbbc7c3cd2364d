//! What the simulator holds: its tables, its keys and its certificate, kept over restarts.

use std::io::Error;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use rcgen::DnType;
use serde::{Deserialize, Serialize};

use super::oidc::jwt::SigningKey;
use super::tables::Tables;
use crate::sim::certificates::Certificates;
use crate::sim::lock::lock;
use crate::sim::secrets::random_text;
use crate::sim::state_file;

/// Everything that is kept over restarts.
#[derive(Serialize, Deserialize)]
struct Kept {
    api_key: String,
    signing_key: String,
    certificates: Certificates,
    tables: Tables,
}

/// The state of one Pocket ID.
pub struct State {
    /// The tables.
    pub tables: Mutex<Tables>,
    /// The static API key.
    pub api_key: String,
    /// Signs tokens; made when it is first needed, unless it is kept.
    pub signing_key: OnceLock<SigningKey>,
    /// The authority that signed the served certificate.
    pub certificates: Certificates,
    file: Option<PathBuf>,
}

impl State {
    /// Opens the state kept in a file, or makes an empty one.
    ///
    /// # Errors
    /// When the file cannot be read or written, or a key or certificate cannot be made.
    pub fn open(file: Option<&Path>, api_key: Option<&str>) -> Result<Self, Error> {
        let kept = state_file::open::<Kept>(file)?;
        let api_key = api_key.map(str::to_owned);
        let file = file.map(Path::to_owned);
        let state = if let Some(kept) = kept {
            Self {
                tables: Mutex::new(kept.tables),
                api_key: api_key.unwrap_or(kept.api_key),
                signing_key: OnceLock::from(SigningKey::read(&kept.signing_key)?),
                certificates: kept.certificates,
                file,
            }
        } else {
            Self {
                tables: Mutex::default(),
                api_key: api_key.unwrap_or_else(|| random_text(32)),
                signing_key: OnceLock::new(),
                certificates: certificates().map_err(Error::other)?,
                file,
            }
        };
        state.keep(&lock(&state.tables))?;
        Ok(state)
    }

    /// The key that signs tokens.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn signing_key(&self) -> Result<&SigningKey, Error> {
        if let Some(key) = self.signing_key.get() {
            return Ok(key);
        }
        let fresh = SigningKey::generate()?;
        Ok(self.signing_key.get_or_init(|| fresh))
    }

    /// Writes the state to its file, if it has one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, tables: &Tables) -> Result<(), Error> {
        let Some(file) = &self.file else { return Ok(()) };
        let kept = Kept {
            api_key: self.api_key.clone(),
            signing_key: self.signing_key()?.text(),
            certificates: self.certificates.clone(),
            tables: tables.clone(),
        };
        state_file::keep(file, &kept)
    }
}

fn certificates() -> Result<Certificates, rcgen::Error> {
    let authority = [(DnType::CommonName, "Pocket ID simulator")];
    let served = [(DnType::CommonName, "id.example.com")];
    Certificates::issue(&authority, &served, &["id.example.com"])
}
