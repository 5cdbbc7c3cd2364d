//! Whatever is wanted and whatever stands, planning then applying ends where it should.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::super::*;
use super::fixtures::*;
use super::model::Model;
use crate::api::membership::MembershipPolicy;
use crate::core::object::ObjectKey;
use crate::core::pocket_id::ids::{ClientId, GroupId};

const GROUPS: [&str; 3] = ["g1", "g2", "g3"];
const CLIENTS: [&str; 2] = ["c1", "c2"];

fn some_of(names: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(names, 0..=names.len())
}

fn any_adoption() -> impl Strategy<Value = Adoption> {
    prop::sample::select(vec![Adoption::IfIdentical, Adoption::Never, Adoption::Always])
}

fn any_policy() -> impl Strategy<Value = MembershipPolicy> {
    prop::sample::select(vec![MembershipPolicy::Additive, MembershipPolicy::Exact])
}

fn any_group() -> impl Strategy<Value = Object> {
    let shown = prop::option::of(prop::sample::select(vec!["By hand", "From Git"]));
    let members = some_of(&["alice", "bob", "zoe"]);
    (prop::sample::select(&GROUPS), members, any_policy(), shown).prop_map(|(name, members, policy, shown)| {
        group(name, &members).with(|it| {
            it.policy = policy;
            it.friendly_name = shown.map(str::to_owned);
        })
    })
}

fn any_client() -> impl Strategy<Value = Object> {
    (prop::sample::select(&CLIENTS), some_of(&["g1", "g2", "later"]), any::<bool>())
        .prop_map(|(id, allowed, pkce)| client(id, &allowed).with_client(|it| it.pkce = pkce))
}

fn any_object() -> impl Strategy<Value = Object> {
    let mode = prop::sample::select(vec![Mode::Manage, Mode::Manage, Mode::Manage, Mode::Observe, Mode::Suspended]);
    let deletion = prop::option::of(prop::sample::select(vec![Deletion::Delete, Deletion::Orphan]));
    let object = prop_oneof![any_group(), any_client()];
    (object, any_adoption(), mode, deletion).prop_map(|(object, adoption, mode, deletion)| Object {
        adoption,
        mode,
        deletion,
        ..object
    })
}

/// What stands before us: groups with members, and clients that let some in.
fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let groups = prop::collection::btree_map(prop::sample::select(&GROUPS), some_of(&["alice", "bob", "carol"]), 0..3);
    let clients =
        prop::collection::btree_map(prop::sample::select(&CLIENTS), (some_of(&["g1", "g2"]), any::<bool>()), 0..2);
    (groups, clients).prop_map(|(groups, clients)| {
        let snapshot = groups.into_iter().fold(empty(), |it, (name, members)| with_group(it, name, &members));
        clients.into_iter().fold(snapshot, |it, (id, (allowed, restricted))| {
            let stand: Vec<&str> =
                allowed.into_iter().filter(|name| it.groups.contains_key(&GroupId::observed(name))).collect();
            let allowed = if restricted { stand } else { Vec::new() };
            with_client(it, id, json!({"isGroupRestricted": restricted, "description": "theirs"}), &allowed)
        })
    })
}

fn named(objects: Vec<Object>) -> Vec<Object> {
    let named = objects
        .into_iter()
        .enumerate()
        .map(|(index, object)| Object { key: ObjectKey { name: format!("o{index}"), ..object.key.clone() }, ..object });
    named.collect()
}

/// A group as it is named and filled, or a client with whom it lets in.
type Thing = (Claim, String);

fn things(snapshot: &Snapshot) -> BTreeMap<Claim, Thing> {
    let group = |(id, group): (&GroupId, &crate::core::pocket_id::snapshot::Group)| {
        let said = format!("{id} {group:?} {:?}", snapshot.members(id));
        (group_claim(&group.name), (group_claim(&group.name), said))
    };
    let client = |(id, client): (&ClientId, &crate::core::pocket_id::snapshot::Client)| {
        let claim = Claim::Client(id.clone());
        (claim.clone(), (claim, format!("{client:?}")))
    };
    snapshot.groups.iter().map(group).chain(snapshot.clients.iter().map(client)).collect()
}

/// Whether it stands as the object wants it.
fn stands(snapshot: &Snapshot, wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Group(wanted) => snapshot.group_named(&wanted.name).is_some_and(|(id, group)| {
            let there = snapshot.members(id).expect("users");
            let members: Vec<&str> = wanted.members.iter().map(String::as_str).filter(|name| *name != "zoe").collect();
            let named = users(&members);
            wanted.friendly_name.as_ref().is_none_or(|shown| *shown == group.friendly_name)
                && named.is_subset(&there)
                && (wanted.policy != MembershipPolicy::Exact || there == named)
        }),
        Wanted::Client(wanted) => snapshot.clients.get(&wanted.id).is_some_and(|client| {
            let exist = wanted.allowed.iter().filter_map(|name| snapshot.group_named(name));
            let exist = exist.map(|(id, _)| id.clone()).collect();
            client.allowed.as_ref() == Some(&exist)
                && client.fields["isGroupRestricted"] == true
                && client.fields["pkceEnabled"] == wanted.pkce
        }),
    }
}

/// The things that the objects may write, in all that they want or hold.
fn claimed(objects: &[Object]) -> BTreeSet<Claim> {
    let wanted = objects.iter().filter(|it| it.mode == Mode::Manage).flat_map(|it| &it.wanted).map(Wanted::claim);
    wanted.chain(objects.iter().flat_map(|it| it.ledger.keys().cloned())).collect()
}

proptest! {
    #[test]
    fn it_ends_as_wanted_touches_nothing_else_and_then_rests(
        before in any_snapshot(),
        first in prop::collection::vec(any_object(), 1..5),
        deleted in prop::collection::vec(any::<bool>(), 5),
        second in prop::collection::vec(any_object(), 5),
        by_hand in any_snapshot(),
    ) {
        let mut model = Model::new(before.clone());
        let mut objects = named(first);
        let mut touchable = claimed(&objects);
        model.settle(&mut objects);
        check(&objects, &model.snapshot)?;
        untouched(&before, &model.snapshot, &touchable)?;
        // Somebody changes what stands: members, and who may sign in.
        for (user, there) in model.snapshot.users.iter_mut().flatten() {
            let standing: BTreeSet<GroupId> = model.snapshot.groups.keys().cloned().collect();
            let other = by_hand.users.as_ref().and_then(|users| users.get(user)).expect("a user");
            there.groups = other.groups.intersection(&standing).cloned().collect();
        }
        for (id, client) in &mut model.snapshot.clients {
            if let Some(other) = by_hand.clients.get(id) {
                client.fields.extend(other.fields.clone());
            }
        }
        // Specs change as far as they may, and some objects are deleted.
        for (index, object) in objects.iter_mut().enumerate() {
            let next = &second[index];
            match (&mut object.wanted, &next.wanted) {
                (Some(Wanted::Group(it)), Some(Wanted::Group(next))) => {
                    (it.members, it.policy, it.friendly_name) = (next.members.clone(), next.policy, next.friendly_name.clone());
                }
                (Some(Wanted::Client(it)), Some(Wanted::Client(next))) => it.allowed.clone_from(&next.allowed),
                _ => {}
            }
            if deleted[index] {
                (object.mode, object.wanted, object.secret) = (Mode::Deleting, None, None);
            }
        }
        let middle = model.snapshot.clone();
        touchable = claimed(&objects);
        model.settle(&mut objects);
        check(&objects, &model.snapshot)?;
        untouched(&middle, &model.snapshot, &touchable)?;
        let plan = planned(&objects, &model.snapshot);
        prop_assert!(plan.steps.is_empty() && !plan.handing_over, "{:?}", plan.steps);
        // Nothing that we made outlives the last object for it, and nobody's secret is left over.
        let held: BTreeSet<Claim> = objects.iter().flat_map(|it| it.ledger.keys().cloned()).collect();
        for (claim, _) in things(&model.snapshot) {
            let theirs = things(&before).contains_key(&claim) || things(&middle).contains_key(&claim);
            prop_assert!(theirs || held.contains(&claim), "{claim} is nobody's");
        }
        for (object, verdict) in objects.iter().zip(&plan.verdicts) {
            let (Some(secret), [Claim::Client(id)]) = (&object.secret, &verdict.ledger.keys().cloned().collect::<Vec<_>>()[..])
            else { continue };
            let listed = model.snapshot.clients[id].secrets.clone().expect("a list");
            let known: BTreeSet<_> = secret.others.iter().chain(&secret.current).cloned().collect();
            prop_assert!(listed.is_subset(&known), "{listed:?} {known:?}");
        }
    }
}

/// What has settled is as it says.
fn check(objects: &[Object], snapshot: &Snapshot) -> Result<(), TestCaseError> {
    let plan = planned(objects, snapshot);
    for (object, verdict) in objects.iter().zip(&plan.verdicts) {
        for (claim, state) in &verdict.claims {
            match state {
                ClaimState::Standing => {
                    let fits = object.wanted.as_ref().is_none_or(|wanted| stands(snapshot, wanted));
                    prop_assert!(fits, "{claim} is said to stand: {object:?} {snapshot:?}");
                }
                ClaimState::Refused(_) | ClaimState::Differs(_) => {}
                ClaimState::Planned(_) | ClaimState::Failed(_) | ClaimState::Surplus => {
                    prop_assert!(false, "{claim}: {state:?}");
                }
            }
        }
    }
    Ok(())
}

/// All that no object claims is as it was.
fn untouched(before: &Snapshot, after: &Snapshot, touchable: &BTreeSet<Claim>) -> Result<(), TestCaseError> {
    let after = things(after);
    for (claim, thing) in things(before).into_iter().filter(|(claim, _)| !touchable.contains(claim)) {
        // A group that we delete is taken off the lists of all clients by Pocket ID itself.
        if matches!(claim, Claim::Group(_)) {
            prop_assert_eq!(after.get(&claim), Some(&thing));
        } else {
            prop_assert!(after.contains_key(&claim));
        }
    }
    Ok(())
}
