//! A wanted thing against what stands.

use crate::api::Reason;
use crate::core::claim::{Claim, Content, Hidden, Membership, Thing, Wanted};
use crate::core::failure::{Failure, FailureKind};
use crate::core::fields::Difference;
use crate::core::ids::PoolId;
use crate::core::snapshot::{Listing, OptionValue, Snapshot};
use crate::core::visibility::{Sight, View};
use crate::core::write::Write;

/// What stands of a claim.
pub(super) enum Standing {
    /// Not shown; the sight says what that means.
    Absent(Sight),
    /// As wanted.
    Same,
    /// Otherwise.
    Different {
        /// The names of the fields that differ.
        fields: Vec<String>,
        /// What would make it as wanted; nothing where PVE cannot change it any more.
        writes: Vec<Write>,
    },
    /// It could not be read.
    Unread(Failure),
}

/// Compares without regard to content.
pub(super) fn presence(claim: &Claim, snapshot: &Snapshot, view: &View<'_>) -> Standing {
    let shown = match claim {
        Claim::Thing(thing) => snapshot.shows(thing),
        Claim::Member(Membership { group, user }) => match (&snapshot.users, &snapshot.groups) {
            (Ok(users), _) if users.contains_key(user) => Ok(snapshot.groups_of(user).contains(group)),
            (_, Ok(groups)) => Ok(groups.get(group).is_some_and(|group| group.members.contains(user))),
            (Ok(_), Err(_)) => Ok(false),
            (Err(failure), Err(_)) => Err(failure.clone()),
        },
        Claim::PoolMember(pool, item) => match members(pool, snapshot) {
            Some(members) => members.map(|members| members.contains(item)),
            None => return Standing::Absent(view.sight(&Thing::Pool(pool.clone()).into())),
        },
        Claim::Acl(key) => snapshot.acl.as_ref().map(|acl| acl.contains_key(key)).map_err(Clone::clone),
    };
    match shown {
        Ok(true) => Standing::Same,
        Ok(false) => Standing::Absent(view.sight(claim)),
        Err(failure) => Standing::Unread(failure),
    }
}

/// The members of a pool; `None` when the pool is not shown.
fn members<'a>(
    pool: &PoolId,
    snapshot: &'a Snapshot,
) -> Option<Listing<&'a std::collections::BTreeSet<crate::core::claim::PoolItem>>> {
    match &snapshot.pools {
        Err(failure) => Some(Err(failure.clone())),
        Ok(pools) => match &pools.get(pool)?.members {
            Some(members) => Some(members.as_ref().map_err(Clone::clone)),
            None => Some(Err(not_asked("the members", &Thing::Pool(pool.clone())))),
        },
    }
}

/// Compares a wanted claim with what stands; `due` is the hidden field, where it has to be written.
pub(super) fn compare(wanted: &Wanted, due: Option<&Hidden>, snapshot: &Snapshot, view: &View<'_>) -> Standing {
    match presence(&wanted.claim, snapshot, view) {
        Standing::Same => {}
        other => return other,
    }
    match (&wanted.claim, &wanted.content) {
        (Claim::Thing(thing), Content::Realm(content)) => {
            let realm = match thing {
                Thing::Realm(id) => snapshot.realms.as_ref().ok().and_then(|realms| realms.realms.get(id)),
                _ => None,
            };
            let Some(realm) = realm else { return Standing::Absent(Sight::Clear) };
            let options = match &realm.options {
                Some(Ok(options)) => options,
                Some(Err(failure)) => return Standing::Unread(failure.clone()),
                None => return Standing::Unread(not_asked("the options", thing)),
            };
            let mut difference = content.difference(realm, options);
            if let Some(Hidden { name, value, version: _ }) = due {
                difference.set.insert((*name).to_owned(), OptionValue::Secret(value.clone()));
            }
            if difference.is_empty() {
                return Standing::Same;
            }
            let fields = difference.fields();
            content.checked(&mut difference);
            if !difference.fixed.is_empty() {
                return Standing::Different { fields, writes: Vec::new() };
            }
            let digest = snapshot.realms.as_ref().ok().and_then(|realms| realms.digest.clone());
            let update = Write::Update { thing: thing.clone(), set: difference.set, unset: difference.unset, digest };
            Standing::Different { fields, writes: vec![update] }
        }
        (Claim::Thing(thing), Content::Fields(wishes)) => {
            let mut difference = wishes.difference(&snapshot.fields(thing).unwrap_or_default());
            if let (Thing::SyncJob(_), false) = (thing, difference.is_empty()) {
                if difference.set.contains_key("realm") {
                    return Standing::Different { fields: vec!["realm".to_owned()], writes: Vec::new() };
                }
                // Every change of a job must carry it (FACTS 77).
                let schedule = wishes.0.get("schedule").cloned().flatten();
                difference.set.extend(schedule.map(|schedule| ("schedule".to_owned(), schedule)));
            }
            changes(thing, difference, due)
        }
        (Claim::Acl(key), Content::Acl { propagate }) => {
            if snapshot.acl.as_ref().ok().and_then(|acl| acl.get(key)) == Some(propagate) {
                Standing::Same
            } else {
                // An entry is changed by granting it again; `order` makes the request.
                Standing::Different { fields: vec!["propagate".to_owned()], writes: Vec::new() }
            }
        }
        // Nothing of it is managed beyond that it stands.
        _ => Standing::Same,
    }
}

fn changes(thing: &Thing, difference: Difference, due: Option<&Hidden>) -> Standing {
    let (mut fields, mut writes) = (difference.names(), Vec::new());
    if !difference.is_empty() {
        let Difference { set, unset } = difference;
        writes.push(Write::Update { thing: thing.clone(), set, unset, digest: None });
    }
    if let (Some(Hidden { name, value, version: _ }), Thing::User(user)) = (due, thing) {
        fields.push((*name).to_owned());
        writes.push(Write::SetPassword { user: user.clone(), password: value.clone() });
    }
    if fields.is_empty() { Standing::Same } else { Standing::Different { fields, writes } }
}

/// The request that makes a named thing; members of sets are made in batches.
pub(super) fn creation(wanted: &Wanted) -> Option<Write> {
    let Wanted { claim, content, hidden, needs: _ } = wanted;
    let mut fields = content.for_create();
    fields.retain(|_, value| !matches!(value, OptionValue::Plain(text) if text.is_empty()));
    if let Content::Realm(realm) = content {
        fields.insert("type".to_owned(), OptionValue::Plain(realm.kind.to_owned()));
    }
    if let Some(Hidden { name, value, version: _ }) = hidden {
        fields.insert((*name).to_owned(), OptionValue::Secret(value.clone()));
    }
    claim.thing().map(|thing| Write::create(thing.clone(), fields))
}

fn not_asked(what: &str, thing: &Thing) -> Failure {
    Failure { kind: FailureKind::Other, message: format!("{what} of {thing} were not read in this pass") }
}

impl FailureKind {
    /// The reason that a status gives for it.
    pub fn reason(self) -> Reason {
        match self {
            Self::Authentication => Reason::AuthenticationFailed,
            Self::Certificate => Reason::CertificateMismatch,
            Self::Unreachable => Reason::APIUnavailable,
            Self::Lost | Self::Changed | Self::Gone => Reason::ProgressingWithRetry,
            Self::Forbidden => Reason::Forbidden,
            Self::MissingReference => Reason::DependencyNotReady,
            Self::AlreadyExists => Reason::AlreadyExists,
            Self::Invalid => Reason::InvalidSpec,
            Self::LockTimeout => Reason::LockTimeout,
            Self::NoQuorum => Reason::NoQuorum,
            Self::CheckFailed => Reason::ConnectionCheckFailed,
            Self::Other => Reason::UnexpectedAnswer,
        }
    }
}
