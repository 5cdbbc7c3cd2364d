//! Entries whose subject is gone: PVE keeps them, gives them to whoever comes back by that name, and lets nobody remove
//! them while there is none (FACTS 52). A user that may not log in, or an empty group, is made and deleted for them: PVE
//! drops its entries with it.

use std::collections::BTreeSet;

use crate::core::claim::{Claim, Entry, Origin, Progress, Thing};
use crate::core::fields::Fields;
use crate::core::ids::{AclKey, Subject};
use crate::core::object::Object;
use crate::core::plan::order::Act;
use crate::core::plan::order::Operation;
use crate::core::plan::{Draft, Purpose};
use crate::core::snapshot::{OptionValue, Snapshot};
use crate::core::visibility::{Sight, View};
use crate::core::write::Write;

/// By this a thing that was made only to be deleted is known, should the operator be killed in between.
const MARK: &str = "made by proxmox-identity to remove entries of what is gone";

/// The user or group whose absence leaves an entry dangling.
pub fn dangles(key: &AclKey, snapshot: &Snapshot, view: &View<'_>) -> Option<Thing> {
    let thing = grave(key);
    let own = matches!(&thing, Thing::User(user) if *user == snapshot.credential.user() || user.is_root());
    let gone = snapshot.shows(&thing) == Ok(false) && view.sight(&thing.clone().into()) == Sight::Clear;
    (gone && !own).then_some(thing)
}

/// What entries for this subject go with.
pub(super) fn grave(key: &AclKey) -> Thing {
    match &key.subject {
        Subject::Group(group) => Thing::Group(group.clone()),
        Subject::User(user) => Thing::User(user.clone()),
        Subject::Token(token) => Thing::User(token.user()),
    }
}

/// Plans to make and delete what the entry goes with; all entries of one subject go together.
pub(super) fn bury(draft: &mut Draft, thing: &Thing, key: &AclKey, owner: usize) {
    let claim = Claim::Thing(thing.clone());
    // Stored before anything is made, so that whatever a crash leaves is deleted.
    let intended = Entry { origin: Origin::Created, progress: Progress::Intended };
    draft.verdicts[owner].ledger.entry(claim.clone()).or_insert(intended);
    let at = draft.operations.iter().position(|operation| operation.claim == claim).unwrap_or_else(|| {
        draft.operations.push(Operation {
            act: Act::Write(vec![create(thing), Write::Delete { thing: thing.clone() }]),
            claim: claim.clone(),
            owners: Vec::new(),
            after: BTreeSet::new(),
            purpose: Purpose::Remove,
            hidden: None,
            issue: None,
        });
        draft.operations.len() - 1
    });
    let operation = &mut draft.operations[at];
    if !operation.owners.contains(&owner) {
        operation.owners.push(owner);
    }
    if let (Subject::Token(token), Act::Write(writes)) = (&key.subject, &mut operation.act) {
        let token = Write::create(Thing::Token(token.clone()), Fields::new());
        if !writes.contains(&token) {
            writes.insert(1, token);
        }
    }
}

fn create(thing: &Thing) -> Write {
    let text = |value: &str| OptionValue::Plain(value.to_owned());
    let mut fields = Fields::from([("comment".to_owned(), text(MARK))]);
    if matches!(thing, Thing::User(_)) {
        fields.insert("enable".to_owned(), text("0"));
    }
    Write::create(thing.clone(), fields)
}

/// True for a thing that an ACL object is said to have made, and that is none of those that are made to be deleted:
/// somebody came back by that name meanwhile.
pub(super) fn is_somebody(thing: &Thing, object: &Object, snapshot: &Snapshot) -> bool {
    let is_acl = object.key.kind == "ProxmoxAcl";
    let marked =
        snapshot.fields(thing).is_some_and(|fields| fields.get("comment").is_some_and(|it| it.expose() == MARK));
    is_acl && !marked
}
