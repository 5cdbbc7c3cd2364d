//! What Pocket ID calls its things. Ids of groups, users and secrets are made by Pocket ID and are only observed.

use std::fmt;
use std::sync::Arc;

use crate::core::ids::IdError;

macro_rules! observed {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes an id that Pocket ID showed.
            pub fn observed(text: &str) -> Self {
                Self(text.into())
            }

            /// The id as Pocket ID writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

observed!(
    /// A user group, a UUID.
    GroupId
);
observed!(
    /// A user, a UUID.
    UserId
);
observed!(
    /// One of several secrets of a client, a UUID.
    SecretId
);
observed!(
    /// An OIDC client. Its id may be chosen when it is made, and never changes (recording `client-id-choice`).
    ClientId
);

impl UserId {
    /// The user of the static API key: it is in every list and belongs to nobody (FACTS 5).
    pub const STATIC: &str = "00000000-0000-0000-0000-000000000000";
}

impl ClientId {
    /// What is allowed, as a sentence for people.
    pub const RULE: &'static str = "2 to 128 letters, digits, '.', '-' or '_'";

    /// Takes an id that somebody wrote.
    ///
    /// # Errors
    /// When Pocket ID would refuse it.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if (2..=128).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(IdError { what: "client id", given: text.to_owned(), rule: Self::RULE })
        }
    }
}
