//! The secrets of OIDC clients: what is delivered works, and the log knows nothing of it.

use std::collections::BTreeSet;

use kube::Api;
use kube::api::DynamicObject;

use crate::delivered::Delivered;
use crate::judge::Divergence;
use crate::pocket::Pocket;
use crate::seen::Seen;

/// Judges the Secrets of all clients that are ready. Nobody can see of a client that it was made anew by hand under its id.
pub async fn judge(
    objects: &[Seen],
    secrets: &Api<DynamicObject>,
    pocket: &Pocket,
    made_by_hand: &BTreeSet<String>,
) -> Result<(), Divergence> {
    for seen in objects {
        let Some(delivered) = Delivered::by(seen, "PocketIdClient", "clientSecret", secrets).await? else { continue };
        let (id, value) = (delivered.value("clientId")?, delivered.value("clientSecret")?);
        if id != delivered.id() {
            return Err(delivered.wrong("delivered, and of another client"));
        }
        delivered.keeps_to_itself(&value)?;
        if !pocket.takes(&id, &value).await && !made_by_hand.contains(&format!("id-client {id}")) {
            return Err(delivered.wrong("its secret does not work"));
        }
    }
    Ok(())
}
