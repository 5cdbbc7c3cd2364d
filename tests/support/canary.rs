//! Secrets, in whatever form somebody might tell them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Whether a text tells a secret: as it is, in the escapes of a URL, or in base64, as Kubernetes writes its Secrets.
pub fn tells(text: &str, secret: &str) -> bool {
    forms(secret).iter().any(|form| text.contains(form))
}

/// What a text has in it that tells a secret.
pub fn forms(secret: &str) -> Vec<String> {
    let escaped = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    [secret.to_owned(), escaped].into_iter().chain((0..3).map(|before| in_base64(secret, before))).collect()
}

/// What of base64 depends on a secret alone, where so many bytes of its first three stand before it.
fn in_base64(secret: &str, before: usize) -> String {
    let bytes = [&vec![0; before], secret.as_bytes()].concat();
    let whole = STANDARD_NO_PAD.encode(&bytes);
    let shared_before = (before * 8).div_ceil(6);
    let shared_after = usize::from(bytes.len() * 8 % 6 != 0);
    whole[shared_before..whole.len() - shared_after].to_owned()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_secret_is_found_in_any_form_and_wherever_it_stands() {
        let secret = "5c2b1ff1/2fae+4a11";
        assert!(tells(&format!("key={secret}"), secret));
        assert!(tells("key=5c2b1ff1%2F2fae%2B4a11", secret));
        for around in ["", "a", "ab", "abc", "abcd"] {
            let told = STANDARD.encode(format!("{around}{secret}{around}"));
            assert!(tells(&format!("{{\"token\":\"{told}\"}}"), secret), "{around}");
            assert!(!tells(&STANDARD.encode(format!("{around}5c2b1ff2/2fae+4a11")), secret), "{around}");
        }
    }
}
