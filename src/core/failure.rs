//! Why a request to a remote system did not do what it should.

/// A failed request: what kind, and a sentence that may stand in a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What it means for the plan.
    pub kind: FailureKind,
    /// What happened and what to do, without bodies or secrets, at most 300 characters.
    pub message: String,
}

/// What a failure means for the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The credential is wrong, expired or disabled (401).
    Authentication,
    /// The server's certificate is not the pinned one, or no authority we trust signed it. Nothing was sent.
    Certificate,
    /// No connection, or an answer that is not PVE's (an HTML page, a 404, 502 of something in between).
    /// A read, or a write that surely did not take effect.
    Unreachable,
    /// A write was sent and its answer was lost: it may have taken effect.
    Lost,
    /// The credential has too few rights (403, also inside a 500).
    Forbidden,
    /// PVE says that the thing itself is not there.
    Gone,
    /// PVE says that something which the write refers to (user, group, role, parent pool) is not there.
    MissingReference,
    /// PVE says that it is there already.
    AlreadyExists,
    /// PVE refuses the parameters (400, also inside a 500).
    Invalid,
    /// Another writer held the lock of the file too long.
    LockTimeout,
    /// The cluster has no quorum and cannot write.
    NoQuorum,
    /// The file changed between our read and our write (digest).
    Changed,
    /// PVE tried to reach a directory as it was asked to, and could not: the change was not taken.
    CheckFailed,
    /// Anything else PVE says.
    Other,
}
