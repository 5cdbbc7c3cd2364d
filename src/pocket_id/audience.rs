//! Whom a client lets in.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::failure::Failure;
use crate::core::pocket_id::audience::{Audience, Person, Sample};
use crate::core::pocket_id::ids::ClientId;
use crate::core::pocket_id::snapshot::{Scope, Snapshot};
use crate::pocket_id::details::Details;
use crate::pocket_id::preview::{Claims, Preview};
use crate::pocket_id::session::Session;

impl Session {
    /// Whom a client lets in, who of the `declared` members of its groups is still to come, and what a sign-in with these
    /// scopes would give the users of these names; `None` without such a client.
    ///
    /// # Errors
    /// When anything of it cannot be read.
    pub async fn audience(
        &self,
        client: &ClientId,
        declared: &BTreeSet<String>,
        samples: &BTreeSet<String>,
        scopes: &[String],
    ) -> Result<Option<Audience>, Failure> {
        let scope = Scope { users: true, clients: BTreeSet::from([client.clone()]), ..Scope::default() };
        let snapshot = self.read(&scope, &mut Details::default(), 0).await?;
        let Some(audience) = Audience::of(&snapshot, client, declared) else { return Ok(None) };
        let mut shown = BTreeMap::new();
        for name in samples {
            shown.insert(name.clone(), self.sample(client, name, scopes, &snapshot).await?);
        }
        let scopes = self.scopes().iter().cloned().collect();
        Ok(Some(Audience { samples: shown, scopes, ..audience }))
    }

    async fn sample(
        &self,
        client: &ClientId,
        name: &str,
        scopes: &[String],
        snapshot: &Snapshot,
    ) -> Result<Sample, Failure> {
        let Some((id, user)) = snapshot.user_named(name) else { return Ok(Sample::NoSuchUser) };
        // Pocket ID shows claims of those too who cannot sign in at all.
        if user.disabled {
            return Ok(Sample::TurnedAway);
        }
        Ok(match self.preview(client, id, scopes).await? {
            Preview::TurnedAway => Sample::TurnedAway,
            Preview::Admitted(Claims { subject, preferred_username, email, groups }) => Sample::Admitted(Person {
                subject,
                name: preferred_username,
                email,
                first_name: user.first_name.clone(),
                last_name: user.last_name.clone(),
                groups: groups.into_iter().collect(),
            }),
        })
    }
}
