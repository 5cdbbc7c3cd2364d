//! The paths, who may call them, and what answers.

use std::ops::RangeInclusive;

use super::answer::Answer;
use super::auth::Access::{self, Admin, Public, Session, User};
use super::call::Call;
use super::calls::{about, api_keys, claims, clients, groups, logos, secrets, sign_in, users};
use super::failure::Failure;
use super::oidc::{authorize, discovery, preview, token, userinfo};
use super::release::Release::{self, V2_9, V2_13, V2_14};
use super::tables::Tables;

/// What answers a call.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Only looks, and cannot fail.
    Show(fn(&Call<'_>, &Tables) -> Answer),
    /// Only looks.
    Read(fn(&Call<'_>, &Tables) -> Result<Answer, Failure>),
    /// Changes a file, as faults name it; a failure leaves everything as it was.
    Write(&'static str, fn(&Call<'_>, &mut Tables) -> Result<Answer, Failure>),
}

use Handler::{Read, Show, Write};

/// A path with a method.
pub struct Route {
    method: &'static str,
    path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What answers it.
    pub handler: Handler,
    releases: RangeInclusive<Release>,
}

const ALL: RangeInclusive<Release> = V2_9..=V2_14;
const ONE_SECRET: RangeInclusive<Release> = V2_9..=V2_13;
const MANY_SECRETS: RangeInclusive<Release> = V2_14..=V2_14;

const fn route(method: &'static str, path: &'static str, access: Access, handler: Handler) -> Route {
    Route { method, path, access, handler, releases: ALL }
}

impl Route {
    const fn only(self, releases: RangeInclusive<Release>) -> Self {
        Self { method: self.method, path: self.path, access: self.access, handler: self.handler, releases }
    }

    /// Whether the rate limit counts it.
    pub fn is_limited(&self) -> bool {
        self.path != "/healthz"
    }

    /// The path for the journal: a token in it is a secret.
    pub fn noted_path(&self, path: &str) -> String {
        if self.path.contains("{token}") { self.path.to_owned() } else { path.to_owned() }
    }

    /// What the path has in place of names in braces, if it is one of this route.
    fn parameters(&self, path: &str) -> Option<Vec<String>> {
        let (wanted, given) = (self.path.split('/'), path.split('/'));
        if wanted.clone().count() != given.clone().count() {
            return None;
        }
        let mut parameters = Vec::new();
        for (wanted, given) in wanted.zip(given) {
            if wanted.starts_with('{') && !given.is_empty() {
                parameters.push(given.to_owned());
            } else if wanted != given {
                return None;
            }
        }
        Some(parameters)
    }
}

/// Where a request leads.
pub enum Found {
    /// To a route, with what stands in its path.
    Route(&'static Route, Vec<String>),
    /// To a path that is one without its last slash.
    WithoutSlash(String),
    /// Nowhere.
    Nothing,
}

/// Finds the route of a request.
pub fn find(method: &str, path: &str, release: Release) -> Found {
    let route = |path: &str| {
        let mut routes = ROUTES.iter().filter(|route| route.method == method && route.releases.contains(&release));
        routes.find_map(|route| route.parameters(path).map(|parameters| (route, parameters)))
    };
    if let Some((route, parameters)) = route(path) {
        return Found::Route(route, parameters);
    }
    match path.strip_suffix('/') {
        Some(path) if route(path).is_some() => Found::WithoutSlash(path.to_owned()),
        _ => Found::Nothing,
    }
}

/// The first that fits answers.
static ROUTES: &[Route] = &[
    route("GET", "/healthz", Public, Show(about::health)),
    route("HEAD", "/healthz", Public, Show(about::health)),
    route("GET", "/api/version/current", User, Show(about::version)),
    route("GET", "/api/version/latest", Public, Show(about::latest_version)),
    route("GET", "/api/application-configuration", Public, Show(about::configuration)),
    route("GET", "/.well-known/openid-configuration", Public, Show(discovery::metadata)),
    route("GET", "/.well-known/oauth-authorization-server", Public, Show(discovery::metadata)).only(MANY_SECRETS),
    route("GET", "/.well-known/jwks.json", Public, Read(discovery::keys)),
    route("GET", "/api/signup/setup", Public, Read(sign_in::setup_is_open)),
    route("POST", "/api/signup/setup", Public, Write("users", sign_in::set_up)),
    route("POST", "/api/one-time-access-token/{token}", Public, Write("sessions", sign_in::once)),
    route("POST", "/api/users/{id}/one-time-access-token", Admin, Write("sessions", sign_in::grant_once)),
    route("GET", "/api/api-keys", User, Read(api_keys::list)),
    route("POST", "/api/api-keys", Session, Write("api-keys", api_keys::create)),
    route("POST", "/api/api-keys/{id}/renew", Session, Write("api-keys", api_keys::renew)),
    route("DELETE", "/api/api-keys/{id}", User, Write("api-keys", api_keys::revoke)),
    route("GET", "/api/users", Admin, Show(users::list)),
    route("POST", "/api/users", Admin, Write("users", users::create)),
    route("GET", "/api/users/me", User, Read(users::me)),
    route("GET", "/api/users/{id}", Admin, Read(users::get)),
    route("PUT", "/api/users/{id}", Admin, Write("users", users::update)),
    route("DELETE", "/api/users/{id}", Admin, Write("users", users::delete)),
    route("GET", "/api/users/{id}/groups", Admin, Read(users::groups)),
    route("PUT", "/api/users/{id}/user-groups", Admin, Write("members", users::set_groups)),
    route("GET", "/api/user-groups", Admin, Show(groups::list)),
    route("POST", "/api/user-groups", Admin, Write("groups", groups::create)),
    route("GET", "/api/user-groups/{id}", Admin, Read(groups::get)),
    route("PUT", "/api/user-groups/{id}", Admin, Write("groups", groups::update)),
    route("DELETE", "/api/user-groups/{id}", Admin, Write("groups", groups::delete)),
    route("PUT", "/api/user-groups/{id}/users", Admin, Write("members", groups::set_members)),
    route("PUT", "/api/user-groups/{id}/allowed-oidc-clients", Admin, Write("allowed-groups", groups::set_clients)),
    route("GET", "/api/custom-claims/suggestions", Admin, Show(claims::suggestions)),
    route("PUT", "/api/custom-claims/user/{id}", Admin, Write("claims", claims::set_of_user)),
    route("PUT", "/api/custom-claims/user-group/{id}", Admin, Write("claims", claims::set_of_group)),
    route("GET", "/api/oidc/clients", Admin, Show(clients::list)),
    route("POST", "/api/oidc/clients", Admin, Write("clients", clients::create)),
    route("GET", "/api/oidc/clients/{id}", Admin, Read(clients::get)),
    route("PUT", "/api/oidc/clients/{id}", Admin, Write("clients", clients::update)),
    route("DELETE", "/api/oidc/clients/{id}", Admin, Write("clients", clients::delete)),
    route("GET", "/api/oidc/clients/{id}/meta", Public, Read(clients::meta)),
    route("PUT", "/api/oidc/clients/{id}/allowed-user-groups", Admin, Write("allowed-groups", clients::set_allowed)),
    route("POST", "/api/oidc/clients/{id}/secret", Admin, Write("secrets", secrets::replace)).only(ONE_SECRET),
    route("GET", "/api/oidc/clients/{id}/secrets", Admin, Read(secrets::list)).only(MANY_SECRETS),
    route("POST", "/api/oidc/clients/{id}/secrets", Admin, Write("secrets", secrets::add)).only(MANY_SECRETS),
    route("DELETE", "/api/oidc/clients/{id}/secrets/{secret}", Admin, Write("secrets", secrets::delete))
        .only(MANY_SECRETS),
    route("GET", "/api/oidc/clients/{id}/logo", Public, Read(logos::get)),
    route("POST", "/api/oidc/clients/{id}/logo", Admin, Write("logos", logos::upload)),
    route("DELETE", "/api/oidc/clients/{id}/logo", Admin, Write("logos", logos::delete)),
    route("GET", "/api/oidc/clients/{id}/preview/{user}", Admin, Read(preview::preview)),
    route("POST", "/api/oidc/authorize", User, Write("sessions", authorize::authorize)),
    route("POST", "/api/oidc/token", Public, Write("sessions", token::token)),
    route("GET", "/api/oidc/userinfo", Public, Read(userinfo::userinfo)),
    route("POST", "/api/oidc/userinfo", Public, Read(userinfo::userinfo)),
];
