//! Why somebody does not get in. Whoever asks sees only a 401; the log says more.

/// Why a sign-in ends with a 401.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is none, it was used already, or it is too old.
    #[error("no sign-in under way has this state")]
    State,
    /// The realm is gone, or the provider does not answer any more.
    #[error("the realm cannot be used: {0}")]
    Realm(String),
    /// The redirect URL is no URL.
    #[error("the redirect URL cannot be used: {0}")]
    RedirectUrl(#[from] url::ParseError),
    /// The provider gives no tokens for the code.
    #[error("the provider gives no tokens: {0}")]
    Code(String),
    /// The ID token is not good.
    #[error("the ID token is refused: {0}")]
    IdToken(String),
    /// The provider does not say who it is.
    #[error("the provider does not answer who it is: {0}")]
    UserInfo(String),
    /// The claim that has the name is missing, or no text.
    #[error("claim '{0}' with the name of the user is not found")]
    NoName(String),
    /// The name makes no id of a user.
    #[error("{0}")]
    Name(String),
    /// The user does not exist, and the realm makes none.
    #[error("user '{0}' does not exist, and its realm has no autocreate")]
    Unknown(String),
    /// The user may not log in.
    #[error("user '{0}' is disabled or expired")]
    Inactive(String),
}
