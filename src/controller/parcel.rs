//! A secret on its way from the answer that shows it once into a Secret.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret as SecretObject;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use kube::core::ObjectMeta;
use serde_json::{Value, json};

use crate::api::status::SecretState;
use crate::api::{ISSUE, SECRET_ID};
use crate::controller::kubernetes::{Kubernetes, KubernetesError, Target};
use crate::controller::prepare;
use crate::core::secret::Secret;
use crate::core::token::{Issued, Kept, Token, Wish};
use crate::permit::Permit;

/// What a Secret of ours holds.
pub(super) trait Contents {
    /// All its data for a secret.
    fn render(&self, secret: &Secret) -> BTreeMap<String, Secret>;

    /// The secret in its data, if it is of this very thing.
    fn read_back(&self, data: &BTreeMap<String, ByteString>) -> Option<Secret>;
}

/// Which of the secrets of one thing it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    /// Counted from 1.
    pub number: i64,
    /// What the other system calls it, where there can be several.
    pub id: Option<String>,
}

/// Where a secret goes.
pub(super) struct Parcel<C> {
    pub owner: OwnerReference,
    pub namespace: String,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub type_: &'static str,
    /// The Secret that it was delivered into when the template had another name.
    pub former: Option<String>,
    pub contents: C,
    /// Our Secret as it stands.
    pub standing: Option<SecretObject>,
    /// Which secret our Secret holds.
    pub issue: Option<Issue>,
}

/// A secret that was shown and that is not in Kubernetes yet; it is lost with the process, and asked for again then.
pub(super) struct InHand {
    pub issue: Issue,
    pub secret: Secret,
}

/// The owner of a Secret: it is collected with the object.
pub(super) fn owner(target: &Target) -> OwnerReference {
    OwnerReference {
        api_version: target.resource.api_version.clone(),
        kind: target.resource.kind.clone(),
        name: target.name.clone(),
        uid: target.uid.clone(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

/// Leaves the Secrets to whoever needs them that an object has or had, when what they open stays and the object goes.
pub(super) async fn leave_all(
    (kubernetes, permit): (&Kubernetes, &Permit),
    namespace: &str,
    names: impl Iterator<Item = String>,
    owner: &str,
) -> Result<(), KubernetesError> {
    for name in names.collect::<BTreeSet<_>>() {
        leave(kubernetes, permit, namespace, &name, owner).await?;
    }
    Ok(())
}

async fn leave(
    kubernetes: &Kubernetes,
    permit: &Permit,
    namespace: &str,
    name: &str,
    owner: &str,
) -> Result<(), KubernetesError> {
    let Some(secret) = kubernetes.secret(namespace, name).await? else { return Ok(()) };
    let owners = secret.metadata.owner_references.unwrap_or_default();
    let others: Vec<&OwnerReference> = owners.iter().filter(|it| it.uid != owner).collect();
    if others.len() == owners.len() {
        return Ok(());
    }
    let (uid, version) = (&secret.metadata.uid, &secret.metadata.resource_version);
    let metadata = json!({ "uid": uid, "resourceVersion": version, "ownerReferences": others });
    kubernetes.patch_secret(permit, namespace, name, &json!({ "metadata": metadata })).await
}

impl<C: Contents> Parcel<C> {
    /// How it stands with the secret of an object; what is in hand of it is delivered first. `written_to` is the Secret that
    /// it was last written into, or was to be.
    pub(super) async fn settle(
        &mut self,
        (kubernetes, permit): (&Kubernetes, &Permit),
        wish: Wish,
        issued: Option<Issued>,
        written_to: Option<String>,
        in_hand: &mut HashMap<String, InHand>,
    ) -> Token {
        self.former = written_to.filter(|name| *name != self.name);
        let mut kept = self.kept(kubernetes, permit, issued.as_ref()).await;
        let uid = self.owner.uid.clone();
        // What was shown before the one that is asked for now is of something that is gone.
        let is_over = |hand: &InHand| issued.as_ref().is_some_and(|issued| hand.issue.number < issued.issue);
        if in_hand.get(&uid).is_some_and(is_over) {
            in_hand.remove(&uid);
        }
        if let (Some(InHand { issue, secret }), Kept::Absent | Kept::Ours { .. }) = (in_hand.get(&uid), &kept)
            && self.deliver(kubernetes, permit, issue, secret).await
        {
            kept = Kept::Ours { issue: issue.number, holds: true };
            self.issue = Some(issue.clone());
            in_hand.remove(&uid);
        }
        Token { wish, issued, kept, in_hand: in_hand.contains_key(&uid), now: Timestamp::now().as_second() }
    }

    /// What stands in Kubernetes; where it holds the secret, it is made to fit a template that has changed.
    async fn kept(&mut self, kubernetes: &Kubernetes, permit: &Permit, issued: Option<&Issued>) -> Kept {
        let secret = match kubernetes.secret(&self.namespace, &self.name).await {
            Ok(Some(secret)) => secret,
            Ok(None) => return self.moved(kubernetes, permit).await.unwrap_or_else(|kept| kept),
            Err(error) => return Kept::Unread(prepare::unread("Secret", &self.name, &error)),
        };
        if !self.is_ours(&secret) {
            let mut owners = secret.metadata.owner_references.iter().flatten();
            let of_namesake = owners.any(|it| it.kind == self.owner.kind && it.name == self.owner.name);
            return Kept::Foreign { of_namesake };
        }
        let (issue, value) = self.content(&secret);
        self.standing = Some(secret);
        // A name that it had before: what is there is from then, and what came after is under the name that it had since.
        if issued.is_some_and(|issued| issue.number < issued.issue)
            && let Ok(kept) = self.moved(kubernetes, permit).await
        {
            return kept;
        }
        let delivered = issued.is_none_or(|issued| issued.state != SecretState::Pending);
        if let (true, Some(value)) = (delivered, &value)
            && !self.fits(value)
        {
            self.deliver(kubernetes, permit, &issue, value).await;
        }
        let kept = Kept::Ours { issue: issue.number, holds: value.is_some() };
        self.issue = Some(issue);
        kept
    }

    /// Takes the secret over from the Secret of its former name, which is left: nobody here may delete Secrets. `Err` says how
    /// it stands where that has none to take.
    async fn moved(&mut self, kubernetes: &Kubernetes, permit: &Permit) -> Result<Kept, Kept> {
        let Some(former) = &self.former else { return Err(Kept::Absent) };
        let secret = match kubernetes.secret(&self.namespace, former).await {
            Ok(Some(secret)) if self.is_ours(&secret) => secret,
            Ok(_) => return Err(Kept::Absent),
            Err(error) => return Err(Kept::Unread(prepare::unread("Secret", former, &error))),
        };
        match self.content(&secret) {
            (issue, Some(value)) if self.deliver(kubernetes, permit, &issue, &value).await => {
                // What comes next is written into where it is now.
                self.standing = kubernetes.secret(&self.namespace, &self.name).await.ok().flatten();
                let kept = Kept::Ours { issue: issue.number, holds: true };
                self.issue = Some(issue);
                Ok(kept)
            }
            _ => Err(Kept::Absent),
        }
    }

    fn is_ours(&self, secret: &SecretObject) -> bool {
        secret.metadata.owner_references.iter().flatten().any(|owner| owner.uid == self.owner.uid)
    }

    /// Which of the secrets a Secret of ours holds, and the secret.
    fn content(&self, secret: &SecretObject) -> (Issue, Option<Secret>) {
        let annotation = |name: &str| secret.metadata.annotations.as_ref()?.get(name).cloned();
        let number = annotation(ISSUE).and_then(|text| text.parse().ok()).unwrap_or_default();
        let value = secret.data.as_ref().and_then(|data| self.contents.read_back(data));
        (Issue { number, id: annotation(SECRET_ID) }, value)
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
        data == self.contents.render(secret)
            && has(labels.as_ref(), &self.labels)
            && has(annotations.as_ref(), &self.annotations)
    }

    /// Writes the secret; false when that did not work, which is tried again.
    pub(super) async fn deliver(
        &self,
        kubernetes: &Kubernetes,
        permit: &Permit,
        issue: &Issue,
        secret: &Secret,
    ) -> bool {
        let data = self.contents.render(secret);
        let result = match &self.standing {
            None => kubernetes.create_secret(permit, &self.namespace, &self.fresh(issue, &data)).await,
            Some(standing) => {
                kubernetes.patch_secret(permit, &self.namespace, &self.name, &self.change(issue, &data, standing)).await
            }
        };
        if let Err(error) = &result {
            // The error of the apiserver does not repeat what was sent.
            tracing::warn!(secret = %self.name, namespace = %self.namespace, error = %cause(error), "a Secret could not be written");
        }
        result.is_ok()
    }

    fn fresh(&self, issue: &Issue, data: &BTreeMap<String, Secret>) -> SecretObject {
        SecretObject {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                labels: (!self.labels.is_empty()).then(|| self.labels.clone()),
                annotations: Some(self.marked(issue)),
                owner_references: Some(vec![self.owner.clone()]),
                ..ObjectMeta::default()
            },
            type_: Some(self.type_.to_owned()),
            data: Some(data.iter().map(|(key, value)| (key.clone(), bytes(value))).collect()),
            ..SecretObject::default()
        }
    }

    /// The annotations of the Secret, with which secret it holds.
    fn marked(&self, Issue { number, id }: &Issue) -> BTreeMap<String, String> {
        let mut annotations = self.annotations.clone();
        annotations.insert(ISSUE.to_owned(), number.to_string());
        annotations.extend(id.iter().map(|id| (SECRET_ID.to_owned(), id.clone())));
        annotations
    }

    /// What makes our Secret as it should be; only if it still is the one that was read.
    fn change(&self, issue: &Issue, data: &BTreeMap<String, Secret>, standing: &SecretObject) -> Value {
        let gone = standing.data.iter().flatten().map(|(key, _)| key).filter(|key| !data.contains_key(*key));
        let mut values: BTreeMap<&String, Value> = gone.map(|key| (key, Value::Null)).collect();
        values.extend(data.iter().map(|(key, value)| (key, json!(bytes(value)))));
        json!({
            "metadata": {
                "uid": standing.metadata.uid,
                "resourceVersion": standing.metadata.resource_version,
                "labels": self.labels,
                "annotations": self.marked(issue),
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
