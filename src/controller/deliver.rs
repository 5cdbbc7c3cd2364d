//! Secrets of tokens on their way from PVE's answer into Kubernetes.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::ByteString;

use crate::api::token::SecretTemplate;
use crate::api::{Object as _, ProxmoxToken};
use crate::controller::connection::Worker;
use crate::controller::kinds::AnyObject;
use crate::controller::kubernetes::{Kubernetes, Target};
use crate::controller::managed::Managed;
use crate::controller::parcel::{self, Contents, InHand, Issue, Parcel};
use crate::controller::references::ByNamespace;
use crate::controller::status;
use crate::core::claim::{Claim, Thing};
use crate::core::ids::TokenId;
use crate::core::object::Mode;
use crate::core::secret::Secret;
use crate::core::token::Token;
use crate::core::token::template::{self, TOKEN_KEY, read_back, render};
use crate::core::wants::{secret_name, token_id, wish_of};
use crate::permit::Permit;

/// What the Secret of a token holds.
pub(super) struct TokenContents {
    token: TokenId,
    template: SecretTemplate,
    endpoint: String,
}

impl Contents for TokenContents {
    fn render(&self, secret: &Secret) -> BTreeMap<String, Secret> {
        let contents = template::Contents { token: &self.token, secret, endpoint: &self.endpoint };
        // A template that cannot be filled is refused with the spec, before anything is asked for.
        render(&self.template, &contents).unwrap_or_default()
    }

    fn read_back(&self, data: &BTreeMap<String, ByteString>) -> Option<Secret> {
        let ByteString(bytes) = data.get(TOKEN_KEY)?;
        read_back(&self.token, std::str::from_utf8(bytes).ok()?)
    }
}

/// Takes secrets from PVE's answers to their Secrets, at once.
pub(super) struct Delivery<'a> {
    pub kubernetes: &'a Kubernetes,
    pub permit: &'a Permit,
    /// Where each goes, with the uid of the object, by the object's index.
    pub parcels: &'a HashMap<usize, (String, Parcel<TokenContents>)>,
    /// What could not be written, by the uid of the object.
    pub in_hand: &'a mut HashMap<String, InHand>,
}

impl Delivery<'_> {
    pub(super) async fn deliver(&mut self, object: usize, issue: i64, secret: &Secret) {
        let Some((uid, parcel)) = self.parcels.get(&object) else { return };
        let issue = Issue { number: issue, id: None };
        if parcel.deliver(self.kubernetes, self.permit, &issue, secret).await {
            self.in_hand.remove(uid);
        } else {
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
    ) -> HashMap<String, (Token, Parcel<TokenContents>)> {
        self.in_hand.retain(|uid, _| objects.iter().any(|any| any.uid() == uid && !any.is_being_deleted()));
        let endpoints = self.context.index.connection(&self.key).map(|connection| connection.spec.endpoints);
        let endpoint = endpoints.and_then(|endpoints| endpoints.first().cloned()).unwrap_or_default();
        let mut tokens = HashMap::new();
        for any in objects.iter().filter(|any| any.mode() == Mode::Manage) {
            let AnyObject::Token(object) = any else { continue };
            let Ok(id) = token_id(object, references.of(any.namespace())) else { continue };
            let status = self.reporter.latest(any).token.clone();
            let issued = status.as_ref().map(status::issued);
            let written_to = status.map(|it| it.secret_name);
            let mut parcel = parcel(object, id, &endpoint);
            let way = (&self.context.kubernetes, &self.permit);
            let token = parcel.settle(way, wish_of(object), issued, written_to, &mut self.in_hand).await;
            tokens.insert(any.uid().to_owned(), (token, parcel));
        }
        tokens
    }
}

impl Worker {
    /// Takes the finalizer off.
    pub(super) async fn let_go(&mut self, any: &AnyObject, left: Vec<Claim>) {
        // The Secret of a token that stays must not be collected with its object: nobody could read it again.
        let is_token = |claim: &Claim| matches!(claim, Claim::Thing(Thing::Token(_)));
        if let (AnyObject::Token(token), true) = (any, any.leaves_all() || left.iter().any(is_token))
            && let Err(error) = {
                let former = self.reporter.latest(any).token.as_ref().map(|it| it.secret_name.clone());
                let names = [Some(secret_name(token).to_owned()), former];
                let way = (&self.context.kubernetes, &self.permit);
                parcel::leave_all(way, token.namespace(), names.into_iter().flatten(), token.uid()).await
            }
        {
            tracing::warn!(object = %any.key(), %error, "its Secret could not be released; tried again");
            return;
        }
        self.reporter.let_go(any, &left).await;
    }
}

fn parcel(object: &ProxmoxToken, token: TokenId, endpoint: &str) -> Parcel<TokenContents> {
    let template = object.spec.secret_template.clone().unwrap_or_default();
    Parcel {
        owner: parcel::owner(&Target::of(object)),
        namespace: object.namespace().to_owned(),
        name: secret_name(object).to_owned(),
        labels: template.labels.clone(),
        annotations: template.annotations.clone(),
        type_: template.type_.unwrap_or_default().as_str(),
        former: None,
        contents: TokenContents { token, template, endpoint: endpoint.to_owned() },
        standing: None,
        issue: None,
    }
}
