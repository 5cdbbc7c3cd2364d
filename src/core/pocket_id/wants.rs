//! From a spec to what an object wants in Pocket ID, and what it cannot say yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ids::ClientId;
use super::object::{Logo, Wanted, WantedClient, WantedGroup};
use super::secret::OVERLAP;
use super::write::File;
use crate::api::object::System;
use crate::api::pocket_id_client as api;
use crate::api::pocket_id_client::{AllowedGroup, CallbackUrlsFrom, ClientRotation, EndpointsRef, PocketIdClientSpec};
use crate::api::pocket_id_group::PocketIdGroupSpec;
use crate::api::refs::KeyRef;
use crate::api::token::OnLostSecret;
use crate::api::{Object as _, PocketIdClient, PocketIdGroup, ROTATE_REQUESTED_AT, Reason};
use crate::core::object::Refusal;
use crate::core::token::Wish;

/// What objects of one namespace may refer to.
#[derive(Default)]
pub struct References<'a> {
    /// Groups, by the names of their objects.
    pub groups: BTreeMap<&'a str, &'a PocketIdGroup>,
    /// The endpoints of connections to Proxmox VE by kind and name, or why they cannot be used.
    pub endpoints: BTreeMap<(&'static str, String), Result<Vec<String>, Refusal>>,
    /// What was read of keys of ConfigMaps, or why it was not.
    pub files: BTreeMap<KeyRef, Result<Arc<[u8]>, Refusal>>,
}

/// What an object wants.
#[derive(Debug, Default)]
pub struct Wants {
    /// What it wants; `None` when that cannot be said.
    pub wanted: Option<Wanted>,
    /// What it would want but cannot say yet.
    pub refusals: Vec<Refusal>,
}

/// The name of a group in Pocket ID.
pub fn group_name(group: &PocketIdGroup) -> &str {
    group.spec.group_name.as_deref().unwrap_or(group.name())
}

/// The id of a client in Pocket ID.
pub fn client_id(client: &PocketIdClient) -> &str {
    client.spec.client_id.as_deref().unwrap_or(client.name())
}

/// The name of the Secret that a client's secret is written into.
pub fn secret_name(client: &PocketIdClient) -> &str {
    let template = client.spec.secret_template.as_ref();
    template.and_then(|template| template.name.as_deref()).unwrap_or(client.name())
}

/// The connection to Proxmox VE whose endpoints a client takes.
pub fn endpoints_of(client: &PocketIdClient) -> Option<&EndpointsRef> {
    client.spec.callback_urls_from.as_ref().map(|CallbackUrlsFrom { connection_ref }| connection_ref)
}

/// What a group wants.
pub fn of_group(group: &PocketIdGroup) -> Wants {
    let PocketIdGroupSpec { management: _, group_name: _, friendly_name, members, membership_policy, custom_claims } =
        &group.spec;
    let wanted = Wanted::Group(WantedGroup {
        name: group_name(group).to_owned(),
        friendly_name: friendly_name.clone(),
        claims: custom_claims.clone(),
        members: members.iter().cloned().collect(),
        policy: membership_policy.unwrap_or_default(),
    });
    Wants { wanted: Some(wanted), refusals: Vec::new() }
}

/// What a client wants.
pub fn of_client(client: &PocketIdClient, references: &References<'_>) -> Wants {
    let PocketIdClientSpec {
        management: _,
        client_id: _,
        display_name,
        callback_urls,
        callback_urls_from: _,
        pkce,
        allowed_groups,
        logo,
        secret_template: _,
        rotation: _,
    } = &client.spec;
    let id = match ClientId::parse(client_id(client)) {
        Ok(id) => id,
        Err(error) => return Wants { wanted: None, refusals: vec![error.into()] },
    };
    let mut callbacks = callback_urls.clone();
    match endpoints_of(client).map(|reference| endpoints(reference, references)) {
        None => {}
        Some(Ok(endpoints)) => callbacks.extend(endpoints),
        // With some of its addresses missing it would turn people away that it lets in now.
        Some(Err(refusal)) => return Wants { wanted: None, refusals: vec![refusal] },
    }
    let mut seen = BTreeSet::new();
    callbacks.retain(|url| seen.insert(url.clone()));
    let (mut allowed, mut refusals) = (BTreeSet::new(), Vec::new());
    for group in allowed_groups {
        match allowed_group(group, references) {
            Ok(name) => drop(allowed.insert(name)),
            Err(refusal) => refusals.push(refusal),
        }
    }
    let open = !refusals.is_empty();
    let logo = logo.as_ref().and_then(|logo| match picture(logo, references) {
        Ok(logo) => Some(logo),
        Err(refusal) => {
            refusals.push(refusal);
            None
        }
    });
    let wanted = WantedClient { id, display_name: display_name.clone(), callbacks, pkce: *pkce, allowed, open, logo };
    Wants { wanted: Some(Wanted::Client(wanted)), refusals }
}

/// Where the browser is when somebody signs in: each endpoint, port included.
fn endpoints(reference: &EndpointsRef, references: &References<'_>) -> Result<Vec<String>, Refusal> {
    let kind = reference.kind.unwrap_or_default().as_str();
    match references.endpoints.get(&(kind, reference.name.clone())) {
        Some(Ok(endpoints)) => Ok(endpoints.iter().map(|endpoint| endpoint.trim_end_matches('/').to_owned()).collect()),
        Some(Err(refusal)) => Err(refusal.clone()),
        None => Err(missing(&format!("{kind} {}", reference.name), "callbackUrlsFrom")),
    }
}

fn allowed_group(group: &AllowedGroup, references: &References<'_>) -> Result<String, Refusal> {
    match group {
        AllowedGroup { group: Some(name), group_ref: None } => Ok(name.clone()),
        AllowedGroup { group: None, group_ref: Some(reference) } => {
            let found = references.groups.get(reference.name.as_str());
            let group = found.ok_or_else(|| missing(&format!("PocketIdGroup {}", reference.name), "allowedGroups"))?;
            Ok(group_name(group).to_owned())
        }
        AllowedGroup { .. } => {
            Err(Refusal::new(Reason::InvalidSpec, "an allowed group is exactly one of group and groupRef"))
        }
    }
}

fn picture(logo: &api::Logo, references: &References<'_>) -> Result<Logo, Refusal> {
    match logo {
        api::Logo { url: Some(url), config_map_key_ref: None } => Ok(Logo::Url(url.clone())),
        api::Logo { url: None, config_map_key_ref: Some(key) } => match references.files.get(key) {
            Some(Ok(bytes)) => Ok(Logo::File(File { name: key.key.clone(), bytes: Arc::clone(bytes) })),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Err(missing(&format!("ConfigMap {}", key.name), "logo")),
        },
        api::Logo { .. } => Err(Refusal::new(Reason::InvalidSpec, "a logo is exactly one of url and configMapKeyRef")),
    }
}

/// The key of a ConfigMap that has the logo of a client.
pub fn logo_of(client: &PocketIdClient) -> Option<&KeyRef> {
    client.spec.logo.as_ref()?.config_map_key_ref.as_ref()
}

fn missing(what: &str, field: &str) -> Refusal {
    let message = format!("{what} does not exist in this namespace for this connection; create it or correct {field}");
    Refusal::new(Reason::DependencyNotReady, message)
}

/// What a client's spec says of its secret.
pub fn wish_of(client: &PocketIdClient) -> Wish {
    let (mut replace_after, mut rotate_lost) = (None, false);
    if let Some(ClientRotation { interval, overlap: _, on_lost_secret }) = &client.spec.rotation {
        replace_after = seconds(*interval);
        rotate_lost = on_lost_secret.unwrap_or_default() == OnLostSecret::Rotate;
    }
    let annotations = client.metadata.annotations.as_ref();
    Wish {
        lifetime: None,
        replace_after,
        rotate_lost,
        requested: annotations.and_then(|annotations| annotations.get(ROTATE_REQUESTED_AT).cloned()),
        secret_name: secret_name(client).to_owned(),
        system: System::PocketId,
    }
}

/// How long a former secret works beside the new one, in seconds.
pub fn overlap_of(client: &PocketIdClient) -> i64 {
    client.spec.rotation.as_ref().and_then(|rotation| seconds(rotation.overlap)).unwrap_or(OVERLAP)
}

fn seconds(duration: Option<kube::core::Duration>) -> Option<i64> {
    duration.map(|duration| i64::try_from(std::time::Duration::from(duration).as_secs()).unwrap_or(i64::MAX))
}
