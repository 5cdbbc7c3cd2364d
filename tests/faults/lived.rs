//! What became of a life, to be compared with that of another one.

use serde_json::Value;

/// What stood after each part of a life, and which writes were successful that make or remove something.
#[derive(Debug, PartialEq, Eq)]
pub struct Lived {
    pub stood: [Value; 3],
    pub births: Vec<String>,
    pub deaths: Vec<String>,
    /// How many secrets were made for what stood already.
    pub secrets: usize,
}

/// So many answers with a secret are lost in a life with faults: that of the first one, of another one for it, and of the next
/// one. Each is made up for by one secret more.
const LOST: usize = 3;

impl Lived {
    /// Was the same as another life.
    pub fn is_as(&self, expected: &Self, what: &str) {
        let Self { stood, births, deaths, secrets } = self;
        for (part, (stood, expected)) in ["made", "changed", "removed"].iter().zip(stood.iter().zip(&expected.stood)) {
            let lines = |value: &Value| format!("{value:#}").lines().map(str::to_owned).collect::<Vec<_>>();
            let (stood, expected) = (lines(stood), lines(expected));
            let beside: Vec<_> = stood.iter().filter(|line| !expected.contains(line)).collect();
            let missing: Vec<_> = expected.iter().filter(|line| !stood.contains(line)).collect();
            assert!(stood == expected, "{what}, {part}: beside {beside:#?}, missing {missing:#?}");
        }
        assert_eq!(births, &expected.births, "{what}: what was made");
        assert_eq!(deaths, &expected.deaths, "{what}: what was removed");
        assert!(*secrets <= expected.secrets + LOST, "{what}: {secrets} secrets and not {}", expected.secrets);
    }
}
