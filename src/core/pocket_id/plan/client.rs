//! OIDC clients: their fields, the groups whose members may sign in, and their secrets.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Draft, Standing};
use crate::api::status::SecretState;
use crate::core::claim::{Entry, Origin, Progress};
use crate::core::failure::{Failure, FailureKind};
use crate::core::object::Mode;
use crate::core::plan::{ClaimState, Purpose};
use crate::core::pocket_id::claim::Claim;
use crate::core::pocket_id::ids::{ClientId, GroupId, SecretId};
use crate::core::pocket_id::object::{Logo, Object, WantedClient};
use crate::core::pocket_id::secret::{ClientSecret, Secrecy};
use crate::core::pocket_id::snapshot::Client;
use crate::core::pocket_id::write::Write;
use crate::core::token::{Former, Issued, Next};

/// What Pocket ID says of a client beyond what it takes.
const SHOWN_ONLY: [&str; 5] = ["allowedUserGroups", "allowedUserGroupsCount", "hasDarkLogo", "hasLogo", "id"];

impl Draft<'_> {
    pub(super) fn client(&mut self, index: usize, object: &Object, wanted: &WantedClient) {
        let claim = Claim::Client(wanted.id.clone());
        let (allowed, missing) = self.allowed(wanted);
        match self.input.snapshot.clients.get(&wanted.id) {
            None => self.make_client(index, object, wanted, allowed),
            Some(client) => {
                let kept = client.allowed.iter().flatten().filter(|_| wanted.open).cloned();
                let standing = compare(client, wanted, allowed.into_iter().chain(kept).collect());
                if self.take(index, &claim, &standing) {
                    self.correct(index, &claim, standing);
                    self.secret(index, object, &claim, &wanted.id, client);
                    self.logo(index, object, wanted, Some(client));
                }
            }
        }
        for group in missing {
            self.lacks(
                index,
                format!("no group of Pocket ID is called {group}; its members may sign in as soon as there is one"),
            );
        }
    }

    /// The groups whose members may sign in, and the names of those that are not there.
    fn allowed(&self, wanted: &WantedClient) -> (BTreeSet<GroupId>, Vec<String>) {
        let (mut allowed, mut missing) = (BTreeSet::new(), Vec::new());
        for name in &wanted.allowed {
            match self.input.snapshot.group_named(name).map(|(id, _)| id).or_else(|| self.renamed(name)) {
                Some(id) => drop(allowed.insert(id.clone())),
                None => missing.push(name.clone()),
            }
        }
        (allowed, missing)
    }

    /// The group of ours that somebody has renamed: it gets its name back in this plan.
    fn renamed(&self, name: &str) -> Option<&GroupId> {
        let claim = Claim::Group(name.to_owned());
        let holds = |object: &&Object| object.mode == Mode::Manage && object.ledger.contains_key(&claim);
        let known = self.input.objects.iter().filter(holds).find_map(|object| object.known.as_ref())?;
        self.input.snapshot.groups.contains_key(known).then_some(known)
    }

    /// Makes a client with its groups and its secret; not while the secret would have nowhere to go.
    fn make_client(&mut self, index: usize, object: &Object, wanted: &WantedClient, allowed: BTreeSet<GroupId>) {
        let claim = Claim::Client(wanted.id.clone());
        let secret = object.secret.as_ref();
        if let Some(refusal) = secret.and_then(|secret| secret.token.nowhere()) {
            return self.state(index, &claim, ClaimState::Refused(refusal));
        }
        let write = Write::CreateClient { client: wanted.id.clone(), fields: fresh(wanted) };
        if !self.make(index, &claim, write) {
            return;
        }
        if !allowed.is_empty() {
            let write = Write::AllowGroups { client: wanted.id.clone(), groups: allowed };
            self.step(index, &claim, Purpose::Update(vec!["allowedGroups".to_owned()]), write, None);
        }
        if let Some(secret) = secret {
            self.issue(index, secret, &wanted.id, secret.token.first(), false, None);
        }
        self.logo(index, object, wanted, None);
    }

    /// The logo of a client that stands or is made in this pass. Pocket ID does not say which it is: one that stands is
    /// taken for the right one until another is wanted.
    fn logo(&mut self, index: usize, object: &Object, wanted: &WantedClient, client: Option<&Client>) {
        let Some(logo) = &wanted.logo else { return };
        let claim = Claim::Logo(wanted.id.clone());
        let shown = client.is_some_and(|client| client.fields.get("hasLogo") == Some(&Value::Bool(true)));
        if shown && object.logo.as_ref().is_none_or(|given| *given == logo.mark()) {
            return self.state(index, &claim, ClaimState::Standing);
        }
        if self.holds_back(index, &claim) {
            return;
        }
        let write = match (logo, client) {
            (Logo::File(file), _) => Write::SetLogo { client: wanted.id.clone(), file: file.clone() },
            (Logo::Url(url), client) => {
                let mut fields = client.map_or_else(|| fresh(wanted), |client| body(client, wanted));
                fields.insert("logoUrl".to_owned(), json!(url));
                Write::UpdateClient { client: wanted.id.clone(), fields }
            }
        };
        let purpose = if shown || object.logo.is_none() {
            Purpose::Update(vec!["logo".to_owned()])
        } else {
            Purpose::Correct(vec!["logo".to_owned()])
        };
        self.attempt(index, &claim, purpose.clone());
        self.step(index, &claim, purpose, write, None);
    }

    /// The secret of a client that stands and is ours.
    fn secret(&mut self, index: usize, object: &Object, claim: &Claim, id: &ClientId, client: &Client) {
        let Some(secret) = &object.secret else { return };
        let mut secret = Cow::Borrowed(secret);
        let exists = self.input.failures.get(claim).is_some_and(|it| it.failure.kind == FailureKind::AlreadyExists);
        let held = object.ledger.get(claim).filter(|entry| entry.progress == Progress::Applied || !exists);
        if held.is_none() {
            secret.to_mut().token.issued = secret.token.taken_over(Former::Stranger);
        }
        // Whatever comes of it now, it stays known that what was shown before does not count.
        let not_arrived = secret.token.issued.clone().filter(|issued| issued.state != SecretState::Delivered);
        self.plan.secrets[index] =
            not_arrived.map(|issued| Secrecy { issued, others: secret.others.clone(), retiring: secret.retiring });
        let origin = self.plan.verdicts[index].ledger.get(claim).map(|Entry { origin, .. }| *origin);
        // A client that had to be made again has no secret yet, whatever was delivered before.
        let adopted = origin == Some(Origin::Adopted);
        match secret.token.next(adopted) {
            Next::Refuse(refusal) => self.state(index, claim, ClaimState::Refused(refusal)),
            Next::Keep(issued) => {
                let (secrecy, retired) = secret.retiring(&issued, client.secrets.as_ref());
                self.arrived(index, claim, &secrecy);
                self.plan.secrets[index] = Some(secrecy);
                if retired.is_empty() || self.holds_back(index, claim) {
                    return;
                }
                for retired in retired {
                    let write = Write::RetireSecret { client: id.clone(), secret: retired };
                    self.step(index, claim, Purpose::Remove, write, None);
                    if let Some(step) = self.plan.steps.last_mut() {
                        step.what = format!("former secret of {claim}");
                    }
                }
            }
            Next::Issue(issued) => {
                if !self.holds_back(index, claim) {
                    self.attempt(index, claim, Purpose::Update(vec!["secret".to_owned()]));
                    self.issue(index, &secret, id, issued, adopted, client.secrets.as_ref());
                }
            }
        }
    }

    fn issue(
        &mut self,
        index: usize,
        secret: &ClientSecret,
        id: &ClientId,
        issued: Issued,
        adopted: bool,
        listed: Option<&BTreeSet<SecretId>>,
    ) {
        let number = issued.issue;
        self.plan.secrets[index] = Some(secret.issuing(issued, adopted, listed));
        let purpose = Purpose::Update(vec!["secret".to_owned()]);
        self.step(index, &Claim::Client(id.clone()), purpose, Write::IssueSecret(id.clone()), Some(number));
    }

    /// A client that stands as it should is of no use before its secret is in its Secret.
    fn arrived(&mut self, index: usize, claim: &Claim, secrecy: &Secrecy) {
        if secrecy.issued.state == SecretState::Pending {
            let message = "its secret could not be written into its Secret yet; that is tried again".to_owned();
            self.state(index, claim, ClaimState::Failed(Failure { kind: FailureKind::Changed, message }));
        }
    }

    pub(super) fn release_client(&mut self, index: usize, _: &Object, id: &ClientId, removes: bool) {
        let claim = Claim::Client(id.clone());
        if !self.input.snapshot.clients.contains_key(id) {
            self.plan.verdicts[index].ledger.remove(&claim);
        } else if removes {
            self.remove(index, &claim, Write::DeleteClient(id.clone()));
        } else {
            self.leave(index, &claim);
        }
    }
}

/// A new client: restricted from the start, so that nobody gets in before its groups are set.
fn fresh(wanted: &WantedClient) -> Map<String, Value> {
    let WantedClient { id, display_name, callbacks, pkce, allowed: _, open: _, logo: _ } = wanted;
    let shown: String = id.as_str().chars().take(50).collect();
    let fields = [
        ("name", json!(display_name.clone().unwrap_or(shown))),
        ("callbackURLs", json!(callbacks)),
        ("pkceEnabled", json!(pkce)),
        ("isGroupRestricted", json!(true)),
        ("isPublic", json!(false)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// All fields of a client as they should be. A PUT replaces everything, so that all that is not managed is sent back as it
/// is.
fn body(client: &Client, wanted: &WantedClient) -> Map<String, Value> {
    let mut body = client.fields.clone();
    body.retain(|name, _| !SHOWN_ONLY.contains(&name.as_str()));
    let managed = fresh(wanted).into_iter().filter(|(name, _)| name != "name" || wanted.display_name.is_some());
    body.extend(managed);
    body
}

fn compare(client: &Client, wanted: &WantedClient, allowed: BTreeSet<GroupId>) -> Standing {
    let WantedClient { id, display_name, callbacks, pkce, allowed: _, open: _, logo: _ } = wanted;
    let texts = |value: Option<&Value>| -> BTreeSet<String> {
        value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let flag = |name: &str| client.fields.get(name).and_then(Value::as_bool).unwrap_or_default();
    let mut fields: Vec<&str> = Vec::new();
    let mut differs = |field: &'static str, differs: bool| fields.extend(differs.then_some(field));
    differs("displayName", display_name.as_ref().is_some_and(|shown| client.fields.get("name") != Some(&json!(shown))));
    differs("callbackUrls", texts(client.fields.get("callbackURLs")) != callbacks.iter().cloned().collect());
    differs("pkce", flag("pkceEnabled") != *pkce);
    differs("isGroupRestricted", !flag("isGroupRestricted"));
    differs("isPublic", flag("isPublic"));
    let mut writes = Vec::new();
    if !fields.is_empty() {
        writes.push(Write::UpdateClient { client: id.clone(), fields: body(client, wanted) });
    }
    // Without the restriction the list is forgotten with the next change, so that it is set again.
    let forgotten = !flag("isGroupRestricted") && !allowed.is_empty();
    if forgotten || client.allowed.as_ref().is_some_and(|stand| *stand != allowed) {
        fields.push("allowedGroups");
        writes.push(Write::AllowGroups { client: id.clone(), groups: allowed });
    }
    Standing { fields: fields.into_iter().map(str::to_owned).collect(), writes }
}
