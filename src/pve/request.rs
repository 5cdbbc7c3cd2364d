//! One request, before anybody's credential is added.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;

use crate::core::secret::Secret;
use crate::core::snapshot::OptionValue;
use crate::permit::Permit;
use crate::pve::error::About;

/// What stays as it is in a path component, beside letters and digits.
const COMPONENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b'!');

/// A request by its parts. It has no `Debug`: its form may hold secrets.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path with `{…}` in place of ids.
    pub(crate) template: &'static str,
    /// The ids that go there, in order.
    ids: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) form: Vec<(String, String)>,
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

    /// The path as it is sent. An id of dots alone cannot be sent: every URL parser takes it for a step in the tree.
    pub(crate) fn path(&self) -> Option<String> {
        let (mut path, mut rest) = (String::new(), self.template);
        for id in &self.ids {
            if matches!(id.as_str(), "" | "." | "..") {
                return None;
            }
            let (before, place) = rest.split_once('{')?;
            let (_, after) = place.split_once('}')?;
            path.push_str(before);
            path.extend(utf8_percent_encode(id, COMPONENT));
            rest = after;
        }
        path.push_str(rest);
        Some(path)
    }

    /// Whether it changes something, so that a lost answer matters.
    pub(crate) fn is_write(&self) -> bool {
        self.permit.is_some()
    }

    /// How long the body will be.
    pub(crate) fn form_length(&self) -> usize {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(&self.form).finish().len()
    }

    /// The method as a static text, for metrics.
    pub(crate) fn method_name(&self) -> &'static str {
        match self.method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            _ => "DELETE",
        }
    }
}
