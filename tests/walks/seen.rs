//! Objects as Kubernetes shows them.

use serde_json::Value;

use crate::names;

/// One object.
#[derive(Debug, Clone)]
pub struct Seen {
    pub kind: String,
    pub name: String,
    pub object: Value,
}

impl Seen {
    pub fn spec(&self) -> &Value {
        &self.object["spec"]
    }

    pub fn key(&self) -> (String, String) {
        (self.kind.clone(), self.name.clone())
    }

    /// Its uid and version: another one means that somebody wrote it.
    pub fn version(&self) -> (String, String) {
        let text = |name: &str| self.object["metadata"][name].as_str().unwrap_or_default().to_owned();
        (text("uid"), text("resourceVersion"))
    }

    pub fn is_deleted(&self) -> bool {
        self.object["metadata"]["deletionTimestamp"].is_string()
    }

    /// Whether what is said of it is about its spec as it is now.
    pub fn is_current(&self) -> bool {
        let generation = &self.object["metadata"]["generation"];
        generation.is_i64() && *generation == self.object["status"]["observedGeneration"]
    }

    pub fn condition(&self, kind: &str) -> Option<&Value> {
        self.object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
    }

    fn of_ready(&self, field: &str) -> &str {
        self.condition("Ready").and_then(|ready| ready[field].as_str()).unwrap_or_default()
    }

    /// `True`, `False` or `Unknown`.
    pub fn ready(&self) -> &str {
        self.of_ready("status")
    }

    /// Why it is ready, or why not.
    pub fn reason(&self) -> &str {
        self.of_ready("reason")
    }

    pub fn message(&self) -> &str {
        self.of_ready("message")
    }

    pub fn is_suspended(&self) -> bool {
        self.spec()["suspend"] == true
    }

    pub fn is_observed(&self) -> bool {
        self.spec()["managementPolicy"] == "Observe"
    }

    /// What its ledger says, unfolded.
    pub fn ledger(&self) -> Vec<String> {
        let rows = self.object["status"]["ledger"].as_array().into_iter().flatten();
        let claims = rows.filter_map(|row| row["claim"].as_str()).flat_map(unfolded);
        if !names::is_of_pocket_id(&self.kind) {
            return claims.collect();
        }
        // There are groups in both.
        claims.map(|claim| format!("id-{claim}")).collect()
    }
}

/// A row of a ledger as single claims: `acl /vms A,B group:g` is two.
pub fn unfolded(row: &str) -> Vec<String> {
    let words: Vec<&str> = row.split(' ').collect();
    let product = |left: &str, right: &str, claim: &dyn Fn(&str, &str) -> String| {
        let pairs = left.split(',').flat_map(|left| right.split(',').map(move |right| (left, right)));
        pairs.map(|(left, right)| claim(left, right)).collect()
    };
    match words.as_slice() {
        ["acl", path, roles, subjects] => {
            product(roles, subjects, &|role, subject| format!("acl {path} {subject} {role}"))
        }
        [noun @ ("member" | "pool-member"), left, right] => {
            product(left, right, &|left, right| format!("{noun} {left} {right}"))
        }
        _ => vec![row.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_products() {
        assert_eq!(unfolded("group g"), ["group g"]);
        assert_eq!(unfolded("member g,h a@pve"), ["member g a@pve", "member h a@pve"]);
        assert_eq!(unfolded("acl /vms A group:g,user:a@pve"), ["acl /vms group:g A", "acl /vms user:a@pve A"]);
    }
}
