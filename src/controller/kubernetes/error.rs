//! Why a call to Kubernetes did not work.

use kube::core::Status;

use crate::permit::Lapsed;

/// Why a call did not work.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// The apiserver or the way to it.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// No answer in time.
    #[error("the apiserver did not answer in time")]
    Timeout,
    /// This replica may not write any more; nothing was sent.
    #[error(transparent)]
    Lapsed(#[from] Lapsed),
}

impl KubernetesError {
    /// True when the object, or the one of this uid, is not there any more.
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Api(kube::Error::Api(status)) => is_not_there(status) || is_for_a_namesake(status),
            Self::Api(_) | Self::Timeout | Self::Lapsed(_) => false,
        }
    }

    /// True when others wrote to the object at the same time, again and again: to be tried once more.
    pub(super) fn is_contended(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.code == 409 && !is_for_a_namesake(status))
    }
}

/// True when the apiserver says that there is no such object. Any other 404 is of something in between, or of a kind that
/// is not served: that says nothing about the object.
fn is_not_there(status: &Status) -> bool {
    status.code == 404 && status.reason == "NotFound"
}

/// What was read, or nothing where the apiserver says that there is none.
pub(super) fn found<T>(read: Result<T, kube::Error>) -> Result<Option<T>, kube::Error> {
    match read {
        Err(kube::Error::Api(status)) if is_not_there(&status) => Ok(None),
        read => read.map(Some),
    }
}

/// True when the object of the name has another uid (422), or none is there and the write would make one (409, which a
/// write that lost against others gets too; only the words tell them apart).
fn is_for_a_namesake(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    match status.code {
        409 => status.message.contains("uid mismatch"),
        422 => causes.into_iter().any(|cause| cause.field == "metadata.uid"),
        _ => false,
    }
}
