//! How many lives were killed, and at what.

use std::collections::BTreeMap;

use crate::life::{Call, Releases, Side};

/// Counts lives by the call at which they were killed.
pub struct Census {
    releases: Releases,
    points: usize,
    /// Before and after each kind of call.
    killed: BTreeMap<String, [usize; 2]>,
    /// Calls that their life did not make: how many passes find nothing, and how much is told in one status, depends on
    /// timing.
    unmade: Vec<Call>,
    /// What went wrong.
    wrong: Vec<String>,
    done: usize,
}

impl Census {
    pub fn new(releases: Releases, points: usize) -> Self {
        Self { releases, points, killed: BTreeMap::new(), unmade: Vec::new(), wrong: Vec::new(), done: 0 }
    }

    /// Counts one life that was to be killed at a call and in which this went wrong.
    pub fn count(&mut self, call: Call, side: Side, was_killed: bool, wrong: Vec<String>) {
        self.wrong.extend(wrong);
        if was_killed {
            let [before, after] = self.killed.entry(call.what).or_default();
            match side {
                Side::Before => *before += 1,
                Side::After => *after += 1,
            }
        } else {
            self.unmade.push(call);
        }
        self.progress();
    }

    /// Counts one life that did not end as it should; why is told where it ended.
    pub fn failed(&mut self, call: &Call, side: Side) {
        self.wrong.push(format!("killed {side:?} call {call}: it did not end the same"));
        self.progress();
    }

    fn progress(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(50) {
            println!("{} of {} points, {} of them not reached", self.done, self.points, self.unmade.len());
        }
    }

    /// Prints what was counted of a life of so many calls, and judges that few points were missed, and none of a change that
    /// every life makes: the first one of its kind.
    pub fn tell(&self, calls: usize) {
        let killed: usize = self.killed.values().flatten().sum();
        println!("{:?}: killed at {killed} points of a life of {calls} calls", self.releases);
        println!("  before  after  call");
        for (what, [before, after]) in &self.killed {
            println!("  {before:6} {after:6}  {what}");
        }
        println!("  {} points were not reached: {:?}", self.unmade.len(), self.unmade);
        assert_eq!(self.wrong, Vec::<String>::new());
        assert!(killed * 10 >= self.points * 9, "{killed} of {} points", self.points);
        assert!(self.unmade.iter().all(|call| call.which > 1 || call.what.starts_with("GET")), "{:?}", self.unmade);
    }
}
