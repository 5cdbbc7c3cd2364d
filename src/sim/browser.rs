//! A person with a browser who signs in to Proxmox VE with Pocket ID: what the web interfaces of both would do, against
//! the simulators.
//!
//! [`Browser::sign_in`] is the whole way; its parts are there for those who want to go astray on it:
//! [`Browser::begin`] at Proxmox VE, [`Browser::agree`] at Pocket ID, [`Browser::come_back`] to Proxmox VE.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::SET_COOKIE;
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::{https, pocket_id, pve};

/// A browser, with ways to both.
pub struct Browser<'a> {
    pve: &'a pve::Simulator,
    pocket_id: &'a pocket_id::Simulator,
    http: reqwest::Client,
}

/// What Pocket ID gives somebody who agreed to sign in at Proxmox VE.
#[derive(Debug, Clone)]
pub struct Agreed {
    /// Tells Proxmox VE which sign-in it is.
    pub state: String,
    /// The authorization code.
    pub code: SecretString,
}

/// Somebody who is signed in at Proxmox VE.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// For the cookie `PVEAuthCookie`.
    pub ticket: SecretString,
    /// Id of the user, `name@realm`.
    pub user: String,
    /// The groups that the user is in.
    pub groups: BTreeSet<String>,
    /// What the user may do in the end: privileges by path, as `GET /access/permissions` has them.
    pub permissions: BTreeMap<String, BTreeSet<String>>,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum TurnedAway {
    /// Proxmox VE does not say where to sign in: the realm does not exist, or its issuer does not work.
    #[error("Proxmox VE does not say where to sign in: {0}")]
    NoWay(String),
    /// Pocket ID has no such user.
    #[error("Pocket ID has no user {0}")]
    NoUser(String),
    /// Pocket ID answers 403: the user is in no group that the client admits, or is disabled.
    #[error("Pocket ID does not let the user in: {0}")]
    NotAllowed(String),
    /// Pocket ID does not send people to the address of this Proxmox VE.
    #[error("Pocket ID refuses the way back: {0}")]
    WayBack(String),
    /// Proxmox VE answers 401, and does not say why.
    #[error("Proxmox VE does not let the user in")]
    Refused,
    /// An answer that has no place in a sign-in.
    #[error("unexpected answer {status}: {says}")]
    Unexpected {
        /// HTTP status.
        status: u16,
        /// For people.
        says: String,
    },
    /// There is no answer.
    #[error(transparent)]
    NoAnswer(#[from] reqwest::Error),
}

impl<'a> Browser<'a> {
    /// A browser that trusts the certificates of both simulators.
    ///
    /// # Errors
    /// When their authorities cannot be read, which is never so.
    pub fn new(pve: &'a pve::Simulator, pocket_id: &'a pocket_id::Simulator) -> std::io::Result<Self> {
        let authorities = [pve.ca_pem(), pocket_id.ca_pem()].concat();
        Ok(Self { pve, pocket_id, http: https::client(Some(&authorities))? })
    }

    /// Signs a user of Pocket ID, by the user name, in at a realm of Proxmox VE.
    ///
    /// # Errors
    /// When one of both turns the user away.
    pub async fn sign_in(&self, realm: &str, username: &str) -> Result<SignedIn, TurnedAway> {
        let address = self.begin(realm).await?;
        let agreed = self.agree(username, &address).await?;
        self.come_back(&agreed).await
    }

    /// Chooses a realm at Proxmox VE; answers with the address at Pocket ID that leads on.
    ///
    /// # Errors
    /// With [`TurnedAway::NoWay`], in the words of Proxmox VE.
    pub async fn begin(&self, realm: &str) -> Result<Url, TurnedAway> {
        let form = [("realm", realm), ("redirect-url", &self.pve.url())];
        let (status, body) = answer(self.at_pve(Method::POST, "/access/openid/auth-url").form(&form)).await?;
        let address = body["data"].as_str().and_then(|address| Url::parse(address).ok());
        match address {
            Some(address) if status.is_success() => Ok(address),
            _ => Err(TurnedAway::NoWay(text(&body, "message"))),
        }
    }

    /// Signs a user in at Pocket ID, at an address that [`Self::begin`] gave, and agrees to what is asked there.
    ///
    /// # Errors
    /// When Pocket ID turns the user away.
    pub async fn agree(&self, username: &str, address: &Url) -> Result<Agreed, TurnedAway> {
        let asked: BTreeMap<_, _> = address.query_pairs().into_owned().collect();
        let asked = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        let cookie = self.session(username).await?;
        let wanted = json!({
            "clientID": asked("client_id"),
            "scope": asked("scope"),
            "callbackURL": asked("redirect_uri"),
            "nonce": asked("nonce"),
            "codeChallenge": asked("code_challenge"),
            "codeChallengeMethod": asked("code_challenge_method"),
        });
        let request = self.at_pocket_id(Method::POST, "/api/oidc/authorize").header("Cookie", cookie).json(&wanted);
        let (status, body) = answer(request).await?;
        let says = text(&body, "error");
        match status.as_u16() {
            200 => Ok(Agreed { state: asked("state").to_owned(), code: text(&body, "code").into() }),
            403 => Err(TurnedAway::NotAllowed(says)),
            400 if says.contains("callback") => Err(TurnedAway::WayBack(says)),
            status => Err(TurnedAway::Unexpected { status, says }),
        }
    }

    /// Comes back to Proxmox VE with what Pocket ID gave along, and looks at what the user may do there.
    ///
    /// # Errors
    /// When Proxmox VE turns the user away.
    pub async fn come_back(&self, agreed: &Agreed) -> Result<SignedIn, TurnedAway> {
        let Agreed { state, code } = agreed;
        let form = [("state", state.as_str()), ("code", code.expose_secret()), ("redirect-url", &self.pve.url())];
        let (status, body) = answer(self.at_pve(Method::POST, "/access/openid/login").form(&form)).await?;
        let user = match status.as_u16() {
            200 => text(&body["data"], "username"),
            401 => return Err(TurnedAway::Refused),
            status => return Err(TurnedAway::Unexpected { status, says: text(&body, "message") }),
        };
        let ticket = SecretString::from(text(&body["data"], "ticket"));
        let users = self.see(&ticket, "/access/users?full=1").await?;
        let own = users.as_array().and_then(|users| users.iter().find(|other| other["userid"] == user.as_str()));
        let groups = own.map(|own| text(own, "groups")).unwrap_or_default();
        let groups = groups.split(',').filter(|group| !group.is_empty()).map(str::to_owned).collect();
        let permissions = self.see(&ticket, "/access/permissions").await?;
        let permissions = permissions.as_object().into_iter().flatten().map(|(path, held)| {
            (path.clone(), held.as_object().into_iter().flatten().map(|(privilege, _)| privilege.clone()).collect())
        });
        Ok(SignedIn { user, groups, permissions: permissions.collect(), ticket })
    }

    /// The cookie of a session at Pocket ID.
    async fn session(&self, username: &str) -> Result<String, TurnedAway> {
        let key = self.pocket_id.api_key();
        let path = format!("/api/users?search={}", utf8_percent_encode(username, NON_ALPHANUMERIC));
        let (_, found) = answer(self.at_pocket_id(Method::GET, &path).header("X-API-Key", key)).await?;
        let user = found["data"].as_array().and_then(|users| users.iter().find(|user| user["username"] == username));
        let user = user.ok_or_else(|| TurnedAway::NoUser(username.to_owned()))?;
        let path = format!("/api/users/{}/one-time-access-token", text(user, "id"));
        let (_, once) =
            answer(self.at_pocket_id(Method::POST, &path).header("X-API-Key", key).json(&json!({}))).await?;
        let path = format!("/api/one-time-access-token/{}", text(&once, "token"));
        let signed_in = self.at_pocket_id(Method::POST, &path).send().await?;
        let cookie = signed_in.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        let status = signed_in.status().as_u16();
        let none = || TurnedAway::Unexpected { status, says: "there is no session".to_owned() };
        cookie.map(str::to_owned).ok_or_else(none)
    }

    /// What Proxmox VE shows to who holds a ticket.
    async fn see(&self, ticket: &SecretString, path: &str) -> Result<Value, TurnedAway> {
        let ticket = utf8_percent_encode(ticket.expose_secret(), NON_ALPHANUMERIC);
        let (status, mut body) =
            answer(self.at_pve(Method::GET, path).header("Cookie", format!("PVEAuthCookie={ticket}"))).await?;
        if status.is_success() {
            return Ok(body["data"].take());
        }
        Err(TurnedAway::Unexpected { status: status.as_u16(), says: text(&body, "message") })
    }

    fn at_pve(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api2/json{path}", self.pve.url()))
    }

    fn at_pocket_id(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.pocket_id.url()))
    }
}

/// Status and body, as far as it is JSON.
async fn answer(request: RequestBuilder) -> Result<(StatusCode, Value), reqwest::Error> {
    let answer = request.send().await?;
    let status = answer.status();
    Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or_default()))
}

fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().trim().to_owned()
}
