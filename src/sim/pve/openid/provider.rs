//! The conversation with the provider of a realm. Only providers on this machine are asked.

use std::borrow::Cow;
use std::pin::Pin;
use std::time::Instant;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AsyncHttpClient, AuthType, AuthenticationContextClass, AuthorizationCode, ClientId, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenFields,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope, StandardErrorResponse,
    StandardTokenResponse, TokenResponse as _, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};

use super::person::Claims;
use super::realm::Realm;
use super::refusal::Refusal;
use super::sign_ins::{SignIn, SignIns};
use crate::sim::https;

/// Claims beyond the standard ones, groups above all.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct OtherClaims(Claims);

impl AdditionalClaims for OtherClaims {}

type Fields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type Client = openidconnect::Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Asks providers, on this machine only.
pub struct Http(reqwest::Client);

/// Why a provider was not asked, or has not answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It is not on this machine.
    #[error("{0} is not on this machine")]
    Elsewhere(Url),
    /// It does not answer.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

impl Http {
    /// Trusts the authorities of the system, and those in `trusted`.
    ///
    /// # Errors
    /// When `trusted` has no certificate, or one that is no authority's.
    pub fn new(trusted: Option<&str>) -> std::io::Result<Self> {
        https::client(trusted).map(Self)
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, AskError> {
        let request = reqwest::Request::try_from(request)?;
        if !is_here(request.url()) {
            return Err(AskError::Elsewhere(request.url().clone()));
        }
        let answer = self.0.execute(request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = HttpResponse::new(answer.bytes().await?.to_vec());
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = AskError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, AskError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The provider of a realm, as it has described itself.
pub struct Provider<'a> {
    realm: &'a Realm,
    client: Client,
    http: &'a Http,
}

impl<'a> Provider<'a> {
    /// Asks the issuer of a realm for its description and its keys.
    ///
    /// # Errors
    /// With what people are told. Of issuers elsewhere it is what recording `openid-calls` has.
    pub async fn discover(realm: &'a Realm, http: &'a Http) -> Result<Self, String> {
        let issuer = IssuerUrl::new(realm.issuer.clone()).map_err(|error| error.to_string())?;
        if !is_here(issuer.url()) {
            return Err("openid discovery not available in this stub".to_owned());
        }
        let metadata = CoreProviderMetadata::discover_async(issuer, http).await.map_err(|error| error.to_string())?;
        // Without a word of the provider a secret goes into the header (OpenID Connect Discovery 1.0, 3).
        let takes = metadata.token_endpoint_auth_methods_supported();
        let basic = takes.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let id = ClientId::new(realm.client_id.clone());
        let client = Client::from_provider_metadata(metadata, id, realm.client_key.clone());
        let client = client.set_auth_type(if basic { AuthType::BasicAuth } else { AuthType::RequestBody });
        Ok(Self { realm, client, http })
    }

    /// Begins a sign-in that comes back to `redirect`; answers with where it goes on.
    pub fn begin(&self, redirect: RedirectUrl, sign_ins: &mut SignIns) -> Url {
        let Realm { id, scopes, prompt, acr_values, .. } = self.realm;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = self
            .client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .set_redirect_uri(Cow::Owned(redirect));
        if let Some(prompt) = prompt {
            request = request.add_prompt(read_prompt(prompt));
        }
        for value in acr_values {
            request = request.add_auth_context_value(AuthenticationContextClass::new(value.clone()));
        }
        let (url, state, nonce) = request.url();
        sign_ins.begin(&state, SignIn { realm: id.clone(), nonce, verifier }, Instant::now());
        url
    }

    /// Redeems a code, and answers with what the provider says of the user: what the ID token has, and over it what
    /// the provider answers on asking, unless the realm says not to ask.
    ///
    /// # Errors
    /// When anything of it is not as it should be.
    pub async fn claims(&self, code: String, redirect: RedirectUrl, sign_in: SignIn) -> Result<Claims, Refusal> {
        let SignIn { realm: _, nonce, verifier } = sign_in;
        let code = AuthorizationCode::new(code);
        let request = self.client.exchange_code(code).map_err(|error| Refusal::Code(error.to_string()))?;
        let request = request.set_pkce_verifier(verifier).set_redirect_uri(Cow::Owned(redirect));
        let tokens = request.request_async(self.http).await.map_err(|error| Refusal::Code(why(&error)))?;

        let id_token = tokens.id_token().ok_or_else(|| Refusal::IdToken("there is none".to_owned()))?;
        let audiences = &self.realm.audiences;
        let is_audience = |audience: &openidconnect::Audience| audiences.iter().any(|other| other == audience.as_str());
        let verifier = self.client.id_token_verifier().set_other_audience_verifier_fn(is_audience);
        let said = id_token.claims(&verifier, &nonce).map_err(|error| Refusal::IdToken(why(&error)))?;
        let mut claims = flat(said);

        if self.realm.queries_userinfo {
            let token = tokens.access_token().clone();
            let request = self.client.user_info(token, Some(said.subject().clone()));
            let request = request.map_err(|error| Refusal::UserInfo(error.to_string()))?;
            let said: Result<UserInfoClaims<OtherClaims, CoreGenderClaim>, _> = request.request_async(self.http).await;
            claims.extend(flat(&said.map_err(|error| Refusal::UserInfo(why(&error)))?));
        }
        Ok(claims)
    }
}

fn read_prompt(text: &str) -> CoreAuthPrompt {
    serde_json::from_value(Value::from(text)).unwrap_or_else(|_| CoreAuthPrompt::Extension(text.to_owned()))
}

/// Claims as they came, by their names.
fn flat(said: &impl Serialize) -> Claims {
    match serde_json::to_value(said) {
        Ok(Value::Object(claims)) => claims,
        _ => Claims::new(),
    }
}

/// An error with its causes.
fn why(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
