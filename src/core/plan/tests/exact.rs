//! Sets that an object owns exactly: nobody else fills them, and nobody is put out of them on a guess.

use std::collections::BTreeMap;

use super::deprovisioning::{pve, realm};
use super::fixtures::*;
use crate::api::openid::OnRemoval;
use crate::core::claim::{Origin, Scope};
use crate::core::ids::{AclPath, GroupId, RealmId, UserId};
use crate::core::object::Mode;
use crate::core::plan::*;
use crate::core::roster::{Newcomer, Provision};
use crate::core::snapshot::{Listing, OptionValue, Realm, RealmOptions};

/// Otherwise one would put them in and the other would put them out, for ever.
#[test]
fn a_realm_puts_nobody_into_a_group_whose_members_another_object_owns_exactly() {
    let newcomer = Newcomer {
        user: UserId::observed("alice@oid"),
        fields: BTreeMap::new(),
        groups: [GroupId::observed("team-oid")].into(),
    };
    let mut source = realm(OnRemoval::Report, "alice");
    let roster = source.roster.as_mut().expect("a realm with a source");
    roster.provision = Some(Provision { people: vec![newcomer], overwrite: false });
    let exact = [Scope::Members(GroupId::observed("team-oid"))].into();
    let owner = Object { exact, ..object("group", [group("team-oid")]) };
    for (mode, joins) in [(Mode::Manage, false), (Mode::Observe, true)] {
        let mut snapshot = with(pve(&[]), [group("team-oid")]);
        let mut objects = [source.clone(), Object { mode, ..owner.clone() }];
        settle(&mut objects, &mut snapshot);
        assert!(stands(&snapshot).contains(&user("alice@oid")), "{mode:?}");
        assert_eq!(stands(&snapshot).contains(&member("team-oid", "alice@oid")), joins, "{mode:?}");
    }
}

/// A realm, and what is known of whether it fills its groups itself.
struct Known {
    what: &'static str,
    kind: &'static str,
    group: &'static str,
    options: Listing<RealmOptions>,
    jobs_unread: bool,
    stays: bool,
}

#[test]
fn nobody_is_put_out_while_it_is_not_known_whether_the_realm_puts_them_in() {
    let known = |what, kind, group, options, stays| Known { what, kind, group, options, jobs_unread: false, stays };
    let none = || Ok(RealmOptions::new());
    let on = |name: &str, value: &str| Ok([(name.to_owned(), OptionValue::Plain(value.to_owned()))].into());
    let cases = [
        known("a login does", "openid", "team", on("groups-overwrite", "1"), true),
        known("a login does not", "openid", "team", none(), false),
        known("the options of the realm could not be read", "openid", "team", unread(), true),
        Known {
            jobs_unread: true,
            ..known("no job is asked for of a realm of logins", "openid", "team", none(), false)
        },
        known("a sync does", "ldap", "team-corp", on("sync-defaults-options", "scope=both"), true),
        known("a sync does not", "ldap", "team-corp", none(), false),
        known("the options of the directory could not be read", "ldap", "team-corp", unread(), true),
        Known { jobs_unread: true, ..known("its jobs could not be read", "ldap", "team-corp", none(), true) },
        Known { jobs_unread: true, ..known("those of a domain either", "ad", "team-corp", none(), true) },
        Known { jobs_unread: true, ..known("no sync is about such a group", "ldap", "team", unread(), false) },
    ];
    for Known { what, kind, group: id, options, jobs_unread, stays } in cases {
        let exact = [Scope::Members(GroupId::observed(id))].into();
        let objects = [Object { exact, ..object("group", [group(id)]) }];
        let mut snapshot = with(empty(), [member(id, "alice@corp")]);
        let directory = Realm { kind: kind.to_owned(), default: false, options: Some(options) };
        snapshot.realms.as_mut().expect("read").realms.insert(RealmId::observed("corp"), directory);
        snapshot.jobs = jobs_unread.then(unread);
        let plan = one(&objects, &snapshot);
        assert_eq!(plan.steps.is_empty(), stays, "{what}: {:?}", plan.steps);
        let state = plan.verdicts[0].claims.get(&member(id, "alice@corp"));
        let told = matches!(state, Some(ClaimState::Refused(_) | ClaimState::Failed(_)));
        assert_eq!(told, stays, "{what}: {state:?}");
    }
}

#[test]
fn an_entry_that_waits_for_its_replacement_stays_also_where_another_object_owns_the_path_exactly() {
    let (old, beside) = (entry("/vms", "A", "g"), entry("/vms", "B", "h"));
    let ledger = [held(old.clone(), Origin::Created)].into();
    // The role that it wants in its place does not exist.
    let waiting = Object { ledger, ..object("waiting", [entry("/vms", "Missing", "g")]) };
    let exact = || [Scope::Entries(AclPath::observed("/vms"))].into();
    let both = [Object { exact: exact(), ..waiting.clone() }, waiting];
    let other = Object { exact: exact(), ..object("other", [beside.clone()]) };
    let snapshot = with(empty(), [group("g"), group("h"), old, beside]);
    for waiting in both {
        let objects = [waiting, other.clone()];
        let plan = one(&objects, &snapshot);
        assert!(plan.steps.is_empty(), "{:?}", plan.steps);
        assert_eq!(plan.verdicts[0].ledger, objects[0].ledger, "it stays in the object's hands");
    }
}
