//! One toolchain builds, tests and releases.

use crate::text;

/// The version that the project says it needs.
const VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

#[test]
fn the_oldest_toolchain_is_the_one_that_everything_is_built_and_tested_with() {
    assert!(text("rust-toolchain.toml").contains(&format!("\nchannel = \"{VERSION}\"\n")));
    let base = format!("\nARG RUST=docker.io/library/rust:{VERSION}-bookworm\n");
    assert!(text("Dockerfile").contains(&base), "the image is built with {VERSION}");
}

#[test]
fn the_image_says_which_version_it_is() {
    assert!(text("Dockerfile").contains(&format!("\nARG VERSION={}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_image_is_built_from_what_docker_is_given() {
    let ignored = text(".dockerignore");
    let mut given: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().any(|line| line == "*"), "nothing else is given");
    let dockerfile = text("Dockerfile");
    let copied =
        dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|it| !it.starts_with("--from"));
    let mut used = Vec::new();
    for line in copied {
        let words: Vec<&str> = line.split(' ').collect();
        let (_, sources) = words.split_last().expect("a target");
        used.extend(sources.iter().map(|source| source.split('/').next().unwrap_or_default().to_owned()));
    }
    given.sort_unstable();
    used.sort();
    used.dedup();
    assert_eq!(used, given);
    let script = text("image/reproducible.sh");
    let copied = script.lines().find_map(|line| line.trim().strip_prefix("cp -R ")).expect("what is built twice");
    let mut copied: Vec<&str> =
        copied.split(' ').filter(|it| !it.contains('$') && *it != "rust-toolchain.toml").collect();
    copied.sort_unstable();
    assert_eq!(copied, given, "what is built twice is what is released");
}
