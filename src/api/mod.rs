//! The Kubernetes kinds.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Succeeded,
    Progressing,
    ProgressingWithRetry,
    Observed,
    Suspended,
    AuthenticationFailed,
    APIUnavailable,
    CertificateMismatch,
    ClusterChanged,
    SecretNotFound,
    DependencyNotReady,
    ConnectionNotFound,
    ConnectionNotReady,
    InvalidSpec,
    AlreadyExists,
    Forbidden,
    NoQuorum,
    LockTimeout,
    Conflict,
    WouldLockOut,
    DeletionBlocked,
    Deleting,
    UnexpectedAnswer,
}
impl AsRef<str> for Reason {
    fn as_ref(&self) -> &str {
        "x"
    }
}
