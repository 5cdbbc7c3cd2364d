//! The secrets of tokens: what is delivered works, and the log knows nothing of it.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::DynamicObject;

use crate::delivered::Delivered;
use crate::judge::Divergence;
use crate::seen::Seen;
use crate::shown::{Fields, Pve, Shown};

/// Judges the Secrets of all tokens that are ready. Nobody can see of a token that it was made anew by hand under its id.
pub async fn judge(
    objects: &[Seen],
    secrets: &Api<DynamicObject>,
    pve: &Pve,
    shown: &Shown,
    made_by_hand: &BTreeSet<String>,
) -> Result<(), Divergence> {
    for seen in objects {
        let Some(delivered) = Delivered::by(seen, "ProxmoxToken", "token", secrets).await? else { continue };
        let (token, id) = (delivered.value("token")?, delivered.id());
        let Some(value) = token.strip_prefix(&format!("{id}=")) else {
            return Err(delivered.wrong("delivered, and of another token"));
        };
        delivered.keeps_to_itself(value)?;
        let user = id.split('!').next().unwrap_or_default();
        let works =
            [format!("user {user}"), format!("token {id}")].iter().all(|it| shown.get(it).is_some_and(may_work));
        match (pve.takes(&token).await, works) {
            (true, false) => return Err(delivered.wrong("its secret works still")),
            (false, true) if !made_by_hand.contains(&format!("token {id}")) => {
                return Err(delivered.wrong("its secret does not work"));
            }
            (true, true) | (false, _) => {}
        }
    }
    Ok(())
}

/// Neither disabled nor expired.
fn may_work(fields: &Fields) -> bool {
    let expire: i64 = fields.get("expire").and_then(|text| text.parse().ok()).unwrap_or_default();
    let expired = expire != 0 && expire < Timestamp::now().as_second();
    fields.get("enable").is_none_or(|flag| flag == "1") && !expired
}
