//! The secrets of OIDC clients: what is delivered works, and the log knows nothing of it.

use std::collections::BTreeSet;

use kube::Api;
use kube::api::DynamicObject;

use crate::judge::Divergence;
use crate::log;
use crate::pocket::Pocket;
use crate::seen::Seen;
use crate::tokens::decoded;

/// Judges the Secrets of all clients that are ready. Nobody can see of a client that it was made anew by hand under its id.
pub async fn judge(
    objects: &[Seen],
    secrets: &Api<DynamicObject>,
    pocket: &Pocket,
    made_by_hand: &BTreeSet<String>,
) -> Option<Divergence> {
    for seen in objects {
        let status = &seen.object["status"];
        let delivered = status["clientSecret"]["secretState"] == "Delivered";
        if seen.kind != "PocketIdClient" || seen.reason() != "Succeeded" || !delivered || seen.is_deleted() {
            continue;
        }
        let told = format!("{} {} {status}", seen.name, seen.spec());
        let wrong = |what: &str| Some(Divergence::new(format!("PocketIdClient: {what}"), &told));
        let name = status["clientSecret"]["secretName"].as_str().unwrap_or_default();
        let Some(secret) = secrets.get_opt(name).await.expect("an answer") else {
            return wrong("delivered, and there is no Secret");
        };
        let (Some(id), Some(value)) =
            (decoded(&secret.data["data"]["clientId"]), decoded(&secret.data["data"]["clientSecret"]))
        else {
            return wrong("delivered, and not in its Secret");
        };
        if Some(id.as_str()) != status["externalId"].as_str() {
            return wrong("delivered, and of another client");
        }
        log::remember(&value);
        if status.to_string().contains(&value) {
            return wrong("its secret is in its status");
        }
        if !pocket.takes(&id, &value).await && !made_by_hand.contains(&format!("id-client {id}")) {
            return wrong("its secret does not work");
        }
    }
    None
}
