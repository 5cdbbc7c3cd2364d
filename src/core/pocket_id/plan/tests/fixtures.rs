//! What the tests of the plan are made of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::*;
use crate::api::membership::MembershipPolicy;
use crate::api::object::System;
use crate::api::status::SecretState;
use crate::core::failure::Failure;
use crate::core::object::ObjectKey;
use crate::core::pocket_id::claim::Ledger;
use crate::core::pocket_id::ids::{ClientId, GroupId, SecretId, UserId};
use crate::core::pocket_id::object::{WantedClient, WantedGroup};
use crate::core::pocket_id::secret::{ClientSecret, OVERLAP};
use crate::core::pocket_id::snapshot::{Client, Group, User};
use crate::core::pocket_id::version::PocketIdVersion;
use crate::core::token::{Issued, Kept, Token, Wish};

pub const NOW: i64 = 1_000_000;

/// Pocket ID without groups and clients, of a version with several secrets, where alice, bob and carol can sign in.
pub fn empty() -> Snapshot {
    let user = |name: &str| User {
        name: name.to_owned(),
        email: None,
        first_name: String::new(),
        last_name: String::new(),
        disabled: false,
        groups: BTreeSet::new(),
    };
    Snapshot {
        version: PocketIdVersion::observed("2.14.0"),
        groups: BTreeMap::new(),
        users: Some(["alice", "bob", "carol"].map(|name| (UserId::observed(name), user(name))).into()),
        clients: BTreeMap::new(),
    }
}

/// A group that stands, whose id is its name; with its members.
pub fn with_group(mut snapshot: Snapshot, name: &str, members: &[&str]) -> Snapshot {
    let group = Group {
        name: name.to_owned(),
        friendly_name: "By hand".to_owned(),
        claims: BTreeMap::new(),
        from_directory: false,
    };
    let id = GroupId::observed(name);
    for (user, it) in snapshot.users.iter_mut().flatten() {
        if members.contains(&user.as_str()) {
            it.groups.insert(id.clone());
        }
    }
    snapshot.groups.insert(id, group);
    snapshot
}

/// A client that stands and is as [`client`] wants it, with more fields and the groups that it lets in.
pub fn with_client(mut snapshot: Snapshot, id: &str, more: Value, allowed: &[&str]) -> Snapshot {
    let mut fields = Map::from_iter([
        ("id".to_owned(), json!(id)),
        ("name".to_owned(), json!("By hand")),
        ("callbackURLs".to_owned(), json!(["https://pve.example.com:8006"])),
        ("pkceEnabled".to_owned(), json!(true)),
        ("isGroupRestricted".to_owned(), json!(true)),
        ("isPublic".to_owned(), json!(false)),
    ]);
    let Value::Object(more) = more else { unreachable!("fields are an object") };
    fields.extend(more);
    let allowed = Some(groups(allowed));
    snapshot.clients.insert(ClientId::observed(id), Client { fields, allowed, secrets: Some(BTreeSet::new()) });
    snapshot
}

pub fn groups(names: &[&str]) -> BTreeSet<GroupId> {
    names.iter().map(|name| GroupId::observed(name)).collect()
}

pub fn users(names: &[&str]) -> BTreeSet<UserId> {
    names.iter().map(|name| UserId::observed(name)).collect()
}

pub fn secrets(names: &[&str]) -> BTreeSet<SecretId> {
    names.iter().map(|name| SecretId::observed(name)).collect()
}

pub fn group_claim(name: &str) -> Claim {
    Claim::Group(name.to_owned())
}

pub fn client_claim(id: &str) -> Claim {
    Claim::Client(ClientId::observed(id))
}

pub fn member_claim(group: &str, user: &str) -> Claim {
    Claim::Member { group: group.to_owned(), user: user.to_owned() }
}

pub const CREATED: Entry = Entry { origin: Origin::Created, progress: Progress::Applied };
pub const ADOPTED: Entry = Entry { origin: Origin::Adopted, progress: Progress::Applied };
pub const INTENDED: Entry = Entry { origin: Origin::Created, progress: Progress::Intended };

fn object(kind: &'static str, name: &str, wanted: Wanted) -> Object {
    Object {
        key: ObjectKey { kind, namespace: "default".to_owned(), name: name.to_owned() },
        created: 0,
        settled: false,
        mode: Mode::Manage,
        adoption: Adoption::IfIdentical,
        deletion: None,
        ledger: Ledger::new(),
        known: None,
        wanted: Some(wanted),
        refusals: Vec::new(),
        secret: None,
        logo: None,
        users: Vec::new(),
    }
}

/// An object for the group of its name, with members; all else is not managed.
pub fn group(name: &str, members: &[&str]) -> Object {
    let wanted = WantedGroup {
        name: name.to_owned(),
        friendly_name: None,
        claims: None,
        members: members.iter().map(|name| (*name).to_owned()).collect(),
        policy: MembershipPolicy::Additive,
    };
    object("PocketIdGroup", name, Wanted::Group(wanted))
}

/// An object for the client of its name that lets groups in.
pub fn client(name: &str, allowed: &[&str]) -> Object {
    let wanted = WantedClient {
        id: ClientId::observed(name),
        display_name: None,
        callbacks: vec!["https://pve.example.com:8006".to_owned()],
        pkce: true,
        open: false,
        allowed: allowed.iter().map(|name| (*name).to_owned()).collect(),
        logo: None,
    };
    Object { secret: Some(secret()), ..object("PocketIdClient", name, Wanted::Client(wanted)) }
}

/// A client's secret that was never asked for.
pub fn secret() -> ClientSecret {
    let (secret_name, system) = ("s".to_owned(), System::PocketId);
    let wish = Wish { lifetime: None, replace_after: None, rotate_lost: false, requested: None, secret_name, system };
    let token = Token { wish, issued: None, kept: Kept::Absent, in_hand: false, now: NOW };
    ClientSecret {
        token,
        others: BTreeSet::new(),
        retiring: false,
        current: None,
        realms_have_it: None,
        overlap: OVERLAP,
    }
}

/// An object of another name.
pub fn by(name: &str, object: Object) -> Object {
    Object { key: ObjectKey { name: name.to_owned(), ..object.key.clone() }, ..object }
}

impl Object {
    /// With what its ledger says.
    pub(super) fn holding(mut self, claims: &[(Claim, Entry)]) -> Self {
        self.ledger.extend(claims.iter().cloned());
        self
    }

    /// On its way out.
    pub(super) fn deleted(self) -> Self {
        Self { mode: Mode::Deleting, wanted: None, secret: None, ..self }
    }

    /// With other wishes for its group.
    pub(super) fn with(mut self, change: impl FnOnce(&mut WantedGroup)) -> Self {
        if let Some(Wanted::Group(group)) = &mut self.wanted {
            change(group);
        }
        self
    }

    /// With other wishes for its client.
    pub(super) fn with_client(mut self, change: impl FnOnce(&mut WantedClient)) -> Self {
        if let Some(Wanted::Client(client)) = &mut self.wanted {
            change(client);
        }
        self
    }
}

pub fn planned(objects: &[Object], snapshot: &Snapshot) -> Plan {
    plan(&Input { objects, snapshot, failures: &BTreeMap::new(), now: 0 })
}

/// The plan after a step for a claim has failed, and before that is tried again or when it is.
pub fn after_failure(objects: &[Object], snapshot: &Snapshot, claim: &Claim, kind: FailureKind, now: u64) -> Plan {
    let failure = Failure { kind, message: "it failed".to_owned() };
    let failed = FailedClaim { failure, retry_at: 1000, tries: 1, hidden: None };
    plan(&Input { objects, snapshot, failures: &BTreeMap::from([(claim.clone(), failed)]), now })
}

pub fn writes(plan: &Plan) -> Vec<&Write> {
    plan.steps.iter().map(|step| &step.write).collect()
}

/// Why a claim of an object is refused.
pub fn refused(plan: &Plan, index: usize) -> Option<Reason> {
    plan.verdicts[index].claims.values().find_map(|state| match state {
        ClaimState::Refused(refusal) => Some(refusal.reason),
        _ => None,
    })
}

/// A secret that was asked for a minute ago.
pub fn issued(state: SecretState, issue: i64) -> Issued {
    Issued { state, issue, at: Some(NOW - 60), handled: None, restoring: Vec::new() }
}

/// A client of ours with this secret, and Pocket ID in which it stands with these secrets; before 2.14 with none.
pub fn standing(entry: Entry, secret: ClientSecret, listed: Option<&[&str]>) -> (Object, Snapshot) {
    let mut snapshot = with_client(empty(), "pve", json!({}), &[]);
    snapshot.clients.get_mut(&ClientId::observed("pve")).expect("a client").secrets = listed.map(secrets);
    (Object { secret: Some(secret), ..client("pve", &[]).holding(&[(client_claim("pve"), entry)]) }, snapshot)
}

/// The number of the secret that is asked for.
pub fn asked(plan: &Plan) -> Option<i64> {
    plan.steps.iter().find(|step| matches!(step.write, Write::IssueSecret(_))).map(|step| step.issue.expect("a number"))
}

/// The former secrets that end.
pub fn retired(plan: &Plan) -> Vec<&str> {
    let retired = plan.steps.iter().filter_map(|step| match &step.write {
        Write::RetireSecret { secret, .. } => Some(secret.as_str()),
        _ => None,
    });
    retired.collect()
}
