//! What stands in Proxmox VE and no object answers for, and who is administrator there: so that a change made by hand is
//! seen also where nothing owns it.
//!
//! 1. [`stock`]: what stands, list by list, and what of it an object answers for;
//! 2. [`administrators`]: who may grant everything, and who of them by an object's leave;
//! 3. [`recall`]: what of both is new since the pass before;
//! 4. [`news`]: what is told of that.

mod administrators;
mod news;
mod recall;
mod stock;
#[cfg(test)]
mod tests;

pub use administrators::Administrators;
pub use recall::{Account, Recall, Unmanaged};
pub use stock::Kind;

use crate::core::claim::Claim;
use crate::core::object::Object;
use crate::core::snapshot::Snapshot;
use crate::core::visibility::View;

use stock::{Answered, Stock};

/// All that an inventory is taken from.
pub struct Input<'a> {
    /// The objects of the connection.
    pub objects: &'a [Object],
    /// What PVE shows.
    pub snapshot: &'a Snapshot,
    /// How much of it is seen.
    pub view: &'a View<'a>,
    /// Seconds since 1970.
    pub now: i64,
}

/// What stands and who is administrator, as far as it is seen in full.
struct Inventory {
    stock: Stock,
    administrators: Option<Administrators>,
}

impl Inventory {
    fn take(input: &Input<'_>) -> Self {
        let answered = Answered::by(input.objects);
        let administrators = Administrators::of(input, &answered);
        Self { stock: stock::take(input, &answered), administrators }
    }
}

/// The name of a claim in a status, where its kind is said beside it.
fn name(claim: &Claim) -> String {
    match claim {
        Claim::Thing(thing) => thing.id().to_owned(),
        Claim::Acl(key) => key.to_string(),
        Claim::Member(_) | Claim::PoolMember(..) => claim.to_string(),
    }
}
