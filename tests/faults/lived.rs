//! What became of a life, to be compared with that of another one.

use serde_json::Value;

/// What stood after each part of a life, and which writes were successful that make or remove something.
#[derive(Debug, PartialEq, Eq)]
pub struct Lived {
    pub stood: [Value; 3],
    pub births: Vec<String>,
    pub deaths: Vec<String>,
}

impl Lived {
    /// Was the same as another life.
    pub fn is_as(&self, expected: &Self, what: &str) {
        let Self { stood, births, deaths } = self;
        for (part, (stood, expected)) in ["made", "changed", "removed"].iter().zip(stood.iter().zip(&expected.stood)) {
            let lines = |value: &Value| format!("{value:#}").lines().map(str::to_owned).collect::<Vec<_>>();
            let (stood, expected) = (lines(stood), lines(expected));
            let beside: Vec<_> = stood.iter().filter(|line| !expected.contains(line)).collect();
            let missing: Vec<_> = expected.iter().filter(|line| !stood.contains(line)).collect();
            assert!(stood == expected, "{what}, {part}: beside {beside:#?}, missing {missing:#?}");
        }
        assert_eq!(births, &expected.births, "{what}: what was made");
        assert_eq!(deaths, &expected.deaths, "{what}: what was removed");
    }
}
