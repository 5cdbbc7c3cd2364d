//! Sign-ins that have begun and not ended, by the state that comes back from the provider.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};

/// Nobody takes longer at the provider.
const LIFETIME: Duration = Duration::from_mins(10);

/// What is kept while somebody is at the provider.
pub struct SignIn {
    /// Which realm it is for.
    pub realm: String,
    /// Comes back in the ID token.
    pub nonce: Nonce,
    /// Proves that the code is redeemed by who asked for it.
    pub verifier: PkceCodeVerifier,
}

/// All that are under way.
#[derive(Default)]
pub struct SignIns(BTreeMap<String, (Instant, SignIn)>);

impl SignIns {
    /// One more, begun at `now`. What has become too old is forgotten.
    pub fn begin(&mut self, state: &CsrfToken, sign_in: SignIn, now: Instant) {
        self.0.retain(|_, (begun, _)| now.duration_since(*begun) < LIFETIME);
        self.0.insert(state.secret().clone(), (now, sign_in));
    }

    /// The one of this state; it ends with this.
    pub fn take(&mut self, state: &str, now: Instant) -> Option<SignIn> {
        let (begun, sign_in) = self.0.remove(state)?;
        (now.duration_since(begun) < LIFETIME).then_some(sign_in)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge};

    use super::{LIFETIME, SignIn, SignIns};

    #[test]
    fn a_state_ends_one_sign_in_within_ten_minutes() {
        let begun = Instant::now();
        for (waited, taken) in [(Duration::from_secs(599), true), (LIFETIME, false)] {
            let mut sign_ins = SignIns::default();
            let (_, verifier) = PkceCodeChallenge::new_random_sha256();
            let sign_in = SignIn { realm: "oid".to_owned(), nonce: Nonce::new_random(), verifier };
            sign_ins.begin(&CsrfToken::new("state".to_owned()), sign_in, begun);
            assert!(sign_ins.take("other", begun).is_none());
            assert_eq!(sign_ins.take("state", begun + waited).is_some(), taken, "{waited:?}");
            assert!(sign_ins.take("state", begun).is_none(), "it is used");
        }
    }
}
