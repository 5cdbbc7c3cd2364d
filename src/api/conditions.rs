//! Conditions that kstatus reads: Helm's `--wait`, Flux and Argo CD decide by them.
//!
//! `Ready` is always there. `Reconciling`, `Stalled`, `Drifted` and `Warning` are there only while true.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::api::reason::Reason;

/// The condition that is always there.
pub const READY: &str = "Ready";
/// There while the operator is at work or retries.
pub const RECONCILING: &str = "Reconciling";
/// There while nothing moves on without a person.
pub const STALLED: &str = "Stalled";
/// There while an observed object differs from Proxmox VE.
pub const DRIFTED: &str = "Drifted";

/// There while all is as it should be and something about it is worth knowing.
pub const WARNING: &str = "Warning";

/// All conditions of the operator: others on the same object are not its business.
pub const OURS: [&str; 5] = [READY, RECONCILING, STALLED, DRIFTED, WARNING];

/// The status of `Ready`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// As the spec says.
    True,
    /// Not so.
    False,
    /// Not known yet, or not looked at.
    Unknown,
}

impl Ready {
    /// The status of the condition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// Whether things move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Nothing is left to do.
    Settled,
    /// The operator is at work or retries.
    Reconciling,
    /// Nothing moves on without a person.
    Stalled,
}

/// What is to be said about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is as it should be.
    pub ready: Ready,
    /// Why.
    pub reason: Reason,
    /// Why, in a sentence for people.
    pub message: String,
    /// Whether things move.
    pub motion: Motion,
    /// How an observed object differs from Proxmox VE, in a sentence.
    pub drift: Option<String>,
    /// What is worth knowing although all is as it should be.
    pub warning: Option<(Reason, String)>,
}

impl Verdict {
    /// The conditions that say it, for a generation of the spec. A condition that has the same status as in
    /// `previous` keeps its transition time.
    pub fn conditions(&self, generation: i64, previous: &[Condition], now: &Time) -> Vec<Condition> {
        let condition = |type_: &str, status: &str, message: &str| {
            let since = previous.iter().find(|old| old.type_ == type_ && old.status == status);
            Condition {
                type_: type_.to_owned(),
                status: status.to_owned(),
                reason: self.reason.to_string(),
                message: message.to_owned(),
                observed_generation: Some(generation),
                last_transition_time: since.map_or(now, |old| &old.last_transition_time).clone(),
            }
        };
        // What people see in a list is Ready's message alone.
        let said = match &self.warning {
            Some((reason, message)) => format!("{}; {reason}: {message}", self.message),
            None => self.message.clone(),
        };
        let mut conditions = vec![condition(READY, self.ready.as_str(), &said)];
        match self.motion {
            Motion::Settled => {}
            Motion::Reconciling => conditions.push(condition(RECONCILING, "True", &self.message)),
            Motion::Stalled => conditions.push(condition(STALLED, "True", &self.message)),
        }
        conditions.extend(self.drift.as_ref().map(|drift| condition(DRIFTED, "True", drift)));
        conditions.extend(self.warning.as_ref().map(|(reason, message)| {
            let warning = condition(WARNING, "True", message);
            Condition { reason: reason.to_string(), ..warning }
        }));
        conditions
    }
}

/// True when two lists of conditions say the same, whatever their times and order.
pub fn say_the_same(ours: &[Condition], theirs: &[Condition]) -> bool {
    let timeless = |ours: &Condition, theirs: &Condition| {
        *ours == Condition { last_transition_time: ours.last_transition_time.clone(), ..theirs.clone() }
    };
    ours.len() == theirs.len()
        && ours.iter().all(|our| find(theirs, &our.type_).is_some_and(|their| timeless(our, their)))
}

/// The condition of a type.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(second).expect("a time"))
    }

    fn verdict(ready: Ready, reason: Reason, motion: Motion) -> Verdict {
        Verdict { ready, reason, message: "so it is".into(), motion, drift: None, warning: None }
    }

    fn types(conditions: &[Condition]) -> Vec<&str> {
        conditions.iter().map(|condition| condition.type_.as_str()).collect()
    }

    #[test]
    fn a_settled_object_has_ready_alone() {
        let conditions = verdict(Ready::True, Reason::Succeeded, Motion::Settled).conditions(3, &[], &at(1));
        assert_eq!(types(&conditions), [READY]);
        assert_eq!((conditions[0].status.as_str(), conditions[0].reason.as_str()), ("True", "Succeeded"));
        assert_eq!(conditions[0].observed_generation, Some(3));
    }

    #[test]
    fn reconciling_and_stalled_are_there_only_while_true() {
        let retry = verdict(Ready::False, Reason::APIUnavailable, Motion::Reconciling).conditions(1, &[], &at(1));
        assert_eq!(types(&retry), [READY, RECONCILING]);
        let stalled = verdict(Ready::False, Reason::APIUnavailable, Motion::Stalled).conditions(1, &retry, &at(2));
        assert_eq!(types(&stalled), [READY, STALLED]);
        let well = verdict(Ready::True, Reason::Succeeded, Motion::Settled).conditions(1, &stalled, &at(3));
        assert_eq!(types(&well), [READY]);
    }

    #[test]
    fn a_transition_time_is_kept_until_the_status_flips() {
        let first = verdict(Ready::False, Reason::APIUnavailable, Motion::Reconciling).conditions(1, &[], &at(1));
        let other = verdict(Ready::False, Reason::Forbidden, Motion::Stalled).conditions(2, &first, &at(2));
        assert_eq!(find(&other, READY).map(|c| &c.last_transition_time), Some(&at(1)));
        assert_eq!(find(&other, STALLED).map(|c| &c.last_transition_time), Some(&at(2)));
        let well = verdict(Ready::True, Reason::Succeeded, Motion::Settled).conditions(2, &other, &at(3));
        assert_eq!(find(&well, READY).map(|c| &c.last_transition_time), Some(&at(3)));
    }

    #[test]
    fn times_and_order_alone_are_no_change() {
        let retry = verdict(Ready::False, Reason::APIUnavailable, Motion::Reconciling);
        let (old, mut new) = (retry.conditions(1, &[], &at(1)), retry.conditions(1, &[], &at(9)));
        new.reverse();
        assert_ne!(old, new);
        assert!(say_the_same(&old, &new));
        assert!(!say_the_same(&old, &retry.conditions(2, &old, &at(1))));
        assert!(say_the_same(&[], &[]));
        assert!(!say_the_same(&[], &new));
    }

    #[test]
    fn drift_has_its_own_message() {
        let mut observed = verdict(Ready::True, Reason::Observed, Motion::Settled);
        observed.drift = Some("the comment differs".into());
        let conditions = observed.conditions(1, &[], &at(1));
        assert_eq!(types(&conditions), [READY, DRIFTED]);
        assert_eq!(conditions[1].message, "the comment differs");
    }
}
