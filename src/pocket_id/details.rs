//! Which groups each client lets in. No list says it, and a call for each client in each pass would use up the rate
//! limit of older versions (FACTS 7): what was read is remembered until there is a reason to doubt it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::core::pocket_id::ids::{ClientId, GroupId};

/// A client's fields in the list.
pub(crate) type Fields = Map<String, Value>;

/// What was read of single clients in earlier passes, to be kept from pass to pass with one
/// [`Client`](super::client::Client).
#[derive(Debug, Default)]
pub struct Details {
    pass: u64,
    clients: BTreeMap<ClientId, Detail>,
}

#[derive(Debug)]
struct Detail {
    /// What the list said then.
    fields: Fields,
    allowed: BTreeSet<GroupId>,
    /// In which pass that was.
    read: u64,
}

impl Details {
    /// Begins a pass, and forgets each client that is not what the list says now, or was written meanwhile.
    pub(crate) fn begin(&mut self, listed: &BTreeMap<ClientId, Fields>, written: &BTreeSet<ClientId>) {
        self.pass += 1;
        self.clients.retain(|id, detail| listed.get(id) == Some(&detail.fields) && !written.contains(id));
    }

    /// The clients to be read: those that must be known and are not, and so many others, the unknown and the longest
    /// known first. So each comes round, and what changes without a trace in the list is seen.
    pub(crate) fn due(
        &self,
        listed: &BTreeMap<ClientId, Fields>,
        needed: &BTreeSet<ClientId>,
        others: usize,
    ) -> Vec<ClientId> {
        let is_urgent = |id: &ClientId| needed.contains(id) && !self.clients.contains_key(id);
        let (mut due, mut rest): (Vec<_>, Vec<_>) = listed.keys().cloned().partition(is_urgent);
        rest.sort_by_key(|id| self.clients.get(id).map(|detail| detail.read));
        due.extend(rest.into_iter().take(others));
        due
    }

    /// Remembers what was read of a client.
    pub(crate) fn learn(&mut self, id: ClientId, fields: Fields, allowed: BTreeSet<GroupId>) {
        self.clients.insert(id, Detail { fields, allowed, read: self.pass });
    }

    /// The groups that a client lets in, if they are known.
    pub(crate) fn allowed(&self, id: &ClientId) -> Option<&BTreeSet<GroupId>> {
        self.clients.get(id).map(|detail| &detail.allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[&str]) -> BTreeMap<ClientId, Fields> {
        names.iter().map(|name| (ClientId::observed(name), Fields::new())).collect()
    }

    fn ids(names: &[&str]) -> BTreeSet<ClientId> {
        names.iter().map(|name| ClientId::observed(name)).collect()
    }

    /// One pass in which all that is due is read.
    fn pass(details: &mut Details, listed: &BTreeMap<ClientId, Fields>, needed: &[&str], others: usize) -> String {
        let due = details.due(listed, &ids(needed), others);
        for id in &due {
            details.learn(id.clone(), listed[id].clone(), BTreeSet::new());
        }
        due.iter().map(ClientId::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_needed_and_unknown_comes_first_and_the_others_come_round() {
        let listed = listed(&["a", "b", "c", "d", "e"]);
        let mut details = Details::default();
        let mut passes = Vec::new();
        for _ in 0..5 {
            details.begin(&listed, &ids(&[]));
            passes.push(pass(&mut details, &listed, &["d", "e"], 2));
        }
        assert_eq!(passes, ["d e a b", "c a", "b d", "e a", "c b"]);
    }

    #[test]
    fn without_room_only_what_is_needed_and_unknown_is_read() {
        let listed = listed(&["a", "b"]);
        let mut details = Details::default();
        for due in ["b", ""] {
            details.begin(&listed, &ids(&[]));
            assert_eq!(pass(&mut details, &listed, &["b"], 0), due);
        }
    }

    #[test]
    fn a_client_that_was_changed_written_or_deleted_is_not_known_any_more() {
        let before = listed(&["changed", "written", "deleted", "same"]);
        let mut details = Details::default();
        details.begin(&before, &ids(&[]));
        pass(&mut details, &before, &[], 4);
        let mut after = listed(&["changed", "written", "same"]);
        let fields = after.get_mut(&ClientId::observed("changed")).expect("a client");
        fields.insert("allowedUserGroupsCount".to_owned(), 1.into());
        details.begin(&after, &ids(&["written"]));
        let known: Vec<_> = before.keys().filter(|id| details.allowed(id).is_some()).map(ClientId::as_str).collect();
        assert_eq!(known, ["same"]);
    }
}
