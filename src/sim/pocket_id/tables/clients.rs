//! OIDC clients.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{FederatedIdentity, Secret, Tables, User};
use crate::sim::pocket_id::release::Release;

/// A client.
#[expect(clippy::struct_excessive_bools, reason = "these are the columns of the table")]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Client {
    /// A UUID, or chosen at creation.
    pub id: String,
    /// Not unique.
    pub name: String,
    /// Patterns of callback URLs.
    pub callback_urls: Vec<String>,
    /// Patterns of URLs after a logout.
    pub logout_callback_urls: Vec<String>,
    /// Whether it has no secret to prove who it is.
    pub is_public: bool,
    /// Whether codes need a verifier.
    pub pkce_enabled: bool,
    /// Whether users sign in anew each time.
    pub requires_reauthentication: bool,
    /// Whether it must push its requests first.
    pub requires_pushed_authorization: bool,
    /// Where the web interface links to.
    pub launch_url: Option<String>,
    /// Whose JWTs stand for a secret.
    pub federated_identities: Vec<FederatedIdentity>,
    /// Whether only allowed groups get in.
    pub is_group_restricted: bool,
    /// Up to 2.13 the only one, from 2.14 on all of them.
    pub secrets: Vec<Secret>,
    /// The logo.
    pub logo: Option<Logo>,
    /// The logo on dark pages.
    pub dark_logo: Option<Logo>,
    /// Since 2.10.
    pub description: String,
    /// Since 2.10.
    pub skip_consent: bool,
    /// Since 2.13; 0 is [`Lifetimes::USUAL`].
    pub lifetimes: Lifetimes,
    /// Seconds since 1970.
    pub created_at: i64,
}

/// How long tokens of a client live, in minutes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Lifetimes {
    /// Access tokens and ID tokens.
    pub access: i64,
    /// Refresh tokens.
    pub refresh: i64,
}

impl Lifetimes {
    /// Where a client does not say.
    const USUAL: Self = Self { access: 60, refresh: 43_200 };
}

/// An uploaded picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Logo {
    /// Such as `image/png`.
    pub content_type: String,
    base64: String,
}

impl Logo {
    /// Keeps a picture.
    pub fn new(content_type: &str, bytes: &[u8]) -> Self {
        Self { content_type: content_type.to_owned(), base64: STANDARD.encode(bytes) }
    }

    /// The picture.
    pub fn bytes(&self) -> Vec<u8> {
        STANDARD.decode(&self.base64).unwrap_or_default()
    }
}

impl Client {
    /// What everybody may know.
    pub fn meta(&self) -> Map<String, Value> {
        let value = json!({
            "id": self.id,
            "name": self.name,
            "hasLogo": self.logo.is_some(),
            "hasDarkLogo": self.dark_logo.is_some(),
            "launchURL": self.launch_url,
            "requiresReauthentication": self.requires_reauthentication,
        });
        value.as_object().cloned().unwrap_or_default()
    }

    /// All but the groups that it lets in.
    pub fn shown(&self, release: Release, now: i64) -> Map<String, Value> {
        let mut shown = self.meta();
        let mut add = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        add("callbackURLs", json!(self.callback_urls));
        add("logoutCallbackURLs", json!(self.logout_callback_urls));
        add("isPublic", json!(self.is_public));
        add("pkceEnabled", json!(self.pkce_enabled));
        add("requiresPushedAuthorizationRequests", json!(self.requires_pushed_authorization));
        add("isGroupRestricted", json!(self.is_group_restricted));
        add("credentials", self.credentials(release, now));
        if release.describes_clients() {
            add("description", json!(self.description));
            add("skipConsent", json!(self.skip_consent));
        }
        if release.has_token_lifetimes() {
            let Lifetimes { access, refresh } = self.lifetimes(release);
            add("accessTokenDurationMinutes", json!(access));
            add("refreshTokenDurationMinutes", json!(refresh));
        }
        shown
    }

    /// How long its tokens live in a release.
    pub fn lifetimes(&self, release: Release) -> Lifetimes {
        let said = if release.has_token_lifetimes() { self.lifetimes } else { Lifetimes::USUAL };
        let or_usual = |said, usual| if said == 0 { usual } else { said };
        Lifetimes {
            access: or_usual(said.access, Lifetimes::USUAL.access),
            refresh: or_usual(said.refresh, Lifetimes::USUAL.refresh),
        }
    }

    fn credentials(&self, release: Release, now: i64) -> Value {
        let mut shown = Map::new();
        if !self.federated_identities.is_empty() {
            let identities = self.federated_identities.iter().map(FederatedIdentity::shown);
            shown.insert("federatedIdentities".to_owned(), identities.collect());
        }
        if release.lists_secrets() {
            shown.insert("secrets".to_owned(), self.secrets.iter().map(|secret| secret.shown(now)).collect());
        }
        Value::Object(shown)
    }

    /// Whether this is one of its secrets.
    pub fn has_secret(&self, secret: &str, now: i64) -> bool {
        self.secrets.iter().any(|kept| kept.is(secret, now))
    }
}

impl Tables {
    /// The client with this id.
    pub fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// The client with this id, to change it.
    pub fn client_mut(&mut self, id: &str) -> Option<&mut Client> {
        self.clients.iter_mut().find(|client| client.id == id)
    }

    /// How many groups a client lets in.
    pub fn allowed_count(&self, client: &str) -> usize {
        self.allowed.iter().filter(|(of, _)| of == client).count()
    }

    /// The groups that a client lets in.
    pub fn allowed_shown(&self, client: &str) -> Value {
        let is_allowed = |group: &str| self.allowed.contains(&(client.to_owned(), group.to_owned()));
        self.groups.iter().filter(|group| is_allowed(&group.id)).map(super::Group::shown_as_part).collect()
    }

    /// Whether a user gets in at a client.
    pub fn lets_in(&self, client: &Client, user: &User) -> bool {
        let is_allowed = |group: &str| self.allowed.contains(&(client.id.clone(), group.to_owned()));
        !client.is_group_restricted || self.groups_of_user(&user.id).any(|group| is_allowed(&group.id))
    }

    /// Takes a client and all that is its own out of the tables.
    pub fn remove_client(&mut self, id: &str) {
        self.clients.retain(|client| client.id != id);
        self.allowed.retain(|(client, _)| client != id);
        self.codes.retain(|code| code.grant.client != id);
        self.refreshes.retain(|refresh| refresh.grant.client != id);
        self.consents.retain(|(_, client, _)| client != id);
    }
}
