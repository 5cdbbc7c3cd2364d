//! Which texts have the shape of an identifier that PVE takes and keeps.

use super::MAX_ID;

fn word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID && text.chars().all(word_char)
}

/// A word that can stand in the path of a URL: there `.` and `..` are steps in the tree.
pub(super) fn is_component(text: &str) -> bool {
    is_word(text) && !matches!(text, "." | "..")
}

pub(super) fn is_group(text: &str) -> bool {
    is_component(text) && text != "0"
}

fn letter_first(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
}

pub(super) fn is_realm(text: &str) -> bool {
    (2..=32).contains(&text.len()) && is_word(text) && letter_first(text)
}

pub(super) fn is_job(text: &str) -> bool {
    (2..=64).contains(&text.len())
        && letter_first(text)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

pub(super) fn is_user(text: &str) -> bool {
    let Some((name, realm)) = text.rsplit_once('@') else { return false };
    (3..=64).contains(&text.chars().count())
        && !name.is_empty()
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, ':' | '/' | ',' | ';'))
        && is_realm(realm)
}

pub(super) fn is_token(text: &str) -> bool {
    let Some((user, token)) = text.rsplit_once('!') else { return false };
    is_user(user) && token.len() >= 2 && is_word(token) && letter_first(token)
}

pub(super) fn is_guest(text: &str) -> bool {
    (3..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
}

pub(super) fn is_storage(text: &str) -> bool {
    text.len() >= 2 && is_word(text) && letter_first(text) && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

pub(super) fn is_pool(text: &str) -> bool {
    text.len() <= MAX_ID
        && (1..=3).contains(&text.split('/').count())
        && text.split('/').all(|level| is_word(level) && letter_first(level))
}

pub(super) fn is_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    text.len() <= 1024
        && (rest.is_empty()
            || rest.split('/').all(|part| !part.is_empty() && part != ".." && part.chars().all(word_char)))
}

pub(super) fn is_fingerprint(text: &str) -> bool {
    text.split(':').count() == 32
        && text.split(':').all(|pair| pair.len() == 2 && pair.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')))
}
