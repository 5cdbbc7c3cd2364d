//! The causes that an object may have not to be ready, or not to go.

use std::collections::BTreeSet;

use proxmox_identity::api::ISSUE;
use serde_json::Value;

use crate::compare::differing;
use crate::judge::{All, Judged};
use crate::meaning::{Meaning, sets_of};
use crate::names::{OWN_TOKEN, OWN_USER};
use crate::policy::Allowed;
use crate::seen::Seen;
use crate::shown::parts;

impl All<'_> {
    /// The reasons that an object may have not to be ready.
    pub(super) fn reasons(&self, one: &Judged<'_>) -> BTreeSet<&'static str> {
        let mut reasons = BTreeSet::new();
        let mut may = |reason: &'static str, condition: bool| {
            if condition {
                reasons.insert(reason);
            }
        };
        let Judged { seen, meaning, allowed } = one;
        let spec = seen.spec();
        // What is to go from a set that is its own is somebody else's, of whom a rule may not speak.
        let has_rules = self.rest.connection["policy"]["rules"].as_array().is_some_and(|rules| !rules.is_empty());
        may("PolicyDenied", *allowed != Allowed::Yes || (has_rules && !meaning.exact.is_empty()));
        may("SecretNotFound", meaning.secretless);
        may("DependencyNotReady", meaning.astray || self.waits_for_another(one) || self.lacks_a_part(one));
        may("DependencyNotReady", !meaning.exact.is_empty() && self.judged.iter().any(|it| it.meaning.astray));
        may("DeletionBlocked", self.leaves_what_is_used(one));
        may("AssertionFailed", seen.kind == "ProxmoxAccessCheck");
        may("Conflict", self.has_a_rival(one));
        let ledger: BTreeSet<String> = seen.ledger().into_iter().collect();
        let stands_already = meaning.claims.keys().any(|it| self.rest.shown.contains_key(it) && !ledger.contains(it));
        may("AlreadyExists", spec["adoptionPolicy"] != "Always" && stands_already);
        may("InvalidSpec", self.is_invalid(one));
        let item_missing = meaning.claims.keys().any(|claim| {
            claim.starts_with("pool-member ") && (claim.ends_with("guest:999") || claim.ends_with("storage:nowhere"))
        });
        may("MemberNotFound", item_missing);
        let names_own = meaning.claims.keys().any(|claim| self.concerns_operator(claim));
        may("WouldLockOut", names_own || ledger.iter().any(|claim| self.concerns_operator(claim)));
        may("ConnectionCheckFailed", spec.to_string().contains("\"checkConnection\":true"));
        may("TicketRequired", spec["passwordSecretRef"].is_object());
        let delivers = matches!(seen.kind.as_str(), "ProxmoxToken" | "PocketIdClient");
        may("SecretConflict", delivers && self.secret_of(seen).is_some_and(|secret| !is_of(secret, seen)));
        may("SecretLost", delivers && !self.secret_of(seen).is_some_and(|secret| holds(secret, seen)));
        // Kubernetes lets nobody change the type of a Secret, and takes not everything into one of another type.
        may("ProgressingWithRetry", seen.message().contains("could not be written into its Secret"));
        reasons
    }

    /// What stands where its secret goes.
    fn secret_of(&self, seen: &Seen) -> Option<&Value> {
        let name = seen.spec()["secretTemplate"]["name"].as_str().unwrap_or(&seen.name);
        self.rest.secrets.get(name)
    }

    fn waits_for_another(&self, one: &Judged<'_>) -> bool {
        let find = |key: &(String, String)| self.judged.iter().find(|it| it.seen.key() == *key);
        // A client that is only observed has no secret to give.
        let gives_nothing = |other: &Judged<'_>| other.seen.kind == "PocketIdClient" && other.seen.is_observed();
        let waits = |other: &Judged<'_>| other.seen.ready() != "True" || gives_nothing(other);
        one.meaning.refers.iter().any(|key| find(key).is_none_or(waits))
    }

    /// Whether something is not there that one of its claims is made of.
    fn lacks_a_part(&self, one: &Judged<'_>) -> bool {
        let needs = one.meaning.claims.iter().flat_map(|(claim, fields)| {
            let mut needs = parts(claim);
            needs.retain(|part| {
                part != claim
                    && !part.starts_with("guest ")
                    && !part.starts_with("storage ")
                    && !is_path_of(claim, part)
            });
            let realm = claim.strip_prefix("user ").and_then(|user| user.rsplit_once('@'));
            needs.extend(realm.map(|(_, realm)| format!("realm {realm}")));
            needs.extend(one.meaning.names.iter().cloned());
            needs.extend(fields.get("realm").map(|realm| format!("realm {realm}")));
            needs
        });
        let mut missing = needs.filter(|part| !self.rest.shown.contains_key(part));
        missing.next().is_some()
    }

    fn has_a_rival(&self, one: &Judged<'_>) -> bool {
        let others = || self.judged.iter().filter(|it| it.seen.key() != one.seen.key() && it.of_this_connection());
        let shown = self.rest.shown;
        let contested = one.meaning.claims.iter().any(|(claim, fields)| {
            let theirs = others().filter_map(|it| it.meaning.claims.get(claim));
            let same_set = !sets_of(claim).is_empty();
            let contradicts = theirs.into_iter().any(|other| !same_set || other != fields);
            let fixed = shown.get(claim).is_some_and(|stands| {
                let differing = differing(claim, fields, stands);
                differing.iter().any(|name| matches!(name.as_str(), "type" | "username-claim" | "realm"))
            });
            contradicts || fixed || self.is_elsewhere(claim) || self.is_overwritten(claim)
        });
        let is_default = |it: &Judged<'_>| it.seen.spec()["default"] == true;
        contested
            || (is_default(one) && others().any(is_default))
            || shown.keys().any(|claim| {
                sets_of(claim).iter().any(|set| one.meaning.exact.contains(set)) && self.is_overwritten(claim)
            })
    }

    /// Whether a guest is in another pool, or somebody else's object wants it there.
    fn is_elsewhere(&self, claim: &str) -> bool {
        let Some((_, guest)) = claim.strip_prefix("pool-member ").and_then(|it| it.split_once(" guest:")) else {
            return false;
        };
        let ending = format!(" guest:{guest}");
        let wanted = self.judged.iter().flat_map(|it| it.meaning.claims.keys());
        self.rest
            .shown
            .keys()
            .chain(wanted)
            .any(|it| it != claim && it.starts_with("pool-member ") && it.ends_with(&ending))
    }

    /// Whether each login or sync of a user's realm decides about a membership.
    fn is_overwritten(&self, claim: &str) -> bool {
        let Some(realm) = claim.strip_prefix("member ").and_then(|it| it.rsplit_once('@')).map(|(_, realm)| realm)
        else {
            return false;
        };
        let options = self.rest.shown.get(&format!("realm {realm}"));
        options.is_some_and(|options| {
            let group = claim.split(' ').nth(1).unwrap_or_default();
            options.get("groups-overwrite").is_some_and(|flag| flag == "1")
                || (matches!(options.get("type").map(String::as_str), Some("ldap" | "ad"))
                    && group.ends_with(&format!("-{realm}")))
        })
    }

    fn is_invalid(&self, one: &Judged<'_>) -> bool {
        let Judged { seen, meaning, allowed: _ } = one;
        let text = seen.spec().to_string();
        let built_in = |claim: &String| {
            self.rest.shown.get(claim).is_some_and(|role| role.get("special").is_some_and(|it| it == "1"))
        };
        match seen.kind.as_str() {
            "ProxmoxRole" => text.contains("VM.Audti") || meaning.thing.as_ref().is_some_and(built_in),
            "ProxmoxAccessCheck" => text.contains("VM.Audti"),
            "ProxmoxUser" => seen.spec()["passwordSecretRef"].is_object(),
            // What an entry for root would be Proxmox VE does not store.
            "ProxmoxAcl" => text.contains(&format!("\"{OWN_USER}\"")) || self.refers_to_root(meaning),
            "ProxmoxToken" | "ProxmoxRealm" => true,
            _ => false,
        }
    }

    fn refers_to_root(&self, meaning: &Meaning) -> bool {
        let root = Some(format!("user {OWN_USER}"));
        self.judged.iter().any(|it| it.meaning.thing == root && meaning.refers.contains(&it.seen.key()))
    }

    /// Whether the operator's own rights may hang on it.
    fn concerns_operator(&self, claim: &str) -> bool {
        let own = |part: &String| {
            part == &format!("user {OWN_USER}")
                || part == &format!("token {OWN_TOKEN}")
                || part == "realm pam"
                || part
                    .strip_prefix("group ")
                    .is_some_and(|group| self.rest.shown.contains_key(&format!("member {group} {OWN_USER}")))
        };
        parts(claim).iter().any(own)
    }

    /// Whether a deleted object has to wait.
    pub(super) fn is_held_up(&self, one: &Judged<'_>) -> bool {
        let key = one.seen.key();
        let mut others = self.judged.iter().filter(|it| it.seen.key() != key);
        if others.any(|it| it.meaning.refers.contains(&key)) {
            return true;
        }
        self.is_used(&one.seen.ledger()) || one.seen.ledger().iter().any(|claim| self.concerns_operator(claim))
    }

    /// Whether an object that goes by another name now has yet to remove what it had, and others use that.
    fn leaves_what_is_used(&self, one: &Judged<'_>) -> bool {
        let mut former = one.seen.ledger();
        former.retain(|claim| !one.meaning.claims.contains_key(claim));
        self.is_used(&former)
    }

    /// Whether something else is made of a thing of these.
    fn is_used(&self, claims: &[String]) -> bool {
        let things: Vec<&String> = claims.iter().filter(|claim| sets_of(claim).is_empty()).collect();
        let wanted = self.judged.iter().flat_map(|it| it.meaning.claims.keys().cloned().chain(it.seen.ledger()));
        let inside = self.rest.shown.keys().filter(|it| it.starts_with("pool")).cloned();
        let used: Vec<String> = wanted.chain(inside).collect();
        used.iter().any(|claim| things.iter().any(|it| *it != claim && parts(claim).contains(it)))
    }
}

/// Whether a Secret is an object's.
fn is_of(secret: &Value, seen: &Seen) -> bool {
    let mut owners = secret["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    owners.any(|owner| owner["uid"] == seen.object["metadata"]["uid"])
}

/// Whether a Secret is an object's and has the last secret that it was given, as far as it says so.
fn holds(secret: &Value, seen: &Seen) -> bool {
    let (key, status) = match seen.kind.as_str() {
        "ProxmoxToken" => ("token", "token"),
        _ => ("clientSecret", "clientSecret"),
    };
    let says = secret["metadata"]["annotations"][ISSUE].as_str().and_then(|issue| issue.parse::<i64>().ok());
    let issued = seen.object["status"][status]["issue"].as_i64().unwrap_or_default();
    is_of(secret, seen) && secret["data"][key].is_string() && says.unwrap_or_default() >= issued
}

/// The pool of an ACL's path need not be there.
fn is_path_of(claim: &str, part: &str) -> bool {
    claim.starts_with("acl ") && part.starts_with("pool ")
}
