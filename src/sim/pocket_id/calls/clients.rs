//! OIDC clients (FACTS 3, recordings `client-*`).

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use url::{Host, Url};

use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::check::{Check, Rule};
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::fields::Fields;
use crate::sim::pocket_id::listing::{Column, Key, Query};
use crate::sim::pocket_id::release::Release;
use crate::sim::pocket_id::tables::{Client, FederatedIdentity, Lifetimes, Tables};
use crate::sim::secrets::random_uuid;

/// `GET /api/oidc/clients`
pub fn list(call: &Call<'_>, tables: &Tables) -> Answer {
    let query = Query::read(&call.request.query);
    let rows = tables.clients.iter().filter(|client| query.finds(&[&client.name]));
    let rows = rows.map(|client| (client, tables.allowed_count(&client.id))).collect();
    let columns: [Column<(&Client, usize)>; 7] = [
        Column::new("name", |(client, _)| Key::from(client.name.as_str())),
        Column::new("createdAt", |(client, _)| Key::Number(client.created_at)),
        Column::new("allowedUserGroupsCount", |(_, groups)| Key::from(*groups)),
        Column::filter("isPublic", |(client, _)| Key::from(client.is_public)),
        Column::filter("pkceEnabled", |(client, _)| Key::from(client.pkce_enabled)),
        Column::filter("requiresReauthentication", |(client, _)| Key::from(client.requires_reauthentication)),
        Column::filter("isGroupRestricted", |(client, _)| Key::from(client.is_group_restricted)),
    ];
    query.page(rows, &columns, |(client, groups)| {
        let mut shown = client.shown(call.release(), call.now);
        shown.insert("allowedUserGroupsCount".to_owned(), json!(groups));
        Value::Object(shown)
    })
}

/// `GET /api/oidc/clients/{id}`
pub fn get(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    let client = tables.client(call.id()).ok_or_else(Failure::not_found)?;
    Ok(Answer::ok(&with_groups(call, client, tables.allowed_shown(&client.id))))
}

/// `GET /api/oidc/clients/{id}/meta`
pub fn meta(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    let client = tables.client(call.id()).ok_or_else(Failure::not_found)?;
    Ok(Answer::ok(&Value::Object(client.meta())))
}

/// `POST /api/oidc/clients`
pub fn create(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let fields = call.fields()?;
    let wanted = Wanted::read(&fields, call.release())?;
    let own_id = fields.text("id")?;
    wanted.check().optional("ID", &own_id, &[Rule::ClientId, Rule::Min(2), Rule::Max(128)]).done()?;
    if tables.client(&own_id).is_some() {
        let taken = |status| Failure::new(status, "client_id_already_exists", "Client ID already in use");
        return Err(taken(400).later(taken(409)));
    }
    let id = if own_id.is_empty() { random_uuid() } else { own_id };
    let client = Client { id, created_at: call.now, ..wanted.client };
    let shown = with_groups(call, &client, json!([]));
    tables.clients.push(client);
    Ok(logo_failure(call, &wanted.logo_urls).unwrap_or_else(|| Answer::json(201, &shown)))
}

/// `PUT /api/oidc/clients/{id}`: replaces everything but id, secrets and logos. A client that is not restricted
/// forgets its groups.
pub fn update(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let wanted = Wanted::read(&call.fields()?, call.release())?;
    wanted.check().done()?;
    let found = tables.client_mut(call.id()).ok_or_else(Failure::not_found)?;
    let Client { id, secrets, logo, dark_logo, created_at, .. } = found.clone();
    *found = Client { id, secrets, logo, dark_logo, created_at, ..wanted.client };
    let client = found.clone();
    if !client.is_group_restricted {
        tables.allowed.retain(|(of, _)| of != call.id());
    }
    // Up to 2.12 the groups are not loaded for this answer.
    let loaded = call.release().has_error_codes();
    let groups = if loaded { tables.allowed_shown(&client.id) } else { json!([]) };
    let shown = with_groups(call, &client, groups);
    Ok(logo_failure(call, &wanted.logo_urls).unwrap_or_else(|| Answer::ok(&shown)))
}

/// `DELETE /api/oidc/clients/{id}`: up to 2.12 also of a client that is not there.
pub fn delete(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    if call.release().has_error_codes() {
        tables.client(call.id()).ok_or_else(Failure::not_found)?;
    }
    tables.remove_client(call.id());
    Ok(Answer::no_content())
}

/// `PUT /api/oidc/clients/{id}/allowed-user-groups`: replaces the whole set, whether it restricts or not; unknown ids
/// are dropped in silence.
pub fn set_allowed(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let groups = call.fields()?.texts("userGroupIds")?;
    Check::default().given("UserGroupIDs", groups.as_ref()).done()?;
    let client = tables.client(call.id()).ok_or_else(Failure::not_found)?.clone();
    tables.allowed.retain(|(of, _)| of != call.id());
    for group in groups.into_iter().flatten() {
        if tables.group(&group).is_some() {
            tables.allowed.insert((client.id.clone(), group));
        }
    }
    // The answer has no groups at all.
    Ok(Answer::ok(&Value::Object(client.shown(call.release(), call.now))))
}

fn with_groups(call: &Call<'_>, client: &Client, groups: Value) -> Value {
    let mut shown: Map<String, Value> = client.shown(call.release(), call.now);
    shown.insert("allowedUserGroups".to_owned(), groups);
    Value::Object(shown)
}

/// What a body says of a client.
struct Wanted {
    client: Client,
    logo_urls: Vec<String>,
}

impl Wanted {
    fn read(fields: &Fields, release: Release) -> Result<Self, Failure> {
        let is_public = fields.flag("isPublic")?;
        let mut client = Client {
            name: fields.text("name")?,
            callback_urls: fields.texts("callbackURLs")?.unwrap_or_default(),
            logout_callback_urls: fields.texts("logoutCallbackURLs")?.unwrap_or_default(),
            is_public,
            // Public clients must use PKCE, and cannot push requests.
            pkce_enabled: fields.flag("pkceEnabled")? || is_public,
            requires_reauthentication: fields.flag("requiresReauthentication")?,
            requires_pushed_authorization: fields.flag("requiresPushedAuthorizationRequests")? && !is_public,
            launch_url: fields.optional_text("launchURL")?,
            federated_identities: identities(&fields.object("credentials")?)?,
            is_group_restricted: fields.flag("isGroupRestricted")?,
            ..Client::default()
        };
        if release.describes_clients() {
            client.description = fields.text("description")?;
            client.skip_consent = fields.flag("skipConsent")?;
        }
        if release.has_token_lifetimes() {
            client.lifetimes = Lifetimes {
                access: fields.number("accessTokenDurationMinutes")?,
                refresh: fields.number("refreshTokenDurationMinutes")?,
            };
        }
        let logo_urls = [fields.optional_text("logoUrl")?, fields.optional_text("darkLogoUrl")?];
        Ok(Self { client, logo_urls: logo_urls.into_iter().flatten().collect() })
    }

    fn check(&self) -> Check {
        let launch_url = self.client.launch_url.as_deref().unwrap_or_default();
        Check::default()
            .field("Name", &self.client.name, &[Rule::Required, Rule::Max(50)])
            .each("CallbackURLs", &self.client.callback_urls, &[Rule::Callback])
            .each("LogoutCallbackURLs", &self.client.logout_callback_urls, &[Rule::Callback])
            .optional("LaunchURL", launch_url, &[Rule::Url])
    }
}

/// Federated identities are stored as they come (recording `client-federated`).
fn identities(credentials: &Fields) -> Result<Vec<FederatedIdentity>, Failure> {
    let read = |identity: Fields| {
        Ok(FederatedIdentity {
            issuer: identity.text("issuer")?,
            subject: identity.text("subject")?,
            audience: identity.text("audience")?,
            jwks: identity.text("jwks")?,
        })
    };
    credentials.objects("federatedIdentities")?.into_iter().map(read).collect()
}

/// No logo is ever fetched here. The client is written all the same (recording `client-logo`).
fn logo_failure(call: &Call<'_>, urls: &[String]) -> Option<Answer> {
    let url = urls.first()?;
    let later = Failure::new(if is_private(url) { 400 } else { 422 }, "logo_not_fetched", "The logo can't be fetched");
    Some(Failure::broken().later(later).answer(call.release()))
}

fn is_private(url: &str) -> bool {
    let private = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified(),
    };
    match Url::parse(url).ok().and_then(|url| url.host().map(|host| host.to_owned())) {
        Some(Host::Ipv4(address)) => private(address.into()),
        Some(Host::Ipv6(address)) => private(address.into()),
        Some(Host::Domain(domain)) => domain == "localhost",
        None => true,
    }
}
