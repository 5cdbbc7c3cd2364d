//! What must hold once a world has come to rest: of each object by itself, and of them together.

mod causes;

use std::collections::{BTreeMap, BTreeSet};

use proxmox_identity::api::Reason;
use serde_json::Value;

use crate::compare::differing;
use crate::meaning::{self, Around, Meaning, sets_of};
use crate::names::{connection_of, is_of_pocket_id};
use crate::policy::{Allowed, allows};
use crate::seen::Seen;
use crate::shown::Shown;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// What was broken, and of which kind of object: the same again is the same divergence.
    pub class: String,
    /// What it is.
    pub detail: String,
}

impl Divergence {
    pub fn new(class: impl Into<String>, detail: impl AsRef<str>) -> Self {
        Self { class: class.into(), detail: detail.as_ref().to_owned() }
    }
}

/// A world at rest.
pub struct Rest<'a> {
    pub objects: &'a [Seen],
    pub shown: &'a Shown,
    pub around: Around<'a>,
    /// The Secrets, by name.
    pub secrets: &'a BTreeMap<String, Value>,
    /// What the connection to Proxmox VE says beside what it needs.
    pub connection: &'a Value,
}

impl Rest<'_> {
    /// Whether nothing is done in Proxmox VE.
    fn is_suspended(&self, kind: &str) -> bool {
        self.connection["suspend"] == true && !is_of_pocket_id(kind)
    }
}

/// An object with what it means.
struct Judged<'a> {
    seen: &'a Seen,
    meaning: Meaning,
    /// Whether the policy of the connection allows it.
    allowed: Allowed,
}

impl<'a> Judged<'a> {
    fn new(seen: &'a Seen, rest: &Rest<'_>) -> Self {
        let meaning = meaning::of(&seen.kind, &seen.name, seen.spec(), &rest.around);
        let allowed = allows(&rest.connection["policy"], &seen.kind, &meaning, &seen.ledger());
        Self { seen, meaning, allowed }
    }

    /// Whether it is one whose claims count.
    fn counts(&self) -> bool {
        !self.seen.is_deleted() && !self.seen.is_observed() && self.of_this_connection()
    }

    fn of_this_connection(&self) -> bool {
        is_of_connection(&self.seen.kind, self.seen.spec())
    }
}

/// The first thing that is wrong.
pub fn judge(rest: &Rest<'_>) -> Option<Divergence> {
    let judged: Vec<Judged<'_>> = rest.objects.iter().map(|seen| Judged::new(seen, rest)).collect();
    let all = All { rest, judged: &judged };
    judged.iter().find_map(|one| form(one.seen).or_else(|| all.object(one))).or_else(|| all.holders())
}

/// What every status keeps: kstatus, and our own reasons.
fn form(seen: &Seen) -> Option<Divergence> {
    let wrong = |what: &str| {
        let detail = format!("{} {}: {}", seen.kind, seen.name, seen.object["status"]);
        Some(Divergence::new(format!("status of {}: {what}", seen.kind), detail))
    };
    if seen.condition("Ready").is_none() {
        return wrong("no Ready");
    }
    let Some(reason) = Reason::ALL.iter().find(|reason| reason.as_str() == seen.reason()) else {
        return wrong("an unknown reason");
    };
    if seen.message().is_empty() {
        return wrong("no message");
    }
    let (reconciling, stalled) = (seen.condition("Reconciling"), seen.condition("Stalled"));
    if [reconciling, stalled].into_iter().flatten().any(|condition| condition["status"] != "True") {
        return wrong("a condition that is there and not true");
    }
    if seen.ready() == "True" && (reconciling.is_some() || stalled.is_some()) {
        return wrong("ready and not at rest");
    }
    if reconciling.is_some() && stalled.is_some() {
        return wrong("both at work and stalled");
    }
    if seen.ready() == "False" && reason.is_terminal() != stalled.is_some() {
        return wrong("stalled otherwise than its reason");
    }
    let conditions = seen.object["status"]["conditions"].as_array().into_iter().flatten();
    if conditions.into_iter().any(|it| it["observedGeneration"] != seen.object["metadata"]["generation"]) {
        return wrong("a condition of another generation");
    }
    None
}

struct All<'a> {
    rest: &'a Rest<'a>,
    judged: &'a [Judged<'a>],
}

impl All<'_> {
    fn object(&self, one: &Judged<'_>) -> Option<Divergence> {
        let seen = one.seen;
        let wrong = |what: String, detail: String| {
            let told = format!("{} {} {} ({}): {detail}", seen.kind, seen.name, seen.reason(), seen.message());
            Some(Divergence::new(format!("{}: {what}", seen.kind), told))
        };
        if !one.of_this_connection() {
            let lost = seen.reason() == "ConnectionNotFound" || seen.is_suspended();
            return if lost { None } else { wrong("no connection".into(), String::new()) };
        }
        if self.rest.is_suspended(&seen.kind) || seen.is_suspended() {
            let waits = matches!(seen.reason(), "Suspended" | "DeletionBlocked");
            return if waits && seen.ready() != "True" { None } else { wrong("not suspended".into(), String::new()) };
        }
        if seen.is_deleted() {
            let blocked = seen.reason() == "DeletionBlocked" && self.is_held_up(one);
            return if blocked { None } else { wrong(format!("deleted, and {}", seen.reason()), String::new()) };
        }
        if seen.ready() == "True" && one.allowed == Allowed::No {
            return wrong("ready against the policy".into(), self.rest.connection["policy"].to_string());
        }
        if seen.ready() != "True" {
            let justified = self.reasons(one).contains(seen.reason());
            return if justified {
                None
            } else {
                wrong(format!("{} without a cause", seen.reason()), format!("{:?}", one.meaning))
            };
        }
        if one.meaning.astray || one.meaning.secretless {
            return wrong("ready without what it refers to".into(), format!("{:?}", one.meaning));
        }
        let missing = self.missing(one);
        let surplus = self.surplus(one);
        if seen.is_observed() {
            let differs = missing.is_some() || surplus.is_some();
            let told = seen.condition("Drifted").is_some();
            // Of Secrets and of what the table of realms leaves out only the operator knows.
            return match (differs, told, seen.kind.as_str()) {
                (true, false, _) => wrong("differs and does not say so".into(), format!("{missing:?} {surplus:?}")),
                (
                    false,
                    true,
                    "ProxmoxGroup" | "ProxmoxRole" | "ProxmoxPool" | "ProxmoxAcl" | "PocketIdGroup" | "PocketIdClient",
                ) => wrong("says that it differs".into(), seen.object["status"]["pendingChanges"].to_string()),
                _ if seen.reason() != "Observed" => wrong("observed otherwise".into(), String::new()),
                _ => None,
            };
        }
        if seen.reason() != "Succeeded" {
            return wrong(format!("ready by {}", seen.reason()), String::new());
        }
        if let Some(missing) = missing {
            return wrong("ready and not so".into(), missing);
        }
        surplus.and_then(|surplus| wrong("exact and not so".into(), surplus))
    }

    /// What an object says and does not stand so.
    fn missing(&self, one: &Judged<'_>) -> Option<String> {
        one.meaning.claims.iter().find_map(|(claim, fields)| match self.rest.shown.get(claim) {
            None => Some(format!("{claim} does not stand")),
            Some(stands) => {
                let differing = differing(claim, fields, stands);
                (!differing.is_empty()).then(|| format!("{claim}: {differing:?} of {stands:?}, not {fields:?}"))
            }
        })
    }

    /// What stands in a set that an object has for itself, and that nobody claims.
    fn surplus(&self, one: &Judged<'_>) -> Option<String> {
        let others = self.judged.iter().filter(|other| other.counts()).flat_map(|other| other.meaning.claims.keys());
        // A group of Pocket ID has one object, which says alone who is in it.
        let shared = others.filter(|claim| !claim.starts_with("id-member "));
        let claimed: BTreeSet<&String> = shared.chain(one.meaning.claims.keys()).collect();
        let held: BTreeSet<String> = self.kept().collect();
        let inside = |claim: &&String| sets_of(claim).iter().any(|set| one.meaning.exact.contains(set));
        let mut surplus =
            self.rest.shown.keys().filter(inside).filter(|claim| !claimed.contains(claim) && !held.contains(*claim));
        surplus.next().cloned()
    }

    /// What those hold for whom nothing is done, and those that cannot say what they want.
    fn kept(&self) -> impl Iterator<Item = String> {
        let is_silent = |meaning: &Meaning| meaning.secretless || (meaning.astray && meaning.claims.is_empty());
        let keeps =
            move |it: &&Judged<'_>| it.seen.is_suspended() || it.allowed != Allowed::Yes || is_silent(&it.meaning);
        self.judged.iter().filter(keeps).flat_map(|it| it.seen.ledger())
    }

    /// Of the objects of one named thing, one at most has it, and one at least does not give way.
    fn holders(&self) -> Option<Divergence> {
        let mut by_thing: BTreeMap<&String, Vec<&Seen>> = BTreeMap::new();
        let acts = |it: &&Judged<'_>| {
            let idle = it.seen.is_suspended() || self.rest.is_suspended(&it.seen.kind);
            it.counts() && !idle && it.allowed == Allowed::Yes
        };
        for one in self.judged.iter().filter(acts) {
            if let Some(thing) = &one.meaning.thing {
                by_thing.entry(thing).or_default().push(one.seen);
            }
        }
        by_thing.into_iter().find_map(|(thing, objects)| {
            let ready = objects.iter().filter(|it| it.ready() == "True").count();
            let give_way = objects.iter().filter(|it| it.reason() == "Conflict").count();
            let suspended = self.kept().any(|claim| claim == *thing);
            let alone = objects.len() == 1;
            let wrong =
                ready > 1 || (!alone && give_way == objects.len() && !suspended && !self.is_contested_within(&objects));
            let told: Vec<String> =
                objects.iter().map(|it| format!("{} {} {}", it.kind, it.name, it.reason())).collect();
            wrong.then(|| Divergence::new(format!("holders of one {}", objects[0].kind), format!("{thing}: {told:?}")))
        })
    }

    /// Whether one of them may have lost something else than the thing.
    fn is_contested_within(&self, objects: &[&Seen]) -> bool {
        let of = |seen: &&&Seen| self.judged.iter().find(|it| it.seen.key() == seen.key());
        objects
            .iter()
            .filter_map(|seen| of(&seen))
            .any(|one| one.meaning.claims.len() > 1 || one.seen.spec()["default"] == true)
            || objects.iter().any(|it| it.kind == "ProxmoxRealm")
    }
}

/// Whether it is an object of the one connection that its kind has.
pub fn is_of_connection(kind: &str, spec: &Value) -> bool {
    leads_to(&spec["connectionRef"], connection_of(kind))
}

/// Whether a reference leads to the connection of this name in the namespace.
pub fn leads_to(reference: &Value, connection: &str) -> bool {
    reference["name"] == connection && reference["kind"] != "ClusterProxmoxConnection"
}

#[cfg(test)]
mod tests;
