//! From a spec to claims: what an object wants, and what it cannot say yet.

mod acl;
mod group;
mod pool;
mod realm;

use std::collections::HashMap;

pub use acl::of_acl;
pub use group::of_group;
pub use pool::of_pool;
pub use realm::{of_realm, secrets_of};

use crate::api::refs::{KeyRef, ObjectRef};
use crate::api::{ProxmoxGroup, ProxmoxRealm, Reason};
use crate::core::claim::{Claim, Content, Wanted};
use crate::core::ids::IdError;
use crate::core::object::{ObjectKey, Refusal};
use crate::core::secret::Secret;

/// What objects may refer to: other objects of their connection and namespace by name, and keys of Secrets.
#[derive(Default)]
pub struct References<'a> {
    /// Realms.
    pub realms: HashMap<&'a str, &'a ProxmoxRealm>,
    /// Groups.
    pub groups: HashMap<&'a str, &'a ProxmoxGroup>,
    /// What was read of each Secret key, or why it was not.
    pub secrets: HashMap<KeyRef, Result<Secret, Refusal>>,
}

/// What an object wants.
#[derive(Debug, Default)]
pub struct Wants {
    /// What it is called in PVE.
    pub external_id: Option<String>,
    /// Its claims.
    pub wanted: Vec<Wanted>,
    /// What it cannot say yet.
    pub refusals: Vec<Refusal>,
    /// What it may want all the same.
    pub unsure: bool,
}

impl Wants {
    fn one(external_id: &str, claim: Claim, content: Content, needs: Vec<ObjectKey>) -> Self {
        let wanted = vec![Wanted { claim, content, needs }];
        Self { external_id: Some(external_id.to_owned()), wanted, ..Self::default() }
    }

    fn refused(refusal: Refusal) -> Self {
        Self { refusals: vec![refusal], unsure: true, ..Self::default() }
    }
}

impl From<IdError> for Refusal {
    fn from(error: IdError) -> Self {
        Self::new(Reason::InvalidSpec, error.to_string())
    }
}

fn missing(kind: &str, reference: &ObjectRef) -> Refusal {
    let message = format!(
        "{kind} {} does not exist in this namespace for this connection; create it or correct the reference",
        reference.name
    );
    Refusal::new(Reason::DependencyNotReady, message)
}
