//! A credential that is as good as `root@pam` and need not be.

use crate::api::Reason;
use crate::core::ids::AclPath;
use crate::core::needs::{self, Need};
use crate::core::object::{Mode, Object};
use crate::core::snapshot::Snapshot;
use crate::core::visibility::View;

/// Each of these alone is enough to get everything: to grant it to oneself, to make a full token of `root@pam` (FACTS
/// 43), to put privileges into a role that one has (FACTS 50), or to sign in as anybody through a realm of one's own.
const ROOT_EQUIVALENT: [(&str, &str); 4] = [
    ("Permissions.Modify", "/"),
    ("User.Modify", "/access/groups"),
    ("Sys.Modify", "/access"),
    ("Realm.Allocate", "/access/realm"),
];

/// What the credential certainly holds of these and no object needs there or below. `None` while that cannot be told:
/// an object may not have said all that it wants. Without any object there is nothing to compare.
pub fn unneeded(objects: &[Object], view: &View<'_>) -> Option<Vec<Need>> {
    if objects.is_empty() {
        return Some(Vec::new());
    }
    let writes = |object: &&Object| !matches!(object.mode, Mode::Observe | Mode::DeletingObserver);
    if objects.iter().any(|object| object.mode == Mode::Manage && object.unsure) {
        return None;
    }
    let needed = needs::of(objects.iter().filter(writes));
    let is_needed = |at: &Need| {
        let near = |need: &Need| need.path.is_within(&at.path) || at.path.is_within(&need.path);
        needed.keys().any(|need| need.privilege == at.privilege && near(need))
    };
    let all = ROOT_EQUIVALENT.map(|(privilege, path)| Need { path: AclPath::observed(path), privilege });
    let held = all.into_iter().filter(|at| view.holds(&at.path, &[at.privilege]) == Some(true));
    Some(held.filter(|at| !is_needed(at)).collect())
}

/// That in a sentence.
pub fn warning(unneeded: &[Need], snapshot: &Snapshot) -> Option<(Reason, String)> {
    if unneeded.is_empty() {
        return None;
    }
    let named = unneeded.iter().map(|Need { path, privilege }| format!("{privilege} on {path}"));
    let named = named.collect::<Vec<_>>().join(", ");
    let user = snapshot.credential.user();
    let as_root = if user.is_root() { format!("the credential is one of {user}. ") } else { String::new() };
    let message = format!(
        "{as_root}No object needs {named}, and whoever has the credential can get everything by it; give the connection a \
         user and token of its own with a narrower role"
    );
    Some((Reason::MoreRightsThanNeeded, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plan::tests::fixtures::{empty, entry, group, member, object, permissions, role};

    const ALL: &[&str] = &["Permissions.Modify", "User.Modify", "Sys.Modify", "Realm.Allocate", "Sys.Audit"];

    fn names(objects: &[Object], held: &[(&str, &[&str])]) -> Option<String> {
        let snapshot = Snapshot { permissions: permissions(held), ..empty() };
        let unneeded = unneeded(objects, &View::new(&snapshot))?;
        let names = unneeded.iter().map(|Need { path, privilege }| format!("{privilege} {path}"));
        Some(names.collect::<Vec<_>>().join(", "))
    }

    fn settled(claims: impl IntoIterator<Item = crate::core::claim::Claim>) -> Object {
        Object { settled: true, ..object("o", claims) }
    }

    #[test]
    fn what_is_held_and_needed_nowhere_is_named() {
        let all = "Permissions.Modify /, User.Modify /access/groups, Sys.Modify /access, Realm.Allocate /access/realm";
        let on_top: &[(&str, &[&str])] = &[("/", ALL), ("/access", ALL), ("/access/groups", ALL)];
        let users = settled([group("g"), member("g", "u@pve")]);
        for (objects, held, expected) in [
            (vec![], on_top, ""),
            (vec![settled([group("g")])], on_top, all),
            (vec![users.clone()], &[("/access/groups", &["User.Modify"][..])], ""),
            (
                vec![users.clone(), settled([role("r"), entry("/vms", "r", "g")])],
                on_top,
                "Realm.Allocate /access/realm",
            ),
            (vec![settled([group("g")])], &[("/vms", ALL)], ""),
            (
                vec![settled([group("g")])],
                &[("/access/groups", &["User.Modify", "Sys.Audit"])],
                "User.Modify /access/groups",
            ),
            (
                vec![Object { mode: Mode::Observe, ..users.clone() }],
                &[("/access/groups", &["User.Modify"])],
                "User.Modify /access/groups",
            ),
            (
                vec![Object { mode: Mode::Suspended, settled: false, ..users }],
                &[("/access/groups", &["User.Modify"])],
                "",
            ),
        ] {
            assert_eq!(names(&objects, held).as_deref(), Some(expected), "{objects:?} {held:?}");
        }
    }

    #[test]
    fn nothing_is_said_while_an_object_cannot_say_all_that_it_wants() {
        let unsure = Object { unsure: true, ..object("new", []) };
        assert_eq!(names(&[settled([group("g")]), unsure], &[("/", ALL)]), None);
        let under_way = object("new", [role("r"), entry("/vms", "r", "g"), member("g", "u@pve")]);
        let some = names(&[under_way], &[("/", ALL), ("/access", ALL), ("/access/groups", ALL)]);
        assert_eq!(
            some.as_deref(),
            Some("Realm.Allocate /access/realm"),
            "what is not done yet is needed all the same"
        );
    }
}
