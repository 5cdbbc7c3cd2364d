//! One request, before anybody's credential is added.

use reqwest::Method;

use crate::core::secret::Secret;
use crate::core::snapshot::OptionValue;
use crate::https::exchange::Body;
use crate::https::path;
use crate::permit::Permit;
use crate::pve::error::About;

/// A request by its parts. It has no `Debug`: its form may hold secrets.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path with `{…}` in place of ids.
    pub(crate) template: &'static str,
    /// The ids that go there, in order.
    ids: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    form: Vec<(String, String)>,
    /// What its answer may call missing.
    pub(crate) about: About,
    /// The right to send it, of a request that changes something.
    pub(crate) permit: Option<Permit>,
    /// What stands in the form and must not come back in a message.
    pub(crate) secrets: Vec<Secret>,
}

impl Request {
    fn new(method: Method, template: &'static str, permit: Option<Permit>) -> Self {
        Self {
            method,
            template,
            ids: Vec::new(),
            query: Vec::new(),
            form: Vec::new(),
            about: About::Nothing,
            permit,
            secrets: Vec::new(),
        }
    }

    pub(crate) fn get(template: &'static str) -> Self {
        Self::new(Method::GET, template, None)
    }

    pub(crate) fn write(method: Method, template: &'static str, permit: &Permit) -> Self {
        Self::new(method, template, Some(permit.clone()))
    }

    /// A login changes nothing: it may be repeated.
    pub(crate) fn login(template: &'static str) -> Self {
        Self::new(Method::POST, template, None)
    }

    pub(crate) fn about(mut self, about: About) -> Self {
        self.about = about;
        self
    }

    pub(crate) fn id(mut self, id: &str) -> Self {
        self.ids.push(id.to_owned());
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: &str) -> Self {
        self.query.push((name, value.to_owned()));
        self
    }

    pub(crate) fn form(mut self, name: &str, value: impl Into<String>) -> Self {
        self.form.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn secret(mut self, name: &str, value: &Secret) -> Self {
        self.secrets.push(value.clone());
        self.form(name, value.expose())
    }

    pub(crate) fn option(self, name: &str, value: &OptionValue) -> Self {
        match value {
            OptionValue::Plain(text) => self.form(name, text.as_str()),
            OptionValue::Secret(secret) => self.secret(name, secret),
        }
    }

    /// The path as it is sent; `None` for an id that cannot be.
    pub(crate) fn path(&self) -> Option<String> {
        path::filled(self.template, &self.ids)
    }

    /// Whether it changes something, so that a lost answer matters.
    pub(crate) fn is_write(&self) -> bool {
        self.permit.is_some()
    }

    /// The form as it is sent.
    pub(crate) fn body(&self) -> Option<Body> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        (!self.form.is_empty()).then(|| Body {
            content_type: "application/x-www-form-urlencoded".into(),
            bytes: form.extend_pairs(&self.form).finish().into(),
        })
    }

    /// How long the body will be.
    pub(crate) fn body_length(&self) -> usize {
        self.body().map_or(0, |body| body.bytes.len())
    }
}
