//! Reads everything that a pass judges by.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;

use crate::core::failure::Failure;
use crate::core::pocket_id::ids::{ClientId, GroupId, SecretId, UserId};
use crate::core::pocket_id::snapshot::{Client, Group, Scope, Snapshot, User};
use crate::pocket_id::details::{Details, Fields};
use crate::pocket_id::meaning::{Meaning, Refusal};
use crate::pocket_id::request::Request;
use crate::pocket_id::session::Session;
use crate::pocket_id::wire;

/// So many clients are read in a pass that need not be known, or are known already.
const OTHERS: usize = 10;
/// So many single objects are read at once.
const AT_ONCE: usize = 4;

impl Session {
    /// Reads the snapshot: the lists, and of single clients what is needed and not known.
    ///
    /// # Errors
    /// When anything of it cannot be read.
    pub async fn snapshot(&self, scope: &Scope, details: &mut Details) -> Result<Snapshot, Failure> {
        let others = if self.server.transport.pace.has_room() { OTHERS } else { 0 };
        self.read(scope, details, others).await
    }

    /// The same, with so many clients beside those that are needed.
    pub(crate) async fn read(&self, scope: &Scope, details: &mut Details, others: usize) -> Result<Snapshot, Failure> {
        let Scope { users: with_users, clients: needed, secrets: with_secrets } = scope;
        let server = &self.server;
        // In the order of what is unique, where there is such a column.
        let (groups, clients, users) = tokio::try_join!(
            server.list::<wire::Group>("/api/user-groups", "name"),
            server.list::<wire::Client>("/api/oidc/clients", "createdAt"),
            async {
                Ok(if *with_users { Some(server.list::<wire::User>("/api/users", "username").await?) } else { None })
            },
        )?;
        let clients: BTreeMap<ClientId, Fields> =
            clients.into_iter().map(|client| (ClientId::observed(&client.id), client.fields)).collect();
        let written = server.take_written();
        details.begin(&clients, &written);
        // Whether what was written stands must show at once.
        self.read_allowed(&clients, &needed.union(&written).cloned().collect(), details, others).await?;
        let mut secrets = self.secrets(&clients, with_secrets).await?;
        let users = match users {
            Some(users) => Some(self.users(users, &groups).await?),
            None => None,
        };
        let client = |(id, fields)| {
            let (allowed, secrets) = (details.allowed(&id).cloned(), secrets.remove(&id));
            (id, Client { fields, allowed, secrets })
        };
        Ok(Snapshot {
            version: self.version,
            groups: groups.into_iter().map(group).collect(),
            users,
            clients: clients.into_iter().map(client).collect(),
        })
    }

    async fn read_allowed(
        &self,
        clients: &BTreeMap<ClientId, Fields>,
        needed: &BTreeSet<ClientId>,
        details: &mut Details,
        others: usize,
    ) -> Result<(), Failure> {
        let due = details.due(clients, needed, others);
        let read = self.each::<_, wire::Allowed>("/api/oidc/clients/{client}", due, ClientId::as_str).await?;
        for (id, wire::Allowed { allowed_user_groups }) in read {
            let allowed = allowed_user_groups.iter().map(|group| GroupId::observed(&group.id)).collect();
            let fields = clients.get(&id).cloned().unwrap_or_default();
            details.learn(id, fields, allowed);
        }
        Ok(())
    }

    async fn secrets(
        &self,
        clients: &BTreeMap<ClientId, Fields>,
        wanted: &BTreeSet<ClientId>,
    ) -> Result<BTreeMap<ClientId, BTreeSet<SecretId>>, Failure> {
        if !self.version.has_several_secrets() {
            return Ok(BTreeMap::new());
        }
        let wanted = wanted.iter().filter(|id| clients.contains_key(*id)).cloned().collect();
        let path = "/api/oidc/clients/{client}/secrets";
        let read = self.each::<_, Vec<wire::Reference>>(path, wanted, ClientId::as_str).await?;
        let ids = |secrets: Vec<wire::Reference>| secrets.iter().map(|secret| SecretId::observed(&secret.id)).collect();
        Ok(read.into_iter().map(|(client, secrets)| (client, ids(secrets))).collect())
    }

    /// The users with their groups. Where not as many say that they are in a group as the group has members, the group
    /// is asked.
    async fn users(&self, users: Vec<wire::User>, groups: &[wire::Group]) -> Result<BTreeMap<UserId, User>, Failure> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for group in users.iter().flat_map(|user| &user.groups) {
            *counts.entry(&group.id).or_default() += 1;
        }
        let differs = |group: &&wire::Group| counts.get(group.id.as_str()).copied().unwrap_or(0) != group.user_count;
        let asked = groups.iter().filter(differs).map(|group| GroupId::observed(&group.id)).collect();
        let mut users: BTreeMap<UserId, User> = users.into_iter().map(user).collect();
        users.remove(&UserId::observed(UserId::STATIC));
        let read = self.each::<_, wire::Members>("/api/user-groups/{group}", asked, GroupId::as_str).await?;
        for (group, wire::Members { users: members }) in read {
            let members: BTreeSet<UserId> = members.iter().map(|user| UserId::observed(&user.id)).collect();
            for (id, user) in &mut users {
                if members.contains(id) {
                    user.groups.insert(group.clone());
                } else {
                    user.groups.remove(&group);
                }
            }
        }
        Ok(users)
    }

    /// Reads single objects; one that is deleted meanwhile is left out.
    async fn each<Id: Clone, T: DeserializeOwned>(
        &self,
        path: &'static str,
        ids: Vec<Id>,
        text: fn(&Id) -> &str,
    ) -> Result<Vec<(Id, T)>, Failure> {
        let read = stream::iter(ids).map(async |id| match self.server.get(&Request::get(path).id(text(&id))).await {
            Ok(found) => Ok(Some((id, found))),
            Err(Refusal { meaning: Some(Meaning::NotThere), .. }) => Ok(None),
            Err(Refusal { failure, .. }) => Err(failure),
        });
        let read: Vec<Option<(Id, T)>> = read.buffered(AT_ONCE).try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }
}

fn group(group: wire::Group) -> (GroupId, Group) {
    let wire::Group { id, name, friendly_name, custom_claims, ldap_id, user_count: _ } = group;
    let claims = custom_claims.into_iter().map(|wire::Claim { key, value }| (key, value)).collect();
    (GroupId::observed(&id), Group { name, friendly_name, claims, from_directory: !ldap_id.is_empty() })
}

fn user(user: wire::User) -> (UserId, User) {
    let wire::User { id, username, email, first_name, last_name, disabled, groups } = user;
    let groups = groups.iter().map(|group| GroupId::observed(&group.id)).collect();
    let email = (!email.is_empty()).then_some(email);
    (UserId::observed(&id), User { name: username, email, first_name, last_name, disabled, groups })
}
