//! From a spec to claims: what an object wants, and what it cannot say yet.

use std::collections::{BTreeMap, HashMap};

use crate::api::acl::{AclRole, AclSubject, ProxmoxAclSpec};
use crate::api::group::{OidcGroup, ProxmoxGroupSpec};
use crate::api::openid::{OpenIdGroups, OpenIdRealm, OpenIdUsers};
use crate::api::pool::ProxmoxPoolSpec;
use crate::api::realm::{PamRealm, ProxmoxRealmSpec, PveRealm};
use crate::api::refs::{KeyRef, ObjectRef};
use crate::api::{Object as _, ProxmoxAcl, ProxmoxGroup, ProxmoxPool, ProxmoxRealm, Reason};
use crate::core::claim::{Claim, Content, Wanted};
use crate::core::ids::{AclKey, AclPath, GroupId, IdError, PoolId, RealmId, RoleId, Subject, UserId};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::realm::RealmContent;
use crate::core::secret::Secret;
use crate::core::snapshot::OptionValue;

/// What objects may refer to: other objects of their connection and namespace by name, and keys of Secrets.
#[derive(Default)]
pub struct References<'a> {
    /// Realms.
    pub realms: HashMap<&'a str, &'a ProxmoxRealm>,
    /// Groups.
    pub groups: HashMap<&'a str, &'a ProxmoxGroup>,
    /// What was read of each Secret key, or why it was not.
    pub secrets: HashMap<KeyRef, Result<Secret, Refusal>>,
}

/// What an object wants.
#[derive(Debug, Default)]
pub struct Wants {
    /// What it is called in PVE.
    pub external_id: Option<String>,
    /// Its claims.
    pub wanted: Vec<Wanted>,
    /// What it cannot say yet.
    pub refusals: Vec<Refusal>,
    /// What it may want all the same.
    pub unsure: bool,
}

/// The Secret keys that a realm needs.
pub fn secrets_of(realm: &ProxmoxRealm) -> impl Iterator<Item = &KeyRef> {
    let openid = realm.spec.openid.as_ref();
    openid.into_iter().flat_map(|openid| [&openid.client_id_secret_ref, &openid.client_key_secret_ref]).flatten()
}

impl Wants {
    fn one(external_id: &str, claim: Claim, content: Content, needs: Vec<ObjectKey>) -> Self {
        let wanted = vec![Wanted { claim, content, needs }];
        Self { external_id: Some(external_id.to_owned()), wanted, ..Self::default() }
    }

    fn refused(refusal: Refusal) -> Self {
        Self { refusals: vec![refusal], unsure: true, ..Self::default() }
    }
}

impl From<IdError> for Refusal {
    fn from(error: IdError) -> Self {
        Self::new(Reason::InvalidSpec, error.to_string())
    }
}

/// What a group wants.
pub fn of_group(group: &ProxmoxGroup, references: &References<'_>) -> Wants {
    let ProxmoxGroupSpec { management: _, group_id: _, oidc, comment } = &group.spec;
    let needs = oidc.iter().filter_map(|oidc| realm_key(group, oidc.realm_ref.as_ref()?).into()).collect();
    match group_id(group, references) {
        Ok(id) => Wants::one(id.clone().as_str(), Claim::Group(id), Content::Group { comment: comment.clone() }, needs),
        Err(refusal) => Wants::refused(refusal),
    }
}

fn realm_key(group: &ProxmoxGroup, realm: &ObjectRef) -> ObjectKey {
    ObjectKey { kind: ProxmoxRealm::KIND, namespace: group.namespace().to_owned(), name: realm.name.clone() }
}

/// The id of a group in PVE: as written, computed as PVE does at login, or the object's name.
fn group_id(group: &ProxmoxGroup, references: &References<'_>) -> Result<GroupId, Refusal> {
    let text = match (&group.spec.group_id, &group.spec.oidc) {
        (Some(id), _) => id.clone(),
        (None, Some(OidcGroup { group: claim, realm: Some(realm), .. })) => {
            format!("{claim}-{}", RealmId::parse(realm)?)
        }
        (None, Some(OidcGroup { group: claim, realm: None, realm_ref: Some(reference) })) => {
            let realm =
                references.realms.get(reference.name.as_str()).ok_or_else(|| missing(ProxmoxRealm::KIND, reference))?;
            format!("{claim}-{}", realm_id(realm)?)
        }
        (None, Some(OidcGroup { realm: None, realm_ref: None, .. })) => {
            return Err(Refusal::new(Reason::InvalidSpec, "oidc needs realm or realmRef"));
        }
        (None, None) => group.name().to_owned(),
    };
    Ok(GroupId::parse(&text)?)
}

fn missing(kind: &str, reference: &ObjectRef) -> Refusal {
    let message = format!(
        "{kind} {} does not exist in this namespace for this connection; create it or correct the reference",
        reference.name
    );
    Refusal::new(Reason::DependencyNotReady, message)
}

/// What a pool wants.
pub fn of_pool(pool: &ProxmoxPool) -> Wants {
    let ProxmoxPoolSpec { management: _, pool_id, comment } = &pool.spec;
    match PoolId::parse(pool_id.as_deref().unwrap_or(pool.name())) {
        Ok(id) => {
            Wants::one(id.clone().as_str(), Claim::Pool(id), Content::Pool { comment: comment.clone() }, Vec::new())
        }
        Err(error) => Wants::refused(error.into()),
    }
}

/// What an ACL wants: each role for each subject.
pub fn of_acl(acl: &ProxmoxAcl, references: &References<'_>) -> Wants {
    let ProxmoxAclSpec { management: _, path, roles, subjects, propagate } = &acl.spec;
    let mut wants = Wants { external_id: Some(path.clone()), ..Wants::default() };
    let path = match AclPath::parse(path) {
        Ok(path) => path,
        Err(error) => return Wants { refusals: vec![error.into()], unsure: true, ..wants },
    };
    let mut parsed_roles = Vec::new();
    for AclRole { role } in roles {
        match RoleId::parse(role) {
            Ok(role) => parsed_roles.push(role),
            Err(error) => {
                wants.unsure = true;
                wants.refusals.push(error.into());
            }
        }
    }
    let mut entries: BTreeMap<AclKey, Vec<ObjectKey>> = BTreeMap::new();
    for subject in subjects {
        let subject_is_ref = subject.group_ref.is_some();
        match self::subject(acl, subject, references) {
            Ok((subject, need)) => {
                for role in &parsed_roles {
                    let key = AclKey { path: path.clone(), subject: subject.clone(), role: role.clone() };
                    entries.entry(key).or_default().extend(need.clone());
                }
            }
            Err(refusal) => {
                wants.unsure |= !subject_is_ref;
                wants.refusals.push(refusal);
            }
        }
    }
    let content = Content::Acl { propagate: *propagate };
    wants.wanted = entries
        .into_iter()
        .map(|(key, needs)| Wanted { claim: Claim::Acl(key), content: content.clone(), needs })
        .collect();
    wants
}

fn subject(
    acl: &ProxmoxAcl,
    subject: &AclSubject,
    references: &References<'_>,
) -> Result<(Subject, Option<ObjectKey>), Refusal> {
    let AclSubject { group, group_ref, user } = subject;
    match (group, group_ref, user) {
        (Some(group), None, None) => Ok((Subject::Group(GroupId::parse(group)?), None)),
        (None, Some(reference), None) => {
            let group =
                references.groups.get(reference.name.as_str()).ok_or_else(|| missing(ProxmoxGroup::KIND, reference))?;
            let name = reference.name.clone();
            let need = ObjectKey { kind: ProxmoxGroup::KIND, namespace: acl.namespace().to_owned(), name };
            Ok((Subject::Group(group_id(group, references)?), Some(need)))
        }
        (None, None, Some(user)) => {
            let user = UserId::parse(user)?;
            if user.is_root() {
                return Err(Refusal::new(
                    Reason::InvalidSpec,
                    "root@pam may do everything anyway: PVE accepts ACL entries for it and does not store them",
                ));
            }
            Ok((Subject::User(user), None))
        }
        _ => Err(Refusal::new(Reason::InvalidSpec, "a subject is exactly one of group, groupRef and user")),
    }
}

/// What a realm wants.
pub fn of_realm(realm: &ProxmoxRealm, references: &References<'_>) -> Wants {
    let ProxmoxRealmSpec { management: _, realm: _, openid, pam, pve, comment, default } = &realm.spec;
    let id = match realm_id(realm) {
        Ok(id) => id,
        Err(error) => return Wants::refused(error.into()),
    };
    let external_id = Some(id.as_str().to_owned());
    let mut options = Options::default();
    options.text("comment", comment.as_deref());
    options.flag("default", *default);
    let kind = match (openid, pam, pve) {
        (Some(openid), None, None) => {
            options.openid(openid, references);
            "openid"
        }
        (None, Some(PamRealm {}), None) => "pam",
        (None, None, Some(PveRealm {})) => "pve",
        _ => return Wants::refused(Refusal::new(Reason::InvalidSpec, "a realm is exactly one of openid, pam and pve")),
    };
    let Options { options, refusals } = options;
    if !refusals.is_empty() {
        return Wants { external_id, wanted: Vec::new(), refusals, unsure: true };
    }
    let content = Content::Realm(RealmContent { kind, options });
    Wants { external_id, ..Wants::one("", Claim::Realm(id), content, Vec::new()) }
}

fn realm_id(realm: &ProxmoxRealm) -> Result<RealmId, IdError> {
    RealmId::parse(realm.spec.realm.as_deref().unwrap_or(realm.name()))
}

/// Options in the making: an unset field is not managed, an empty one removes the option.
#[derive(Default)]
struct Options {
    options: BTreeMap<String, Option<OptionValue>>,
    refusals: Vec<Refusal>,
}

impl Options {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            let value = (!value.trim().is_empty()).then(|| OptionValue::Plain(value.to_owned()));
            self.options.insert(name.to_owned(), value);
        }
    }

    fn flag(&mut self, name: &str, value: Option<bool>) {
        self.text(name, value.map(|value| if value { "1" } else { "0" }));
    }

    fn words(&mut self, name: &str, value: Option<&Vec<String>>) {
        self.text(name, value.map(|words| words.join(" ")).as_deref());
    }

    fn secret(&mut self, name: &str, reference: &KeyRef, references: &References<'_>, show: bool) {
        match references.secrets.get(reference) {
            Some(Ok(secret)) => {
                let value = if show {
                    OptionValue::Plain(secret.expose().to_owned())
                } else {
                    OptionValue::Secret(secret.clone())
                };
                self.options.insert(name.to_owned(), Some(value));
            }
            Some(Err(refusal)) => self.refusals.push(refusal.clone()),
            None => self.refusals.push(Refusal::new(
                Reason::SecretNotFound,
                format!("Secret {} was not read in this pass", reference.name),
            )),
        }
    }

    fn openid(&mut self, openid: &OpenIdRealm, references: &References<'_>) {
        let OpenIdRealm {
            issuer_url,
            client_id,
            client_id_secret_ref,
            client_key_secret_ref,
            username_claim,
            users,
            groups,
            scopes,
            acr_values,
            prompt,
            query_userinfo,
        } = openid;
        self.text("issuer-url", Some(issuer_url));
        self.text("client-id", client_id.as_deref());
        if let Some(reference) = client_id_secret_ref {
            self.secret("client-id", reference, references, true);
        }
        if let Some(reference) = client_key_secret_ref {
            self.secret("client-key", reference, references, false);
        }
        self.text("username-claim", username_claim.as_deref());
        if let Some(OpenIdUsers { auto_create }) = users {
            self.flag("autocreate", *auto_create);
        }
        if let Some(OpenIdGroups { claim, auto_create, overwrite }) = groups {
            self.text("groups-claim", claim.as_deref());
            self.flag("groups-autocreate", *auto_create);
            self.flag("groups-overwrite", *overwrite);
        }
        self.words("scopes", scopes.as_ref());
        self.text("acr-values", acr_values.as_ref().map(|values| values.join(",")).as_deref());
        self.text("prompt", prompt.as_deref());
        self.flag("query-userinfo", *query_userinfo);
    }
}
