//! Requests and answers as hyper has them.

use std::net::{IpAddr, SocketAddr};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::answer::Answer;

/// More is not read.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// One request.
#[derive(Debug)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its path, decoded.
    pub path: String,
    /// Its query, as it was sent.
    pub query: String,
    /// Its body.
    pub body: Vec<u8>,
    headers: HeaderMap,
    peer: IpAddr,
}

impl Request {
    /// Reads a request to its end.
    ///
    /// # Errors
    /// When the client went away, or sends too much.
    pub async fn read(
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LONGEST_BODY).collect().await?.to_bytes();
        Ok(Self {
            method: head.method.as_str().to_owned(),
            path: percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            body: body.to_vec(),
            headers: head.headers,
            peer: peer.ip(),
        })
    }

    /// The value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whose request it is: as TRUST_PROXY=true has it, `X-Forwarded-For` is believed.
    pub fn client_address(&self) -> IpAddr {
        let forwarded = self.header("x-forwarded-for").split(',').next().unwrap_or_default();
        forwarded.trim().parse().unwrap_or(self.peer)
    }

    /// A parameter of the query; empty if there is none.
    pub fn query_parameter(&self, name: &str) -> String {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

impl From<Answer> for Response<Full<Bytes>> {
    fn from(answer: Answer) -> Self {
        let Answer { status, content_type, headers, body } = answer;
        let mut response = Response::new(Full::new(body.into()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let content_type = content_type.and_then(|content_type| content_type.parse().ok());
        response.headers_mut().extend(content_type.map(|content_type| (CONTENT_TYPE, content_type)));
        for (name, value) in headers {
            if let Ok(value) = value.parse() {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
