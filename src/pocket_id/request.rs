//! One request, before the key is added.

use reqwest::Method;
use serde_json::Value;

use crate::core::pocket_id::write::File;
use crate::https::exchange::Body;
use crate::https::path;
use crate::permit::Permit;
use crate::pocket_id::form;

/// A request by its parts.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path with `{…}` in place of ids.
    pub(crate) template: &'static str,
    /// The ids that go there, in order.
    ids: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    json: Option<Value>,
    file: Option<File>,
    /// The right to send it, of a request that changes something.
    pub(crate) permit: Option<Permit>,
}

impl Request {
    pub(crate) fn get(template: &'static str) -> Self {
        Self { method: Method::GET, template, ids: Vec::new(), query: Vec::new(), json: None, file: None, permit: None }
    }

    pub(crate) fn write(method: Method, template: &'static str, permit: &Permit) -> Self {
        Self { method, permit: Some(permit.clone()), ..Self::get(template) }
    }

    pub(crate) fn id(mut self, id: &str) -> Self {
        self.ids.push(id.to_owned());
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.json = Some(body);
        self
    }

    pub(crate) fn file(mut self, file: &File) -> Self {
        self.file = Some(file.clone());
        self
    }

    /// The path as it is sent; `None` for an id that cannot be.
    pub(crate) fn path(&self) -> Option<String> {
        path::filled(self.template, &self.ids)
    }

    /// The body as it is sent. From 2.13 on JSON must be called so (FACTS 6).
    pub(crate) fn body(&self) -> Option<Body> {
        let json = self.json.as_ref();
        let json = json.map(|json| Body { content_type: "application/json".into(), bytes: json.to_string().into() });
        json.or_else(|| self.file.as_ref().map(form::of))
    }

    /// Whether it changes something, so that a lost answer matters.
    pub(crate) fn is_write(&self) -> bool {
        self.permit.is_some()
    }
}
