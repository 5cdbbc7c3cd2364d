//! Policies of the connection: what is made up, and what they allow, worked out without the operator's code.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::meaning::Meaning;
use crate::names::is_of_pocket_id;
use crate::random::Random;
use crate::stage::KINDS;

/// A policy with a rule or two.
pub fn some(random: &mut Random) -> Value {
    let count = 1 + random.below(2);
    let rules: Vec<Value> = (0..count).map(|_| rule(random)).collect();
    let on_revoke = *random.pick(&["Keep", "Remove"]);
    json!({"rules": rules, "onRevoke": on_revoke})
}

fn rule(random: &mut Random) -> Value {
    let mut rule = Map::new();
    if random.chance(60) {
        let of_pve: Vec<&str> = KINDS.into_iter().filter(|kind| !is_of_pocket_id(kind)).collect();
        let kinds: Vec<&str> = of_pve.into_iter().filter(|_| random.chance(75)).collect();
        rule.insert("kinds".to_owned(), json!(if kinds.is_empty() { vec!["ProxmoxAcl"] } else { kinds }));
    }
    if random.chance(50) {
        rule.insert("groupIds".to_owned(), json!(random.pick(&[&["g1"][..], &["g*"], &["team-*", "g2"], &["*"]])));
    }
    if random.chance(50) {
        rule.insert("roles".to_owned(), json!(random.pick(&[&["r*"][..], &["PVE*", "by-hand"], &["*A*", "r1"]])));
    }
    rule.into()
}

/// Whether an object may do all that it says, and has besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    Yes,
    No,
    /// By what it says it may, and not by what it has; or that depends on what only a realm's login knows.
    Perhaps,
}

/// What a policy says of an object; without rules all is allowed.
pub fn allows(policy: &Value, kind: &str, meaning: &Meaning, ledger: &[String]) -> Allowed {
    let rules = policy["rules"].as_array().map_or(&[][..], Vec::as_slice);
    if rules.is_empty() || is_of_pocket_id(kind) {
        return Allowed::Yes;
    }
    let all = meaning.claims.keys().chain(&meaning.exact);
    let for_it = || rules.iter().filter(|rule| is_for(rule, kind));
    let as_it_says = for_it().any(|rule| all.clone().all(|claim| fits(rule, claim)));
    let with_what_it_has = for_it().any(|rule| all.clone().chain(ledger).all(|claim| fits(rule, claim)));
    // Who names a group or role without claiming anything of it, and which groups a realm fills, is not worked out here.
    let unclear = matches!(kind, "ProxmoxRealm" | "ProxmoxAccessCheck") && for_it().next().is_some();
    match (as_it_says, with_what_it_has) {
        _ if unclear || meaning.astray => Allowed::Perhaps,
        (true, true) => Allowed::Yes,
        (true, false) => Allowed::Perhaps,
        (false, _) => Allowed::No,
    }
}

fn is_for(rule: &Value, kind: &str) -> bool {
    rule["kinds"].as_array().is_none_or(|kinds| kinds.iter().any(|it| it == kind))
}

fn fits(rule: &Value, claim: &str) -> bool {
    let (groups, roles) = touched(claim);
    let matches = |field: &str, ids: BTreeSet<&str>| {
        let patterns = rule[field].as_array();
        let one =
            |id: &&str| patterns.is_none_or(|all| all.iter().any(|it| is_like(it.as_str().unwrap_or_default(), id)));
        ids.iter().all(one)
    };
    matches("groupIds", groups) && matches("roles", roles)
}

/// The groups and roles of a claim or set.
fn touched(claim: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let words: Vec<&str> = claim.split(' ').collect();
    let (mut groups, mut roles) = (BTreeSet::new(), BTreeSet::new());
    match words.as_slice() {
        ["group" | "members", group] | ["member", group, _] => drop(groups.insert(*group)),
        ["role", role] => drop(roles.insert(*role)),
        ["acl", _, subject, role] => {
            roles.insert(*role);
            groups.extend(subject.strip_prefix("group:"));
        }
        _ => {}
    }
    (groups, roles)
}

/// Whether an id is like a pattern, in which `*` stands for any text.
fn is_like(pattern: &str, id: &str) -> bool {
    let pattern = regex::escape(pattern).replace(r"\*", ".*");
    regex::Regex::new(&format!("^(?:{pattern})$")).expect("a pattern").is_match(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::Fields;

    #[test]
    fn one_rule_must_fit_all_that_an_object_says_and_has() {
        let policy = json!({"rules": [
            {"kinds": ["ProxmoxAcl"], "groupIds": ["g*"], "roles": ["r1"]}, {"kinds": ["ProxmoxGroup"]},
        ]});
        let acl = |claims: &[&str], ledger: &[&str]| {
            let claims = claims.iter().map(|claim| ((*claim).to_owned(), Fields::new())).collect();
            let ledger: Vec<String> = ledger.iter().map(|claim| (*claim).to_owned()).collect();
            allows(&policy, "ProxmoxAcl", &Meaning { claims, ..Meaning::default() }, &ledger)
        };
        assert_eq!(acl(&["acl / group:g1 r1"], &[]), Allowed::Yes);
        assert_eq!(acl(&["acl / group:g1 r1"], &["acl / group:other r1"]), Allowed::Perhaps);
        for claim in ["acl / group:h r1", "acl / group:g1 r2"] {
            assert_eq!(acl(&["acl / group:g1 r1", claim], &[]), Allowed::No, "{claim}");
        }
        assert_eq!(allows(&policy, "ProxmoxUser", &Meaning::default(), &[]), Allowed::No);
        assert_eq!(allows(&json!({}), "ProxmoxUser", &Meaning::default(), &[]), Allowed::Yes);
        assert_eq!(allows(&policy, "PocketIdGroup", &Meaning::default(), &[]), Allowed::Yes);
    }
}
