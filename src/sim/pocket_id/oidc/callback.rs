//! Callback URLs: which patterns a client may have, and which URLs they admit (FACTS 3, recording
//! `oidc-callback-patterns`).
//!
//! Scheme and port must match. `*` in a host stands for any labels, as a port for any port, also none. In a path `*`
//! is one part and `**` any number. A path that is left out is `/`. Fragments do not count.

use regex::Regex;
use url::Url;

/// Schemes that run code in the browser.
const REFUSED: [&str; 3] = ["javascript", "data", "vbscript"];

/// A pattern, or a URL, in the parts that are compared.
struct Parts {
    scheme: String,
    user: String,
    host: String,
    port: String,
    path: String,
    query: Vec<(String, String)>,
}

impl Parts {
    fn of(text: &str) -> Option<Self> {
        let text = text.split('#').next().unwrap_or_default();
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, rest) = text.split_once(':')?;
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (address, ""),
        };
        let usual = matches!((scheme.as_str(), port), ("https", "443") | ("http", "80"));
        Some(Self {
            user: user.to_owned(),
            host: host.to_ascii_lowercase(),
            port: if usual { String::new() } else { port.to_owned() },
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            scheme,
        })
    }
}

/// Whether a client may have this pattern.
pub fn is_pattern(pattern: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let Some(parts) = Parts::of(pattern) else { return false };
    // What the stars stand for does not matter for the form, but in a port it must be a number.
    let sample = pattern.replace(":*", ":1").replace('*', "x");
    !REFUSED.contains(&parts.scheme.as_str()) && Url::parse(&sample).is_ok()
}

/// Whether a pattern admits a URL.
pub fn admits(pattern: &str, url: &str) -> bool {
    if pattern == "*" || pattern == url {
        return true;
    }
    let Some(pattern) = Parts::of(pattern) else { return false };
    // In the form that a browser gives it, without dots in the path.
    let Some(url) = Url::parse(url).ok().and_then(|url| Parts::of(url.as_str())) else { return false };
    let same_query = pattern.query.len() == url.query.len()
        && pattern.query.iter().zip(&url.query).all(|(want, got)| want.0 == got.0 && fits(&want.1, &got.1, ".*"));
    pattern.scheme == url.scheme
        && pattern.user == url.user
        && fits(&pattern.host, &url.host, ".*")
        && fits(&pattern.port, &url.port, ".*")
        && fits(&pattern.path, &url.path, "[^/]+")
        && same_query
}

/// Whether a text fits a pattern where `*` is what `star` says, and `**` anything.
fn fits(pattern: &str, text: &str, star: &str) -> bool {
    let literal = regex::escape(pattern);
    let expression = literal.replace(r"\*\*", "\0").replace(r"\*", star).replace('\0', ".*");
    Regex::new(&format!("(?s)^{expression}$")).is_ok_and(|expression| expression.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::{admits, is_pattern};

    #[test]
    fn patterns_admit_urls() {
        let cases = [
            ("https://pve.example.com", "https://pve.example.com/", true),
            ("https://pve.example.com:443", "https://pve.example.com", true),
            ("https://pve.example.com", "https://pve.example.com/deep", false),
            ("https://pve.example.com/*", "https://pve.example.com/a", true),
            ("https://pve.example.com/*", "https://pve.example.com/a/b", false),
            ("https://pve.example.com/*", "https://pve.example.com/", false),
            ("https://pve.example.com/**", "https://pve.example.com/a/b", true),
            ("https://pve.example.com/a", "https://pve.example.com/b/../a", true),
            ("https://*.example.com", "https://evil.com/.example.com", false),
            ("https://*.example.com", "https://a@b.example.com", false),
            ("https://pve.example.com:*", "https://pve.example.com:1@evil.com", false),
            ("https://pve.example.com?x=*", "https://pve.example.com/?x=1", true),
            ("https://pve.example.com?x=*", "https://pve.example.com/", false),
            ("https://pve.example.com", "https://pve.example.com/?x=1", false),
            ("https://[fd00::1]:8006", "https://[fd00::1]:8006/", true),
            ("https://[fd00::1]", "https://[fd00::2]", false),
            ("*", "https://anywhere.example.com", true),
            ("https://pve.example.com", "not a url", false),
        ];
        for (pattern, url, admitted) in cases {
            assert_eq!(admits(pattern, url), admitted, "{pattern} {url}");
        }
    }

    #[test]
    fn patterns_are_urls_but_for_their_stars() {
        let cases = [
            ("https://*.example.com:*/**", true),
            ("app.example:/done", true),
            ("https://", false),
            ("JavaScript:alert(1)", false),
            ("data:text/html,x", false),
            ("pve.example.com", false),
        ];
        for (pattern, valid) in cases {
            assert_eq!(is_pattern(pattern), valid, "{pattern}");
        }
    }
}
