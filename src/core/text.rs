//! Free text as PVE stores it, and as people read it.

use std::fmt::Display;

/// A comment of a group or pool as it comes back: spaces at both ends are cut, newlines and tabs stay, and `0` is
/// stored as nothing (recordings `groups-comment`, `pools-comment`).
pub fn stored_comment(text: &str) -> &str {
    match text.trim_matches(' ') {
        "0" => "",
        stored => stored,
    }
}

/// True when PVE would store both alike.
pub fn same_comment(a: &str, b: &str) -> bool {
    stored_comment(a) == stored_comment(b)
}

/// Names the first so many, and says how many more there are: a message has its limit.
pub fn first_of(all: &[impl Display], most: usize, between: &str) -> String {
    let shown: Vec<String> = all.iter().take(most).map(ToString::to_string).collect();
    let shown = shown.join(between);
    let joint = if between == "; " { between } else { " " };
    match all.len().saturating_sub(most) {
        0 => shown,
        rest => format!("{shown}{joint}and {rest} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_are_named() {
        for (all, most, between, said) in [
            (&[][..], 2, ", ", ""),
            (&["a", "b"], 2, ", ", "a, b"),
            (&["a", "b", "c"], 2, ", ", "a, b and 1 more"),
            (&["a", "b", "c"], 1, "; ", "a; and 2 more"),
        ] {
            assert_eq!(first_of(all, most, between), said);
        }
    }

    #[test]
    fn comments_compare_as_pve_stores_them() {
        for (a, b, same) in [
            ("  spaces around  ", "spaces around", true),
            ("0", "", true),
            (" ", "", true),
            ("00", "", false),
            ("trailing newline\n", "trailing newline", false),
            ("a", "A", false),
        ] {
            assert_eq!(same_comment(a, b), same, "{a:?} {b:?}");
        }
    }
}
