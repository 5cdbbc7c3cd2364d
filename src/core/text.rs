//! Free text as PVE stores it.

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

#[cfg(test)]
mod tests {
    use super::*;

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
