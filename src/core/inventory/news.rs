//! What is told of a change that came from nowhere.

use std::collections::BTreeSet;

use super::administrators::Administrators;
use crate::api::Reason;
use crate::core::claim::Claim;
use crate::core::ids::UserId;
use crate::core::object::Refusal;

/// How many are named at once.
const NAMED: usize = 5;

/// What appeared and no object answers for.
pub(super) fn unmanaged(appeared: &[Claim]) -> Option<Refusal> {
    if appeared.is_empty() {
        return None;
    }
    let names = first(appeared.iter().map(Claim::to_string));
    let message = format!(
        "new in Proxmox VE, and no object claims it: {names}; make an object for what is meant to stay, and remove the rest \
         there"
    );
    Some(Refusal::new(Reason::UnmanagedAppeared, message))
}

/// Who has become administrator.
pub(super) fn appeared(before: &Administrators, now: &Administrators) -> Option<Refusal> {
    let known: BTreeSet<&str> = before.names().map(|(name, _)| name).collect();
    let new: Vec<(&str, bool)> = now.names().filter(|(name, _)| !known.contains(name)).collect();
    if new.is_empty() {
        return None;
    }
    let how = |(name, by_claim): &(&str, bool)| match by_claim {
        true => format!("{name}, as objects say"),
        false => format!("{name}, by what no object claims"),
    };
    let message = format!(
        "may grant everything now (Permissions.Modify on /): {}; if that is not meant, remove the entry on / or the \
         membership that gives it",
        first(new.iter().map(how))
    );
    Some(Refusal::new(Reason::AdministratorAppeared, message))
}

/// That nobody is left to put things right. Neither `root@pam` counts nor the operator's own user.
pub(super) fn last_gone(before: &Administrators, now: &Administrators, own: &UserId) -> Option<Refusal> {
    let people = |of: &Administrators| of.users.keys().filter(|user| *user != own).cloned().collect::<Vec<_>>();
    let (were, are) = (people(before), people(now));
    if were.is_empty() || !are.is_empty() {
        return None;
    }
    let but = if own.is_root() { own.to_string() } else { format!("{} and {own}", UserId::ROOT) };
    let message = format!(
        "nobody but {but} may grant everything any more (Permissions.Modify on /); before it was {}. If that is not meant, \
         give somebody Administrator on / again",
        first(were.iter().map(ToString::to_string))
    );
    Some(Refusal::new(Reason::LastAdministratorGone, message))
}

/// The first few of many.
fn first(names: impl ExactSizeIterator<Item = String>) -> String {
    let rest = names.len().saturating_sub(NAMED);
    let few = names.take(NAMED).collect::<Vec<_>>().join("; ");
    if rest > 0 { format!("{few}; and {rest} more") } else { few }
}
