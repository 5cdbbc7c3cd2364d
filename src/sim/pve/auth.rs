//! Who is calling: API tokens and tickets.

use percent_encoding::percent_decode_str;

use super::answer::Failure;
use super::formats::split_tokenid;
use super::http::Request;
use super::state::State;
use crate::core::ids::{TokenId, UserId};
use crate::core::snapshot::Credential;
use crate::sim::clock::now;
use crate::sim::secrets::{is_signed, sign};

/// Tickets live two hours and may come from a clock that is five minutes ahead (FACTS 92).
const LIFETIME: std::ops::RangeInclusive<i64> = -300..=7200;

/// A ticket and the token that writes must carry with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// For the cookie `PVEAuthCookie`.
    pub ticket: String,
    /// For the header `CSRFPreventionToken`.
    pub csrf: String,
}

/// Makes the ticket of a user as it was `age` seconds ago.
pub fn ticket(state: &State, user: &str, age: i64) -> Ticket {
    let time = format!("{:08X}", now() - age);
    let text = format!("PVE:{user}:{time}");
    Ticket {
        ticket: format!("{text}::{}", sign(&state.ticket_key, &text)),
        csrf: format!("{time}:{}", sign(&state.ticket_key, &format!("{time}:{user}"))),
    }
}

/// The user of a valid ticket.
pub fn ticket_user(state: &State, ticket: &str) -> Option<UserId> {
    let (text, signature) = ticket.rsplit_once("::")?;
    let (user, time) = text.strip_prefix("PVE:")?.rsplit_once(':')?;
    (is_young(time) && is_signed(&state.ticket_key, text, signature)).then(|| UserId::observed(user))
}

fn is_young(time: &str) -> bool {
    i64::from_str_radix(time, 16).is_ok_and(|time| LIFETIME.contains(&(now() - time)))
}

fn csrf_fits(state: &State, user: &UserId, csrf: &str) -> bool {
    let Some((time, signature)) = csrf.split_once(':') else { return false };
    is_young(time) && is_signed(&state.ticket_key, &format!("{time}:{user}"), signature)
}

/// Whether a request brings an API token, valid or not. A cookie wins over it (FACTS 90).
pub fn brings_token(request: &Request) -> bool {
    cookie(request).is_none() && token_text(request).is_some()
}

/// Who is calling.
///
/// # Errors
/// With a 401 when there is no login or a bad one.
pub fn identify(state: &State, request: &Request) -> Result<Credential, Failure> {
    let failed = || Failure::login("Authentication failed!");
    let credential = if let Some(cookie) = cookie(request) {
        let user = ticket_user(state, &cookie).ok_or_else(failed)?;
        let csrf = request.header("csrfpreventiontoken").unwrap_or_default();
        if request.method != "GET" && !csrf_fits(state, &user, csrf) {
            return Err(Failure::login("Permission denied - invalid csrf token"));
        }
        Credential::User(user)
    } else {
        let text = token_text(request).ok_or_else(|| Failure::login("No ticket"))?;
        Credential::Token(token_of(state, &text).ok_or_else(failed)?)
    };
    let files = state.files();
    if files.directory.is_active(&credential.user(), now()) { Ok(credential) } else { Err(failed()) }
}

fn cookie(request: &Request) -> Option<String> {
    let mut cookies = request.header("cookie")?.split(';');
    let value = cookies.find_map(|cookie| cookie.trim().strip_prefix("PVEAuthCookie="))?;
    (!value.is_empty()).then(|| percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn token_text(request: &Request) -> Option<String> {
    let text = request.header("authorization")?.strip_prefix("PVEAPIToken")?.strip_prefix(['=', ' '])?;
    let text = text.split(';').next().filter(|text| !text.is_empty())?;
    Some(percent_decode_str(text).decode_utf8_lossy().into_owned())
}

fn token_of(state: &State, text: &str) -> Option<TokenId> {
    let (id, secret) = text.rsplit_once('=')?;
    split_tokenid(id)?;
    let token = TokenId::observed(id);
    let files = state.files();
    let expire = files.directory.tokens.get(&token)?.expire;
    let alive = expire == 0 || expire > now();
    (alive && state.secrets().tokens.get(id).is_some_and(|known| known == secret)).then_some(token)
}
