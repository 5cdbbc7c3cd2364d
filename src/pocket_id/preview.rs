//! Who gets in at a client, and with which claims, without a login.

use crate::core::failure::Failure;
use crate::core::pocket_id::ids::{ClientId, UserId};
use crate::pocket_id::meaning::{Meaning, Refusal};
use crate::pocket_id::request::Request;
use crate::pocket_id::session::Session;
use crate::pocket_id::wire;

/// What would happen if a user signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// The user gets in, with these claims.
    Admitted(Claims),
    /// The user is in none of the groups that the client lets in.
    TurnedAway,
}

/// What tokens would say of a user, by the scopes that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `sub`: the id of the user.
    pub subject: String,
    /// `preferred_username`, with the scope `profile`.
    pub preferred_username: Option<String>,
    /// `email`, with the scope `email`, of a user that has one.
    pub email: Option<String>,
    /// `groups`: names of groups, with the scope of this name.
    pub groups: Vec<String>,
}

impl Session {
    /// Shows what a sign-in of a user at a client would give (FACTS 8).
    ///
    /// # Errors
    /// When it cannot be read; of kind [`Gone`](crate::core::failure::FailureKind::Gone) without such a client or user.
    pub async fn preview(&self, client: &ClientId, user: &UserId, scopes: &[String]) -> Result<Preview, Failure> {
        let request = Request::get("/api/oidc/clients/{client}/preview/{user}")
            .id(client.as_str())
            .id(user.as_str())
            .query("scopes", scopes.join(" "));
        match self.server.get(&request).await {
            Ok(wire::Preview { user_info }) => {
                let wire::UserInfo { sub, preferred_username, email, groups } = user_info;
                Ok(Preview::Admitted(Claims { subject: sub, preferred_username, email, groups }))
            }
            Err(Refusal { meaning: Some(Meaning::TurnedAway), .. }) => Ok(Preview::TurnedAway),
            Err(Refusal { failure, .. }) => Err(failure),
        }
    }
}
