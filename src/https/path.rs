//! Paths of requests.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a path component, beside letters and digits.
const COMPONENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b'!');

/// Puts ids in place of `{…}`, in order; `None` for an id that cannot be sent: one of dots alone is a step in the tree to
/// every URL parser.
pub(crate) fn filled(template: &str, ids: &[String]) -> Option<String> {
    let (mut path, mut rest) = (String::new(), template);
    for id in ids {
        if matches!(id.as_str(), "" | "." | "..") {
            return None;
        }
        let (before, place) = rest.split_once('{')?;
        let (_, after) = place.split_once('}')?;
        path.push_str(before);
        path.extend(utf8_percent_encode(id, COMPONENT));
        rest = after;
    }
    path.push_str(rest);
    Some(path)
}
