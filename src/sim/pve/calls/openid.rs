//! Signing in with OpenID Connect: where to go, and what comes back from there.

use std::sync::Arc;
use std::time::Instant;

use openidconnect::RedirectUrl;
use serde_json::Value;

use super::{Call, Outcome, login};
use crate::sim::clock::now;
use crate::sim::lock::lock;
use crate::sim::pve::answer::Failure;
use crate::sim::pve::openid::{Person, Provider, Realm, Refusal, Rules};
use crate::sim::pve::server::Server;
use crate::sim::pve::user_cfg::UserCfg;

/// Where to sign in at the provider. All but providers on this machine are as in recording `openid-calls`.
pub async fn auth_url(call: &Call<'_>) -> Outcome {
    let realm = Realm::of(call.files, call.text("realm"))?;
    let provider = Provider::discover(&realm, &call.server.http).await.map_err(Failure::die)?;
    let redirect = RedirectUrl::new(call.text("redirect-url").to_owned());
    let redirect = redirect.map_err(|error| Failure::die(error.to_string()))?;
    let url = provider.begin(redirect, &mut lock(&call.server.sign_ins));
    Ok(Value::from(url.as_str()))
}

/// Ends a sign-in with what the provider sent along. Whatever is wrong, the answer is the same.
pub async fn login(call: &Call<'_>) -> Outcome {
    let user = match identify(call).await {
        Ok((rules, person)) => enter(call.server, &rules, person).await,
        Err(refusal) => Err(refused(&refusal)),
    };
    let user = user.map_err(|failure| match failure {
        Failure::Said { .. } => login::failure(),
        fault => fault,
    })?;
    Ok(login::success(call.server, &user))
}

/// Who has signed in, by the provider, and by which rules it gets in.
async fn identify(call: &Call<'_>) -> Result<(Rules, Person), Refusal> {
    let sign_in = lock(&call.server.sign_ins).take(call.text("state"), Instant::now()).ok_or(Refusal::State)?;
    let realm = Realm::of(call.files, &sign_in.realm).map_err(|_| Refusal::Realm("it is gone".to_owned()))?;
    let provider = Provider::discover(&realm, &call.server.http).await.map_err(Refusal::Realm)?;
    let redirect = RedirectUrl::new(call.text("redirect-url").to_owned())?;
    let claims = provider.claims(call.text("code").to_owned(), redirect, sign_in).await?;
    let person = Person::of(&claims, &realm.rules)?;
    Ok((realm.rules, person))
}

/// Lets a person in; answers with the id of the user.
async fn enter(server: &Arc<Server>, rules: &Rules, person: Person) -> Result<String, Failure> {
    let let_in = |cfg: &mut UserCfg| rules.let_in(&person, cfg, now()).map_err(|refusal| refused(&refusal));
    let files = server.state.files();
    if person.changes_nothing(&files.users) {
        let_in(&mut (*files.users).clone())?;
    } else {
        server.change_users("", let_in).await?;
    }
    Ok(person.id)
}

fn refused(refusal: &Refusal) -> Failure {
    tracing::warn!(%refusal, "a sign-in with OpenID is refused");
    login::failure()
}
