//! A call that passed the checks of its route.

use super::auth::Caller;
use super::failure::Failure;
use super::fields::Fields;
use super::http::Request;
use super::oidc::jwt::SigningKey;
use super::release::Release;
use super::server::Server;
use crate::sim::clock::now;

/// A call on its way to its handler.
pub struct Call<'a> {
    /// Who is asked.
    pub server: &'a Server,
    /// What was sent.
    pub request: &'a Request,
    /// What the path has in place of names in braces.
    pub parameters: Vec<String>,
    /// Absent where no login is needed.
    pub caller: Option<Caller>,
    /// When it was made, in seconds since 1970.
    pub now: i64,
}

impl<'a> Call<'a> {
    /// A call that is made now.
    pub fn new(server: &'a Server, request: &'a Request, parameters: Vec<String>, caller: Option<Caller>) -> Self {
        Self { server, request, parameters, caller, now: now() }
    }

    /// The first name in braces.
    pub fn id(&self) -> &str {
        self.parameter(0)
    }

    /// A name in braces.
    pub fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map(String::as_str).unwrap_or_default()
    }

    /// Which release answers.
    pub fn release(&self) -> Release {
        self.server.options.release
    }

    /// Who is calling.
    pub fn caller(&self) -> Result<&Caller, Failure> {
        self.caller.as_ref().ok_or_else(Failure::not_signed_in)
    }

    /// The key that signs tokens.
    pub fn signing_key(&self) -> Result<&'a SigningKey, Failure> {
        self.server.state.signing_key().map_err(|_| Failure::broken())
    }

    /// The body as an object.
    pub fn fields(&self) -> Result<Fields, Failure> {
        self.must_be_json()?;
        Fields::read(&self.request.body)
    }

    /// The body as a list of objects.
    pub fn list(&self) -> Result<Vec<Fields>, Failure> {
        self.must_be_json()?;
        Fields::read_list(&self.request.body)
    }

    /// From 2.13 on JSON must be called so (FACTS 6).
    fn must_be_json(&self) -> Result<(), Failure> {
        let kind = self.request.header("content-type").split(';').next().unwrap_or_default().trim();
        if self.release().has_error_codes() && !kind.eq_ignore_ascii_case("application/json") {
            let sentence = "Content-Type must be application/json";
            return Err(Failure::new(415, "unsupported_media_type", sentence));
        }
        Ok(())
    }
}
