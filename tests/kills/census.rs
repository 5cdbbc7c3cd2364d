//! How many lives were killed, and at what.

use std::collections::BTreeMap;

use crate::life::{Lived, Releases, Side};
use crate::standing::plain;

/// Counts lives by the call at which they were killed.
pub struct Census {
    releases: Releases,
    points: usize,
    /// Before and after each kind of call.
    killed: BTreeMap<String, [usize; 2]>,
    /// Points that lay behind the end of their life: how many passes find nothing depends on timing.
    outlived: Vec<usize>,
    /// What went wrong.
    wrong: Vec<String>,
    done: usize,
}

impl Census {
    pub fn new(releases: Releases, points: usize) -> Self {
        Self { releases, points, killed: BTreeMap::new(), outlived: Vec::new(), wrong: Vec::new(), done: 0 }
    }

    /// Counts one life that was to be killed at a call and in which this went wrong.
    pub fn count(&mut self, call: usize, side: Side, lived: &Lived, wrong: Vec<String>) {
        self.wrong.extend(wrong);
        match lived.calls_until_killed.get(call - 1) {
            Some(what) => {
                let [before, after] = self.killed.entry(plain(what)).or_default();
                match side {
                    Side::Before => *before += 1,
                    Side::After => *after += 1,
                }
            }
            None => self.outlived.push(call),
        }
        self.progress();
    }

    /// Counts one life that did not end as it should; why is told where it ended.
    pub fn failed(&mut self, call: usize, side: Side) {
        self.wrong.push(format!("killed {side:?} call {call}: it did not end the same"));
        self.progress();
    }

    fn progress(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(50) {
            println!("{} of {} points, {} behind the end of their life", self.done, self.points, self.outlived.len());
        }
    }

    /// Prints what was counted, and judges that points were missed only at the end of lives, of which the first made so
    /// many calls.
    pub fn tell(&self, calls: usize) {
        let killed: usize = self.killed.values().flatten().sum();
        println!("{:?}: killed at {killed} points of a life of {calls} calls", self.releases);
        println!("  before  after  call");
        for (what, [before, after]) in &self.killed {
            println!("  {before:6} {after:6}  {what}");
        }
        println!("  {} points lay behind the end of their life: {:?}", self.outlived.len(), self.outlived);
        assert_eq!(self.wrong, Vec::<String>::new());
        assert!(self.outlived.iter().all(|call| call * 10 >= calls * 8), "{:?} of {calls}", self.outlived);
        assert!(killed * 10 >= self.points * 9, "{killed} of {} points", self.points);
    }
}
