//! The rules that values must keep, and how Pocket ID names the first that each field breaks. Fields are checked in
//! the order of Pocket ID's own list of them, and all that is wrong is one sentence.

use std::sync::LazyLock;

use regex::Regex;

use super::failure::Failure;
use super::oidc::callback;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

static USERNAME: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-zA-Z0-9]([a-zA-Z0-9_.@-]*[a-zA-Z0-9])?$"));
static CLIENT_ID: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-zA-Z0-9._-]+$"));
static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[^\s@]+@([\p{L}0-9]([\p{L}0-9-]*[\p{L}0-9])?\.)+\p{L}{2,}$"));
static UUID: LazyLock<Regex> = LazyLock::new(|| pattern("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"));

/// A rule.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// Not empty.
    Required,
    /// So many characters at least.
    Min(usize),
    /// So many characters at most.
    Max(usize),
    /// An email address.
    Email,
    /// A user name.
    Username,
    /// A client id, but for its length.
    ClientId,
    /// A pattern of callback URLs.
    Callback,
    /// An absolute URL.
    Url,
    /// A UUID.
    Uuid,
    /// Printable ASCII.
    Printable,
}

impl Rule {
    fn is_kept(self, value: &str) -> bool {
        match self {
            Self::Required => !value.is_empty(),
            Self::Min(least) => value.chars().count() >= least,
            Self::Max(most) => value.chars().count() <= most,
            Self::Email => EMAIL.is_match(value),
            Self::Username => USERNAME.is_match(value),
            Self::ClientId => CLIENT_ID.is_match(value),
            Self::Callback => callback::is_pattern(value),
            Self::Url => url::Url::parse(value).is_ok_and(|url| url.has_host()),
            Self::Uuid => UUID.is_match(value),
            Self::Printable => value.chars().all(|c| c.is_ascii_graphic() || c == ' '),
        }
    }

    fn broken(self, field: &str) -> String {
        match self {
            Self::Required => format!("{field} is required"),
            Self::Min(least) => format!("{field} must be at least {least} characters long"),
            Self::Max(most) => format!("{field} must be at most {most} characters long"),
            Self::Email => format!("{field} must be a valid email address"),
            Self::Username => format!(
                "{field} must only contain letters, numbers, underscores, dots, hyphens, and '@' symbols and not start \
                 or end with a special character"
            ),
            Self::Url => format!("{field} must be a valid URL"),
            Self::ClientId | Self::Callback | Self::Uuid | Self::Printable => format!("{field} is invalid"),
        }
    }
}

/// What was found wrong so far.
#[derive(Debug, Default)]
pub struct Check(Vec<String>);

impl Check {
    /// Checks a field.
    #[must_use]
    pub fn field(mut self, field: &str, value: &str, rules: &[Rule]) -> Self {
        let broken = rules.iter().find(|rule| !rule.is_kept(value));
        self.0.extend(broken.map(|rule| rule.broken(field)));
        self
    }

    /// Checks a field, unless it is empty.
    #[must_use]
    pub fn optional(self, field: &str, value: &str, rules: &[Rule]) -> Self {
        if value.is_empty() { self } else { self.field(field, value, rules) }
    }

    /// Checks each entry of a list.
    #[must_use]
    pub fn each(self, field: &str, values: &[String], rules: &[Rule]) -> Self {
        let entries = values.iter().enumerate();
        entries.fold(self, |check, (index, value)| check.field(&format!("{field}[{index}]"), value, rules))
    }

    /// Checks that something is there, be it empty.
    #[must_use]
    pub fn given<T>(mut self, field: &str, value: Option<&T>) -> Self {
        if value.is_none() {
            self.0.push(Rule::Required.broken(field));
        }
        self
    }

    /// Fails if anything is wrong.
    pub fn done(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::invalid(self.0.join(", "))) }
    }
}
