//! The page about reliability names tests that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::{path, read};

/// The names of all tests in the sources.
fn tests() -> BTreeSet<String> {
    let (mut found, mut folders): (BTreeSet<String>, Vec<PathBuf>) =
        (BTreeSet::new(), vec![path("src"), path("tests")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(path).expect("a file");
                let name = |line: &str| Some(line.split_once("fn ")?.1.split(['(', '<']).next()?.to_owned());
                let marks = ["#[test]", "#[tokio::test"];
                let marked = marks.into_iter().flat_map(|mark| text.split(mark).skip(1));
                found.extend(marked.filter_map(|after| after.lines().find_map(name)));
            }
        }
    }
    found
}

#[test]
fn each_fault_names_tests_that_there_are() {
    let (page, tests) = (read("docs/reliability.md"), tests());
    // The tables after it are results.
    let faults =
        page.lines().skip_while(|line| *line != "## Fault by fault").take_while(|line| *line != "## Kill points");
    let rows: Vec<&str> = faults.filter(|line| line.starts_with("| ") && !line.starts_with("| fault |")).collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in rows {
        let shown_by = row.trim_end_matches(" |").rsplit(" | ").next().expect("a column");
        let named: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test is named: {row}");
        for name in named {
            assert!(tests.contains(name), "there is no test {name}: {row}");
        }
    }
}
