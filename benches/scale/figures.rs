//! What was measured, kept beside the rig, so that the page can be made again.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;

/// The label of the program as it stands.
pub const NOW: &str = "now";

/// All figures: by label, then by scenario.
pub type All = BTreeMap<String, BTreeMap<String, Figures>>;

/// The figures of one scenario, by name.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Notes a figure, with no more digits than mean anything.
    pub fn set(&mut self, name: impl Into<String>, value: f64) {
        let digits = 10f64.powi(4);
        self.0.insert(name.into(), (value * digits).round() / digits);
    }

    /// A figure, if it was measured.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }
}

/// A count as a figure.
pub fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).expect("a small number"))
}

/// A larger count as a figure.
#[expect(clippy::cast_precision_loss, reason = "nobody counts so far")]
pub fn whole(of: u64) -> f64 {
    of as f64
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, value)| writeln!(f, "  {name} {value}"))
    }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/scale/figures.json")
}

/// All that was measured until now.
pub fn all() -> All {
    let text = fs::read_to_string(file()).unwrap_or_else(|_| "{}".to_owned());
    serde_json::from_str(&text).expect("figures")
}

/// Keeps the figures of a scenario in place of the former ones.
pub fn keep(label: &str, scenario: &str, figures: Figures) {
    let mut all = all();
    all.entry(label.to_owned()).or_default().insert(scenario.to_owned(), figures);
    let text = serde_json::to_string_pretty(&all).expect("JSON");
    fs::write(file(), text + "\n").expect("a file");
}
