//! The secrets of tokens: what is delivered works, and the log knows nothing of it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::DynamicObject;
use serde_json::Value;

use crate::judge::Divergence;
use crate::log;
use crate::seen::Seen;
use crate::shown::{Fields, Pve, Shown};

/// Judges the Secrets of all tokens that are ready. Nobody can see of a token that it was made anew by hand under its id.
pub async fn judge(
    objects: &[Seen],
    secrets: &Api<DynamicObject>,
    pve: &Pve,
    shown: &Shown,
    made_by_hand: &BTreeSet<String>,
) -> Option<Divergence> {
    for seen in objects {
        let status = &seen.object["status"];
        let delivered = status["token"]["secretState"] == "Delivered";
        if seen.kind != "ProxmoxToken" || seen.reason() != "Succeeded" || !delivered || seen.is_deleted() {
            continue;
        }
        let told = format!("{} {} {status}", seen.name, seen.spec());
        let wrong = |what: &str| Some(Divergence::new(format!("ProxmoxToken: {what}"), &told));
        let name = status["token"]["secretName"].as_str().unwrap_or_default();
        let Some(secret) = secrets.get_opt(name).await.expect("an answer") else {
            return wrong("delivered, and there is no Secret");
        };
        let Some(token) = decoded(&secret.data["data"]["token"]) else {
            return wrong("delivered, and not in its Secret");
        };
        let id = status["externalId"].as_str().unwrap_or_default();
        let Some(value) = token.strip_prefix(&format!("{id}=")) else {
            return wrong("delivered, and of another token");
        };
        log::remember(value);
        if status.to_string().contains(value) {
            return wrong("its secret is in its status");
        }
        let user = id.split('!').next().unwrap_or_default();
        let works =
            [format!("user {user}"), format!("token {id}")].iter().all(|it| shown.get(it).is_some_and(may_work));
        match (pve.takes(&token).await, works) {
            (true, false) => return wrong("its secret works still"),
            (false, true) if !made_by_hand.contains(&format!("token {id}")) => {
                return wrong("its secret does not work");
            }
            (true, true) | (false, _) => {}
        }
    }
    None
}

/// Neither disabled nor expired.
fn may_work(fields: &Fields) -> bool {
    let expire: i64 = fields.get("expire").and_then(|text| text.parse().ok()).unwrap_or_default();
    let expired = expire != 0 && expire < Timestamp::now().as_second();
    fields.get("enable").is_none_or(|flag| flag == "1") && !expired
}

pub fn decoded(value: &Value) -> Option<String> {
    String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok()
}
