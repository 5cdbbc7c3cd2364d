//! Carries out one write with one request.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::core::failure::{Failure, FailureKind};
use crate::core::pocket_id::ids::{ClientId, GroupId, SecretId, UserId};
use crate::core::pocket_id::write::{Answer, Write};
use crate::core::secret::Secret;
use crate::permit::Permit;
use crate::pocket_id::meaning::{Meaning, Refusal};
use crate::pocket_id::request::Request;
use crate::pocket_id::session::Session;
use crate::pocket_id::wire;

impl Session {
    /// Carries out one write.
    ///
    /// # Errors
    /// [`FailureKind::Lost`] when it may have been carried out although no answer came; it is never sent again. With
    /// every other kind it was not, except that a client is made or changed although its logo cannot be fetched
    /// (recording `client-logo`).
    pub async fn write(&self, write: &Write) -> Result<Answer, Failure> {
        if let Some(client) = client_of(write) {
            self.server.writes(client);
        }
        let several = self.version.has_several_secrets();
        let body = match (write, self.server.send(&request(write, several, &self.permit)).await) {
            // It was updated since its version was read.
            (Write::IssueSecret(_), Err(Refusal { meaning: Some(Meaning::NoEndpoint), .. })) => {
                self.server.send(&request(write, !several, &self.permit)).await?
            }
            (_, answer) => answer?,
        };
        answer(write, &body).ok_or_else(|| {
            let sentence = "the answer to a change is not of a known shape; what stands is read again";
            self.server.failure(FailureKind::Lost, sentence)
        })
    }
}

/// The client that a write is about.
fn client_of(write: &Write) -> Option<&ClientId> {
    match write {
        Write::CreateClient { client, .. }
        | Write::UpdateClient { client, .. }
        | Write::AllowGroups { client, .. }
        | Write::SetLogo { client, .. }
        | Write::RetireSecret { client, .. }
        | Write::DeleteClient(client)
        | Write::IssueSecret(client) => Some(client),
        Write::CreateGroup { .. }
        | Write::UpdateGroup { .. }
        | Write::SetClaims { .. }
        | Write::SetMembers { .. }
        | Write::DeleteGroup(_) => None,
    }
}

/// `several`: whether clients have several secrets.
fn request(write: &Write, several: bool, permit: &Permit) -> Request {
    let on = |method, template, id: &str| Request::write(method, template, permit).id(id);
    match write {
        Write::CreateGroup { name, friendly_name } => {
            Request::write(Method::POST, "/api/user-groups", permit).json(names(name, friendly_name))
        }
        Write::UpdateGroup { group, name, friendly_name } => {
            on(Method::PUT, "/api/user-groups/{group}", group.as_str()).json(names(name, friendly_name))
        }
        Write::SetClaims { group, claims } => {
            let claims = claims.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
            on(Method::PUT, "/api/custom-claims/user-group/{group}", group.as_str()).json(claims)
        }
        Write::SetMembers { group, users } => {
            let users: Vec<&str> = users.iter().map(UserId::as_str).collect();
            on(Method::PUT, "/api/user-groups/{group}/users", group.as_str()).json(json!({ "userIds": users }))
        }
        Write::DeleteGroup(group) => on(Method::DELETE, "/api/user-groups/{group}", group.as_str()),
        Write::CreateClient { client, fields } => {
            let mut fields: Map<String, Value> = fields.clone();
            fields.insert("id".to_owned(), client.as_str().into());
            Request::write(Method::POST, "/api/oidc/clients", permit).json(fields.into())
        }
        Write::UpdateClient { client, fields } => {
            on(Method::PUT, "/api/oidc/clients/{client}", client.as_str()).json(fields.clone().into())
        }
        Write::AllowGroups { client, groups } => {
            let groups: Vec<&str> = groups.iter().map(GroupId::as_str).collect();
            on(Method::PUT, "/api/oidc/clients/{client}/allowed-user-groups", client.as_str())
                .json(json!({ "userGroupIds": groups }))
        }
        Write::DeleteClient(client) => on(Method::DELETE, "/api/oidc/clients/{client}", client.as_str()),
        Write::IssueSecret(client) => {
            let path = if several { "/api/oidc/clients/{client}/secrets" } else { "/api/oidc/clients/{client}/secret" };
            on(Method::POST, path, client.as_str()).json(json!({}))
        }
        Write::SetLogo { client, file } => {
            on(Method::POST, "/api/oidc/clients/{client}/logo", client.as_str()).file(file)
        }
        Write::RetireSecret { client, secret } => {
            on(Method::DELETE, "/api/oidc/clients/{client}/secrets/{secret}", client.as_str()).id(secret.as_str())
        }
    }
}

fn names(name: &str, friendly_name: &str) -> Value {
    json!({ "name": name, "friendlyName": friendly_name })
}

/// What is needed of the answer; `None` when it is not there.
fn answer(write: &Write, body: &[u8]) -> Option<Answer> {
    match write {
        Write::CreateGroup { .. } => {
            let wire::Reference { id } = serde_json::from_slice(body).ok()?;
            Some(Answer::Group(GroupId::observed(&id)))
        }
        Write::IssueSecret(_) => {
            let wire::IssuedSecret { id, secret } = serde_json::from_slice(body).ok()?;
            Some(Answer::Secret { id: id.as_deref().map(SecretId::observed), value: Secret::new(secret) })
        }
        Write::UpdateGroup { .. }
        | Write::SetClaims { .. }
        | Write::SetMembers { .. }
        | Write::DeleteGroup(_)
        | Write::CreateClient { .. }
        | Write::UpdateClient { .. }
        | Write::AllowGroups { .. }
        | Write::DeleteClient(_)
        | Write::SetLogo { .. }
        | Write::RetireSecret { .. } => Some(Answer::Done),
    }
}
