//! The file that keeps the state of a simulator over restarts.

use std::io::Error;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a file keeps; `None` without a file, or before the first [`keep`].
///
/// # Errors
/// When it cannot be read, or is not the state of this simulator.
pub fn open<T: DeserializeOwned>(file: Option<&Path>) -> Result<Option<T>, Error> {
    match file.filter(|file| file.exists()) {
        Some(file) => Ok(Some(serde_json::from_slice(&std::fs::read(file)?)?)),
        None => Ok(None),
    }
}

/// Keeps a state, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn keep<T: Serialize>(file: &Path, state: &T) -> Result<(), Error> {
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, serde_json::to_vec(state)?)?;
    std::fs::rename(fresh, file)
}
