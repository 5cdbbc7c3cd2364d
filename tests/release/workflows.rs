//! The workflows of the public repository.

use serde_json::Value;

use crate::{path, text};

fn workflows() -> Vec<(String, Value)> {
    let files = std::fs::read_dir(path(".github/workflows")).expect("workflows").map(|entry| entry.expect("an entry"));
    let name = |entry: std::fs::DirEntry| format!(".github/workflows/{}", entry.file_name().to_string_lossy());
    files.map(name).map(|name| (name.clone(), serde_saphyr::from_str(&text(&name)).expect("YAML"))).collect()
}

fn steps(workflow: &Value) -> Vec<&Value> {
    let jobs = workflow["jobs"].as_object().expect("jobs").values();
    jobs.flat_map(|job| job["steps"].as_array().expect("steps")).collect()
}

#[test]
fn every_change_is_tested_as_people_test_it() {
    let ci: Value = serde_saphyr::from_str(&text(".github/workflows/ci.yml")).expect("YAML");
    assert!(ci["on"].as_object().expect("events").contains_key("pull_request"));
    let runs: Vec<&str> = steps(&ci).into_iter().filter_map(|step| step["run"].as_str()).collect();
    assert!(runs.contains(&"make test"), "{runs:?}");
    assert!(runs.contains(&"make deny"), "{runs:?}");
    assert!(runs.iter().any(|run| run.starts_with("make image")), "{runs:?}");
    assert!(text(".ci/run").contains("make test"));
}

#[test]
fn workflows_take_actions_by_commit_and_may_only_read() {
    for (name, workflow) in workflows() {
        assert_eq!(workflow["permissions"], serde_json::json!({"contents": "read"}), "{name}");
        for action in steps(&workflow).into_iter().filter_map(|step| step["uses"].as_str()) {
            let (_, commit) = action.split_once('@').expect("a version");
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}: {action}");
        }
    }
}
