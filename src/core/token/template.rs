//! From a token and a template to the content of a Secret.

use std::collections::BTreeMap;

use crate::api::token::{SecretTemplate, SecretType};
use crate::core::ids::TokenId;
use crate::core::secret::Secret;

/// The key that is always there, and that the token is read back from.
pub const TOKEN_KEY: &str = "token";

/// What a value may stand for.
const VARIABLES: [&str; 7] = ["token", "tokenId", "tokenName", "userName", "secret", "endpoint", "host"];

/// What a Secret is made from.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// The token.
    pub token: &'a TokenId,
    /// Its secret.
    pub secret: &'a Secret,
    /// The first endpoint of the connection, `https://host:port`.
    pub endpoint: &'a str,
}

/// Why a template cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It names something that there is not.
    #[error("secretTemplate.data.{key} has ${{{name}}}, which is none of {}", VARIABLES.map(|name| format!("${{{name}}}")).join(", "))]
    Unknown {
        /// The key.
        key: String,
        /// What stands between the braces.
        name: String,
    },
    /// A `${` without its `}`.
    #[error("secretTemplate.data.{key} has a ${{ without its }}")]
    Open {
        /// The key.
        key: String,
    },
}

/// The data of the Secret.
///
/// # Errors
/// When the template cannot be filled.
pub fn render(template: &SecretTemplate, contents: &Contents<'_>) -> Result<BTreeMap<String, Secret>, TemplateError> {
    let SecretTemplate { name: _, labels: _, annotations: _, type_, data } = template;
    let default = |pairs: [(&str, &str); 2]| {
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
    };
    let data = match (data.is_empty(), type_.unwrap_or_default()) {
        (false, _) => data.clone(),
        (true, SecretType::Opaque) => default([("tokenId", "${tokenId}"), ("secret", "${secret}")]),
        (true, SecretType::BasicAuth) => default([("username", "${tokenId}"), ("password", "${secret}")]),
    };
    let mut rendered = BTreeMap::new();
    for (key, value) in data.iter().chain([(&TOKEN_KEY.to_owned(), &"${token}".to_owned())]) {
        rendered.insert(key.clone(), Secret::new(fill(key, value, contents)?));
    }
    Ok(rendered)
}

fn fill(key: &str, value: &str, contents: &Contents<'_>) -> Result<String, TemplateError> {
    let Contents { token, secret, endpoint } = contents;
    let (mut filled, mut rest) = (String::new(), value);
    while let Some((before, open)) = rest.split_once("${") {
        let (name, after) = open.split_once('}').ok_or_else(|| TemplateError::Open { key: key.to_owned() })?;
        filled.push_str(before);
        match name {
            "token" => filled.extend([token.as_str(), "=", secret.expose()]),
            "tokenId" => filled.push_str(token.as_str()),
            "tokenName" => filled.push_str(token.name()),
            "userName" => filled.push_str(token.user().as_str()),
            "secret" => filled.push_str(secret.expose()),
            "endpoint" => filled.push_str(endpoint),
            "host" => filled.push_str(host(endpoint)),
            _ => return Err(TemplateError::Unknown { key: key.to_owned(), name: name.to_owned() }),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn host(endpoint: &str) -> &str {
    let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// The secret in the value of [`TOKEN_KEY`], if it is of this token.
pub fn read_back(token: &TokenId, value: &str) -> Option<Secret> {
    let secret = value.strip_prefix(token.as_str())?.strip_prefix('=')?;
    (!secret.is_empty()).then(|| Secret::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &SecretTemplate) -> Result<BTreeMap<String, String>, TemplateError> {
        let (token, secret) = (TokenId::observed("csi@pve!k8s"), Secret::new("uuid-1"));
        let contents = Contents { token: &token, secret: &secret, endpoint: "https://pve1.example:8006" };
        let rendered = render(template, &contents)?;
        Ok(rendered.into_iter().map(|(key, value)| (key, value.expose().to_owned())).collect())
    }

    fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn without_data_the_parts_are_written() {
        let opaque = SecretTemplate::default();
        let expected = [("token", "csi@pve!k8s=uuid-1"), ("tokenId", "csi@pve!k8s"), ("secret", "uuid-1")];
        assert_eq!(rendered(&opaque), Ok(data(&expected)));
        let basic = SecretTemplate { type_: Some(SecretType::BasicAuth), ..SecretTemplate::default() };
        let expected = [("token", "csi@pve!k8s=uuid-1"), ("username", "csi@pve!k8s"), ("password", "uuid-1")];
        assert_eq!(rendered(&basic), Ok(data(&expected)));
    }

    #[test]
    fn variables_are_filled_in_and_all_else_stays() {
        for (value, filled) in [
            ("url: ${endpoint}/api2/json", "url: https://pve1.example:8006/api2/json"),
            ("${host} ${userName} ${tokenName}", "pve1.example csi@pve k8s"),
            ("$$ {secret} $secret", "$$ {secret} $secret"),
            ("${secret}${secret}", "uuid-1uuid-1"),
        ] {
            let template = SecretTemplate { data: data(&[("k", value)]), ..SecretTemplate::default() };
            assert_eq!(rendered(&template).map(|data| data["k"].clone()), Ok(filled.to_owned()), "{value}");
        }
    }

    #[test]
    fn a_variable_that_is_none_is_named() {
        let template = |value| SecretTemplate { data: data(&[("k", value)]), ..SecretTemplate::default() };
        let error = rendered(&template("${password}")).expect_err("there is no such variable");
        assert!(error.to_string().contains("${password}") && error.to_string().contains("${secret}"), "{error}");
        assert_eq!(rendered(&template("${secret")), Err(TemplateError::Open { key: "k".to_owned() }));
    }

    #[test]
    fn a_token_is_read_back_only_where_it_is_this_one() {
        let token = TokenId::observed("csi@pve!k8s");
        assert_eq!(read_back(&token, "csi@pve!k8s=uuid-1"), Some(Secret::new("uuid-1")));
        for other in ["csi@pve!k8s2=uuid-1", "csi@pve!k8s=", "uuid-1", ""] {
            assert_eq!(read_back(&token, other), None, "{other}");
        }
    }
}
