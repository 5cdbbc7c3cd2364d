//! What SECURITY.md promises is tested.

use std::collections::{BTreeMap, BTreeSet};

use crate::text;

/// The tables' rows that begin with an id, each as the cells after it.
fn rows() -> BTreeMap<String, Vec<String>> {
    let page = text("SECURITY.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    let rows = cells.filter(|cells| is_id(&cells[0]));
    let mut found = BTreeMap::new();
    for mut cells in rows {
        let id = cells.remove(0);
        assert!(found.insert(id.clone(), cells).is_none(), "{id} is there twice");
    }
    found
}

fn is_id(word: &str) -> bool {
    word.len() == 3 && word.starts_with(['A', 'T', 'C']) && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

fn of(rows: &BTreeMap<String, Vec<String>>, letter: char) -> BTreeSet<String> {
    rows.keys().filter(|id| id.starts_with(letter)).cloned().collect()
}

fn ids(cell: &str) -> BTreeSet<String> {
    cell.split(", ").map(str::to_owned).collect()
}

/// The tests of a control, each with its file, which is named once before them.
fn tests(cell: &str) -> Vec<(&str, &str)> {
    let (mut tests, mut file) = (Vec::new(), "");
    for word in cell.split('`').skip(1).step_by(2) {
        if word.contains('/') {
            file = word;
        } else {
            tests.push((file, word));
        }
    }
    tests
}

#[test]
fn every_threat_is_to_something_and_has_controls_and_all_are_needed() {
    let rows = rows();
    let (assets, threats, controls) = (of(&rows, 'A'), of(&rows, 'T'), of(&rows, 'C'));
    let (mut threatened, mut used) = (BTreeSet::new(), BTreeSet::new());
    for threat in &threats {
        let [_, about, against, _] = rows[threat].as_slice() else { panic!("{threat} has other columns") };
        threatened.extend(ids(about));
        used.extend(ids(against));
    }
    assert_eq!(threatened, assets);
    assert_eq!(used, controls);
    assert!(threats.len() > 5);
}

#[test]
fn every_control_is_proven_by_tests_that_exist() {
    let rows = rows();
    for control in of(&rows, 'C') {
        let tests = tests(rows[&control].last().expect("tests"));
        assert!(!tests.is_empty(), "{control} has no test");
        for (file, name) in tests {
            let source = text(file);
            let (before, _) =
                source.split_once(&format!("fn {name}(")).unwrap_or_else(|| panic!("{control}: {file} has no {name}"));
            let attribute = before.trim_end_matches("async ").trim_end().lines().last().expect("a line").trim();
            assert!(
                attribute.starts_with("#[test]") || attribute.starts_with("#[tokio::test"),
                "{control}: {name}: {attribute}"
            );
        }
    }
}
