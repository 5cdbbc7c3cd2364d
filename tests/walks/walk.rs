//! One walk: operations chosen by chance from how the world is, until something is wrong or enough was declared.

use std::time::{Duration, Instant};

use kube::Client;
use serde_json::json;

use crate::edit::edit;
use crate::generate::{changed, spec};
use crate::judge::Divergence;
use crate::mutate::{broken, moved};
use crate::random::Random;
use crate::script::Operation;
use crate::shrink::shrink;
use crate::stage::{KINDS, Stage, Tally};
use crate::{ground, names, pocket, policy};

/// How often each kind is declared.
const WEIGHTS: [usize; 10] = [10, 18, 18, 12, 10, 20, 12, 6, 8, 8];

/// Something that went wrong, with what led to it.
pub struct Found {
    pub divergence: Divergence,
    pub script: Vec<Operation>,
    /// What the operator has logged of it.
    pub told: String,
}

/// Walks so many declarations far.
pub async fn walk(client: &Client, random: Random, declarations: usize) -> (Tally, Option<Found>) {
    let stage = Stage::new(client).await;
    let mut walk = Walk { random, stage, script: Vec::new() };
    let result = walk.go(declarations).await;
    let Walk { stage, script, .. } = walk;
    let told = ground::told(&stage.namespace);
    (stage.tally, result.err().map(|divergence| Found { divergence, script, told }))
}

/// Plays a script to its end; answers with what goes wrong.
pub async fn play(client: &Client, script: &[Operation]) -> Option<Divergence> {
    let mut stage = Stage::new(client).await;
    if let Err(divergence) = stage.play(script).await {
        return Some(divergence);
    }
    if let Err(divergence) = stage.act(&Operation::Settle).await {
        return Some(divergence);
    }
    stage.finish().await.err()
}

/// How long a script is shrunk, about.
const SHRINKING: Duration = Duration::from_secs(150);

/// The shortest script that goes wrong the same way, if it does so again.
pub async fn shrunk(client: &Client, found: &Found) -> Option<Vec<Operation>> {
    let (class, begun) = (&found.divergence.class, Instant::now());
    let fails = async |script: &[Operation]| {
        begun.elapsed() < SHRINKING && play(client, script).await.is_some_and(|it| it.class == *class)
    };
    // What nothing is said of has most often nothing to do with it.
    let told: Vec<Operation> = found.script.iter().filter(|it| concerns(it, &found.divergence)).cloned().collect();
    for script in [told, found.script.clone()] {
        if fails(&script).await {
            return Some(shrink(script, fails).await);
        }
    }
    None
}

/// Whether an operation is about an object, or a thing, that is named where it is told what went wrong.
fn concerns(operation: &Operation, divergence: &Divergence) -> bool {
    let told = |word: &str| divergence.detail.split([' ', ':', '"', ',']).any(|it| it == word);
    match operation {
        Operation::Declare { name, spec, .. } | Operation::Misdeclare { name, spec, .. } => {
            told(name) || spec.to_string().split('"').any(|word| word.len() > 1 && names::is_id(word) && told(word))
        }
        Operation::Delete { name, .. } => told(name),
        Operation::Edit { path, form, .. } => {
            let words = format!("{path} {form}");
            words.split([' ', '"', '/', '=', ',']).any(|word| word.len() > 1 && names::is_id(word) && told(word))
        }
        Operation::Secret { .. }
        | Operation::NoSecret { .. }
        | Operation::Connect { .. }
        | Operation::Kill
        | Operation::Settle => true,
    }
}

struct Walk {
    random: Random,
    stage: Stage,
    script: Vec<Operation>,
}

impl Walk {
    async fn go(&mut self, declarations: usize) -> Result<(), Divergence> {
        for name in ["s1", "s2"] {
            self.act(Operation::Secret { name: name.to_owned() }).await?;
        }
        let mut declared = 0;
        while declared < declarations {
            let burst = 1 + self.random.below(*self.random.clone().pick(&[6, 40, 120, 120]));
            let mut left = burst;
            while left > 0 {
                // Each is chosen by what was there before all of them, so that their order does not matter.
                let mut some: Vec<Operation> = (0..left.min(16)).map(|_| self.next()).collect();
                some.sort_by_key(|operation| operation.object().is_none());
                left -= some.len();
                declared += some.iter().filter(|it| it.is_declaration()).count();
                self.script.extend(some.iter().cloned());
                self.stage.play(&some).await?;
            }
            self.act(Operation::Settle).await?;
        }
        self.stage.finish().await
    }

    async fn act(&mut self, operation: Operation) -> Result<(), Divergence> {
        let result = self.stage.act(&operation).await;
        self.script.push(operation);
        result
    }

    fn next(&mut self) -> Operation {
        match self.random.below(1000) {
            0..=1 => Operation::Kill,
            2..=3 => Operation::Connect { fields: json!({"suspend": true}) },
            4..=6 => Operation::Connect { fields: json!({"policy": policy::some(&mut self.random)}) },
            7..=12 => Operation::Connect { fields: json!({}) },
            13..=22 => Operation::NoSecret { name: (*self.random.pick(&["s1", "s2"])).to_owned() },
            23..=45 => Operation::Secret { name: (*self.random.pick(&["s1", "s2"])).to_owned() },
            46..=60 => pocket::edit(&mut self.random),
            61..=165 => edit(&mut self.random),
            166..=225 => self.delete(),
            226..=400 => self.misdeclare(),
            _ => self.declare(),
        }
    }

    fn kind(&mut self) -> &'static str {
        let mut at = self.random.below(WEIGHTS.iter().sum());
        for (kind, weight) in KINDS.into_iter().zip(WEIGHTS) {
            if at < weight {
                return kind;
            }
            at -= weight;
        }
        KINDS[0]
    }

    fn delete(&mut self) -> Operation {
        let all: Vec<(String, String)> = self.stage.specs.keys().cloned().collect();
        if all.is_empty() {
            return self.declare();
        }
        let (kind, name) = self.random.pick(&all).clone();
        Operation::Delete { kind, name }
    }

    fn declare(&mut self) -> Operation {
        let kind = self.kind();
        let name = *self.random.pick(names::objects(kind));
        let present = self.stage.present();
        let spec = match self.stage.specs.get(&(kind.to_owned(), name.to_owned())) {
            Some(old) => changed(kind, name, old, &present, &mut self.random),
            None => spec(kind, name, &present, &mut self.random),
        };
        Operation::Declare { kind: kind.to_owned(), name: name.to_owned(), spec }
    }

    fn misdeclare(&mut self) -> Operation {
        let Operation::Declare { kind, name, spec } = self.declare() else { return self.declare() };
        if let Some(old) = self.stage.specs.get(&(kind.clone(), name.clone()))
            && self.random.chance(25)
            && let Some(spec) = moved(&kind, old, &spec, &mut self.random)
        {
            // Only wrong while the object is there: that it was not taken is judged by what it was.
            return Operation::Declare { kind, name, spec };
        }
        match broken(&kind, &spec, &mut self.random) {
            Some(spec) => Operation::Misdeclare { kind, name, spec },
            None => Operation::Declare { kind, name, spec },
        }
    }
}
