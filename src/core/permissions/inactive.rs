//! Who may do nothing at all, and why.

use std::fmt;

use k8s_openapi::jiff::Timestamp;

use super::evaluate::Source;
use super::{Directory, Rights};
use crate::core::ids::{Subject, UserId};

/// Why somebody may do nothing at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inactive {
    /// It is not there.
    Missing(Subject),
    /// A user that may not log in.
    Disabled(UserId),
    /// Its time is over, since so many seconds after 1970.
    Expired(Subject, i64),
}

impl Directory {
    /// False for a user that is missing, disabled or expired.
    pub fn is_active(&self, user: &UserId, now: i64) -> bool {
        self.inactive_user(user, now).is_none()
    }

    pub(super) fn inactive_user(&self, user: &UserId, now: i64) -> Option<Inactive> {
        let subject = || Subject::User(user.clone());
        match self.users.get(user) {
            None => Some(Inactive::Missing(subject())),
            Some(state) if !state.enabled => Some(Inactive::Disabled(user.clone())),
            Some(state) if !alive(state.expire, now) => Some(Inactive::Expired(subject(), state.expire)),
            Some(_) => None,
        }
    }
}

impl Rights<'_> {
    /// Whether these are the rights of somebody who is not there.
    pub fn is_of_nobody(&self) -> bool {
        matches!(self.source, Source::Nothing(Inactive::Missing(_)))
    }
}

pub(super) fn alive(expire: i64, now: i64) -> bool {
    expire == 0 || expire > now
}

impl fmt::Display for Inactive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(subject) => write!(f, "{subject} does not exist in Proxmox VE"),
            Self::Disabled(user) => write!(f, "user {user} is disabled in Proxmox VE"),
            Self::Expired(subject, at) => match Timestamp::from_second(*at) {
                Ok(at) => write!(f, "{subject} expired at {at}"),
                Err(_) => write!(f, "{subject} expired"),
            },
        }
    }
}
