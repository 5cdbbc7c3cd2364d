//! Whether people can sign in with realms that refer to a client of Pocket ID, as their statuses say it.

use std::collections::BTreeMap;

use crate::api::status::{SampleResult, SampleStatus, SignInStatus};
use crate::controller::connection::Worker;
use crate::controller::connections::Connection;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::core::ids::RealmId;
use crate::core::object::Mode;
use crate::core::sign_in::{Outcome, Refused, SignIn};
use crate::core::snapshot::Snapshot;
use crate::core::wants::realm_id;

impl Worker {
    /// Judges what stands of each such realm; answers with what keeps people from signing in.
    pub(super) fn judge_sign_ins(
        &mut self,
        connection: &Connection,
        objects: &[AnyObject],
        snapshot: &Snapshot,
    ) -> BTreeMap<RealmId, String> {
        let mut troubles = BTreeMap::new();
        for any in objects.iter().filter(|any| matches!(any.mode(), Mode::Manage | Mode::Observe)) {
            let AnyObject::Realm(realm) = any else { continue };
            let Some(client) = realm.client_ref() else { continue };
            let (Ok(id), Some(Ok(audience))) = (realm_id(realm), self.audiences.of(any.namespace(), &client.name))
            else {
                continue;
            };
            let standing = snapshot.realms.as_ref().ok().and_then(|realms| realms.realms.get(&id));
            let Some(Ok(options)) = standing.and_then(|standing| standing.options.as_ref()) else { continue };
            let endpoints = &connection.spec.endpoints;
            let users = realm.spec.openid.as_ref().and_then(|openid| openid.users.as_ref());
            let sign_in = SignIn {
                realm: &id,
                options,
                snapshot,
                endpoints,
                client: &client.name,
                audience,
                asked: users.map_or(&[], |users| &users.samples),
                provisions: users.is_some_and(|users| users.provision),
            };
            let status = SignInStatus {
                problems: sign_in.problems(),
                samples: sign_in.samples().into_iter().map(|(user, outcome)| sample(user, outcome)).collect(),
            };
            if !status.problems.is_empty() {
                troubles.insert(id, status.problems.join("; "));
            }
            self.sign_ins.insert(any.uid().to_owned(), status);
        }
        troubles
    }
}

fn sample(user: &str, Outcome { user: id, groups, ignored }: Outcome) -> SampleStatus {
    let (result, message, user_id) = match id {
        Ok(id) => (SampleResult::Admitted, None, Some(id)),
        Err(Refused::TurnedAway) => (SampleResult::TurnedAway, None, None),
        Err(Refused::NoSuchUser) => (SampleResult::NoSuchUser, None, None),
        Err(Refused::ByProxmoxVe(why)) => (SampleResult::Refused, Some(why), None),
    };
    let (groups, ignored) = (groups.into_iter().collect(), ignored.into_iter().collect());
    SampleStatus { user: user.to_owned(), result, message, user_id, groups, ignored }
}
