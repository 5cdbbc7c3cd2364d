//! As whom requests are made: a token in a header, or a ticket in a cookie that is renewed.

use std::time::{Duration, Instant};

use hyper::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::UserId;
use crate::core::secret::Secret;
use crate::core::snapshot::Credential;
use crate::https::message::Scrubber;
use crate::pve::config::Auth;
use crate::pve::request::Request;
use crate::pve::transport::{Authorization, Transport};
use crate::pve::wire;

/// When a ticket is renewed: it lives for two hours (FACTS 92).
pub(crate) const RENEW_AFTER: Duration = Duration::from_mins(90);

/// What is encoded in the id of a token, beside all that is not ASCII; Proxmox VE undoes it (FACTS 90).
const TOKEN_ID: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b';').add(b',').add(b'=');

const CSRF: HeaderName = HeaderName::from_static("csrfpreventiontoken");

/// The credential of a connection, with the ticket that stands for a password.
pub(crate) struct Login {
    auth: Auth,
    renew_after: Duration,
    /// Locked while logging in, so that nine reads at once log in once.
    held: Mutex<Held>,
}

/// What the last login gave.
#[derive(Default)]
struct Held {
    ticket: Option<Ticket>,
    /// When it failed and why: for all who waited for it, since every 401 takes three seconds (FACTS 6).
    failed: Option<(Instant, Failure)>,
}

struct Ticket {
    cookie: Secret,
    csrf: Secret,
    since: Instant,
}

/// Answer to a login.
#[derive(Deserialize)]
struct Granted {
    ticket: String,
    #[serde(rename = "CSRFPreventionToken")]
    csrf: Option<String>,
    #[serde(rename = "NeedTFA", default)]
    second_factor: wire::Flag,
}

impl Login {
    pub(crate) fn new(auth: Auth, renew_after: Duration) -> Self {
        Self { auth, renew_after, held: Mutex::default() }
    }

    pub(crate) fn credential(&self) -> Credential {
        self.auth.credential()
    }

    /// What confirms a change of somebody's password: the password of the one who makes it, but for root@pam (recording
    /// `auth-token-forbidden`). `None` for a token, which may not change one.
    pub(crate) fn confirmation(&self) -> Option<&Secret> {
        match &self.auth {
            Auth::Ticket { user, password } if !user.is_root() => Some(password),
            Auth::Ticket { .. } | Auth::Token { .. } => None,
        }
    }

    /// The headers for a request. `refused` is the ticket that a request was just refused with: it is not used again.
    pub(crate) async fn authorize(
        &self,
        transport: &Transport,
        write: bool,
        refused: Option<Instant>,
    ) -> Result<Authorization, Failure> {
        match &self.auth {
            Auth::Token { token, secret } => {
                let id = utf8_percent_encode(token.as_str(), TOKEN_ID);
                let mut authorization = Authorization { secrets: vec![secret.clone()], ..Authorization::default() };
                authorization.add(AUTHORIZATION, &format!("PVEAPIToken={id}={}", secret.expose()))?;
                Ok(authorization)
            }
            Auth::Ticket { user, password } => {
                let asked = Instant::now();
                let mut held = self.held.lock().await;
                if let Some((_, failure)) = held.failed.as_ref().filter(|(when, _)| *when > asked) {
                    return Err(failure.clone());
                }
                let usable = held
                    .ticket
                    .take()
                    .filter(|ticket| ticket.since.elapsed() < self.renew_after && refused != Some(ticket.since));
                let ticket = match usable {
                    Some(ticket) => ticket,
                    None => log_in(transport, user, password)
                        .await
                        .inspect_err(|failure| held.failed = Some((Instant::now(), failure.clone())))?,
                };
                held.ticket.insert(ticket).authorization(password, write)
            }
        }
    }
}

impl Ticket {
    fn authorization(&self, password: &Secret, write: bool) -> Result<Authorization, Failure> {
        let mut authorization = Authorization {
            secrets: vec![password.clone(), self.cookie.clone(), self.csrf.clone()],
            ticket: Some(self.since),
            ..Authorization::default()
        };
        let cookie = utf8_percent_encode(self.cookie.expose(), NON_ALPHANUMERIC);
        authorization.add(COOKIE, &format!("PVEAuthCookie={cookie}"))?;
        if write {
            authorization.add(CSRF, self.csrf.expose())?;
        }
        Ok(authorization)
    }
}

impl Authorization {
    fn add(&mut self, name: HeaderName, value: &str) -> Result<(), Failure> {
        let mut value = HeaderValue::from_str(value).map_err(|_| Failure {
            kind: FailureKind::Authentication,
            message: "the credential has characters that HTTP cannot carry".to_owned(),
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }
}

/// Always with the password: a ticket that is still good would do, but not after the server's key was replaced.
async fn log_in(transport: &Transport, user: &UserId, password: &Secret) -> Result<Ticket, Failure> {
    let request = Request::login("/access/ticket").form("username", user.as_str()).secret("password", password);
    let since = Instant::now();
    let body = transport.send(&request, &Authorization::default()).await?;
    let refuse = |sentence: &str| Scrubber::new([]).failure(FailureKind::Authentication, sentence, "");
    let granted: Granted =
        wire::data(&body).map_err(|_| refuse("Proxmox VE's answer to the login has no ticket in it"))?;
    match granted {
        Granted { second_factor: wire::Flag(true), .. } | Granted { csrf: None, .. } => {
            Err(refuse("this user needs a second factor to log in; use a user without one, or an API token"))
        }
        Granted { ticket, csrf: Some(csrf), .. } => {
            Ok(Ticket { cookie: Secret::new(ticket), csrf: Secret::new(csrf), since })
        }
    }
}
