//! Secrets of tokens on their way from PVE's answer into Kubernetes.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret as SecretObject;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use kube::core::ObjectMeta;
use serde_json::{Value, json};

use crate::api::status::SecretState;
use crate::api::token::SecretTemplate;
use crate::api::{ISSUE, Object as _, ProxmoxToken};
use crate::controller::connection::Worker;
use crate::controller::gather::ByNamespace;
use crate::controller::kinds::AnyObject;
use crate::controller::kubernetes::{Kubernetes, KubernetesError, Target};
use crate::controller::managed::Managed;
use crate::controller::prepare;
use crate::controller::report;
use crate::core::claim::{Claim, Thing};
use crate::core::ids::TokenId;
use crate::core::object::Mode;
use crate::core::secret::Secret;
use crate::core::token::template::{Contents, TOKEN_KEY, read_back, render};
use crate::core::token::{Kept, Token};
use crate::core::wants::{secret_name, token_id, wish_of};
use crate::permit::Permit;

/// Where the secret of a token goes.
pub(super) struct Parcel {
    owner: OwnerReference,
    namespace: String,
    name: String,
    /// The Secret that it was delivered into when the template had another name.
    former: Option<String>,
    token: TokenId,
    template: SecretTemplate,
    endpoint: String,
    /// Our Secret as it stands.
    standing: Option<SecretObject>,
}

/// A secret that PVE has shown and that is not in Kubernetes yet; it is lost with the process, and asked for again then.
pub(super) struct InHand {
    pub issue: i64,
    pub secret: Secret,
}

/// Takes secrets from PVE's answers to their Secrets, at once.
pub(super) struct Delivery<'a> {
    pub kubernetes: &'a Kubernetes,
    pub permit: &'a Permit,
    /// Where each goes, with the uid of the object, by the object's index.
    pub parcels: HashMap<usize, (String, Parcel)>,
    /// What could not be written.
    pub in_hand: HashMap<String, InHand>,
}

impl Delivery<'_> {
    pub(super) async fn deliver(&mut self, object: usize, issue: i64, secret: &Secret) {
        let Some((uid, parcel)) = self.parcels.get(&object) else { return };
        if !parcel.deliver(self.kubernetes, self.permit, issue, secret).await {
            self.in_hand.insert(uid.clone(), InHand { issue, secret: secret.clone() });
        }
    }
}

impl Worker {
    /// How it stands with the secret of each token, by uid; what is in hand is delivered first.
    pub(super) async fn tokens(
        &mut self,
        objects: &[AnyObject],
        references: &ByNamespace<'_>,
    ) -> HashMap<String, (Token, Parcel)> {
        self.in_hand.retain(|uid, _| objects.iter().any(|any| any.uid() == uid && !any.is_being_deleted()));
        let endpoints = self.context.index.connection(&self.key).map(|connection| connection.spec.endpoints);
        let endpoint = endpoints.and_then(|endpoints| endpoints.first().cloned()).unwrap_or_default();
        let mut tokens = HashMap::new();
        for any in objects.iter().filter(|any| any.mode() == Mode::Manage) {
            let AnyObject::Token(object) = any else { continue };
            let Ok(id) = token_id(object, references.of(any.namespace())) else { continue };
            let status = self.reporter.latest(any).token;
            let issued = status.as_ref().map(report::issued);
            let delivered_to = status.filter(|it| it.secret_state == SecretState::Delivered).map(|it| it.secret_name);
            let mut parcel = Parcel {
                former: delivered_to.filter(|name| name != secret_name(object)),
                ..parcel(object, id, &endpoint)
            };
            let delivered = issued.as_ref().is_none_or(|issued| issued.state != SecretState::Pending);
            let mut kept = parcel.kept(&self.context.kubernetes, &self.permit, delivered).await;
            if let (Some(InHand { issue, secret }), Kept::Absent | Kept::Ours { .. }) =
                (self.in_hand.get(any.uid()), &kept)
                && parcel.deliver(&self.context.kubernetes, &self.permit, *issue, secret).await
            {
                kept = Kept::Ours { issue: *issue, holds: true };
                self.in_hand.remove(any.uid());
            }
            let in_hand = self.in_hand.contains_key(any.uid());
            let token = Token { wish: wish_of(object), issued, kept, in_hand, now: Timestamp::now().as_second() };
            tokens.insert(any.uid().to_owned(), (token, parcel));
        }
        tokens
    }
}

impl Worker {
    /// Takes the finalizer off.
    pub(super) async fn let_go(&mut self, any: &AnyObject, left: Vec<Claim>) {
        // The Secret of a token that stays must not be collected with its object: nobody could read it again.
        if let (AnyObject::Token(token), true) =
            (any, left.iter().any(|claim| matches!(claim, Claim::Thing(Thing::Token(_)))))
            && let Err(error) = leave(&self.context.kubernetes, &self.permit, token).await
        {
            tracing::warn!(object = %any.key(), %error, "its Secret could not be released; tried again");
            return;
        }
        self.reporter.let_go(any, &left).await;
    }
}

fn parcel(object: &ProxmoxToken, token: TokenId, endpoint: &str) -> Parcel {
    let target = Target::of(object);
    Parcel {
        owner: OwnerReference {
            api_version: target.resource.api_version.clone(),
            kind: target.resource.kind.clone(),
            name: target.name,
            uid: target.uid,
            controller: Some(true),
            block_owner_deletion: None,
        },
        namespace: object.namespace().to_owned(),
        name: secret_name(object).to_owned(),
        former: None,
        token,
        template: object.spec.secret_template.clone().unwrap_or_default(),
        endpoint: endpoint.to_owned(),
        standing: None,
    }
}

/// Leaves the Secret of a token to whoever needs it, when the token stays and its object goes.
async fn leave(kubernetes: &Kubernetes, permit: &Permit, token: &ProxmoxToken) -> Result<(), KubernetesError> {
    let (namespace, name) = (token.namespace(), secret_name(token));
    let Some(secret) = kubernetes.secret(namespace, name).await? else { return Ok(()) };
    let owners = secret.metadata.owner_references.unwrap_or_default();
    let others: Vec<&OwnerReference> = owners.iter().filter(|owner| owner.uid != token.uid()).collect();
    if others.len() == owners.len() {
        return Ok(());
    }
    let (uid, version) = (&secret.metadata.uid, &secret.metadata.resource_version);
    let metadata = json!({ "uid": uid, "resourceVersion": version, "ownerReferences": others });
    kubernetes.patch_secret(permit, namespace, name, &json!({ "metadata": metadata })).await
}

impl Parcel {
    /// What stands in Kubernetes; where it holds the token, it is made to fit a template that has changed.
    async fn kept(&mut self, kubernetes: &Kubernetes, permit: &Permit, delivered: bool) -> Kept {
        let secret = match kubernetes.secret(&self.namespace, &self.name).await {
            Ok(Some(secret)) => secret,
            Ok(None) => return self.moved(kubernetes, permit).await,
            Err(error) => return Kept::Unread(prepare::unread("Secret", &self.name, &error)),
        };
        if !self.is_ours(&secret) {
            return Kept::Foreign;
        }
        let (issue, value) = self.content(&secret);
        self.standing = Some(secret);
        if let (true, Some(value)) = (delivered, &value)
            && !self.fits(value)
        {
            self.deliver(kubernetes, permit, issue, value).await;
        }
        Kept::Ours { issue, holds: value.is_some() }
    }

    /// Takes the token over from the Secret of its former name, which is left: nobody here may delete Secrets.
    async fn moved(&self, kubernetes: &Kubernetes, permit: &Permit) -> Kept {
        let Some(former) = &self.former else { return Kept::Absent };
        let secret = match kubernetes.secret(&self.namespace, former).await {
            Ok(Some(secret)) if self.is_ours(&secret) => secret,
            Ok(_) => return Kept::Absent,
            Err(error) => return Kept::Unread(prepare::unread("Secret", former, &error)),
        };
        match self.content(&secret) {
            (issue, Some(value)) if self.deliver(kubernetes, permit, issue, &value).await => {
                Kept::Ours { issue, holds: true }
            }
            _ => Kept::Absent,
        }
    }

    fn is_ours(&self, secret: &SecretObject) -> bool {
        secret.metadata.owner_references.iter().flatten().any(|owner| owner.uid == self.owner.uid)
    }

    /// Which of the token's secrets a Secret of ours holds, and the secret.
    fn content(&self, secret: &SecretObject) -> (i64, Option<Secret>) {
        let annotations = secret.metadata.annotations.as_ref();
        let issue = annotations.and_then(|all| all.get(ISSUE)?.parse().ok()).unwrap_or_default();
        let value = secret.data.as_ref().and_then(|data| data.get(TOKEN_KEY));
        let value = value.and_then(|ByteString(bytes)| read_back(&self.token, std::str::from_utf8(bytes).ok()?));
        (issue, value)
    }

    fn rendered(&self, secret: &Secret) -> BTreeMap<String, Secret> {
        let contents = Contents { token: &self.token, secret, endpoint: &self.endpoint };
        // A template that cannot be filled is refused with the spec, before anything is asked for.
        render(&self.template, &contents).unwrap_or_default()
    }

    fn fits(&self, secret: &Secret) -> bool {
        let Some(standing) = &self.standing else { return false };
        let text = |ByteString(bytes): &ByteString| String::from_utf8_lossy(bytes).into_owned();
        let data: BTreeMap<String, Secret> =
            standing.data.iter().flatten().map(|(key, value)| (key.clone(), Secret::new(text(value)))).collect();
        let has = |all: Option<&BTreeMap<String, String>>, wanted: &BTreeMap<String, String>| {
            wanted.iter().all(|(key, value)| all.is_some_and(|all| all.get(key) == Some(value)))
        };
        let ObjectMeta { labels, annotations, .. } = &standing.metadata;
        data == self.rendered(secret)
            && has(labels.as_ref(), &self.template.labels)
            && has(annotations.as_ref(), &self.template.annotations)
    }

    /// Writes the secret; false when that did not work, which is tried again.
    pub(super) async fn deliver(&self, kubernetes: &Kubernetes, permit: &Permit, issue: i64, secret: &Secret) -> bool {
        let data = self.rendered(secret);
        let result = match &self.standing {
            None => kubernetes.create_secret(permit, &self.namespace, &self.fresh(issue, &data)).await,
            Some(standing) => {
                kubernetes.patch_secret(permit, &self.namespace, &self.name, &self.change(issue, &data, standing)).await
            }
        };
        if let Err(error) = &result {
            // The error of the apiserver does not repeat what was sent.
            tracing::warn!(secret = %self.name, namespace = %self.namespace, error = %cause(error), "a token's Secret could not be written");
        }
        result.is_ok()
    }

    fn fresh(&self, issue: i64, data: &BTreeMap<String, Secret>) -> SecretObject {
        let SecretTemplate { name: _, labels, annotations, type_, data: _ } = &self.template;
        let mut annotations = annotations.clone();
        annotations.insert(ISSUE.to_owned(), issue.to_string());
        SecretObject {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                labels: (!labels.is_empty()).then(|| labels.clone()),
                annotations: Some(annotations),
                owner_references: Some(vec![self.owner.clone()]),
                ..ObjectMeta::default()
            },
            type_: Some(type_.unwrap_or_default().as_str().to_owned()),
            data: Some(data.iter().map(|(key, value)| (key.clone(), bytes(value))).collect()),
            ..SecretObject::default()
        }
    }

    /// What makes our Secret as it should be; only if it still is the one that was read.
    fn change(&self, issue: i64, data: &BTreeMap<String, Secret>, standing: &SecretObject) -> Value {
        let mut annotations = self.template.annotations.clone();
        annotations.insert(ISSUE.to_owned(), issue.to_string());
        let gone = standing.data.iter().flatten().map(|(key, _)| key).filter(|key| !data.contains_key(*key));
        let mut values: BTreeMap<&String, Value> = gone.map(|key| (key, Value::Null)).collect();
        values.extend(data.iter().map(|(key, value)| (key, json!(bytes(value)))));
        json!({
            "metadata": {
                "uid": standing.metadata.uid,
                "resourceVersion": standing.metadata.resource_version,
                "labels": self.template.labels,
                "annotations": annotations,
            },
            "data": values,
        })
    }
}

fn bytes(secret: &Secret) -> ByteString {
    ByteString(secret.expose().as_bytes().to_vec())
}

fn cause(error: &KubernetesError) -> String {
    match error {
        KubernetesError::Api(kube::Error::Api(status)) => format!("{} ({})", status.reason, status.code),
        KubernetesError::Api(_) => "the apiserver cannot be reached".to_owned(),
        KubernetesError::Timeout | KubernetesError::Lapsed(_) => error.to_string(),
    }
}
