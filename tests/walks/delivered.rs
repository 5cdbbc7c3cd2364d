//! What the operator says it has delivered into Secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Api;
use kube::api::DynamicObject;
use serde_json::Value;

use crate::judge::Divergence;
use crate::log;
use crate::seen::Seen;

/// An object that is ready, and the Secret that its secret is in.
pub struct Delivered<'a> {
    seen: &'a Seen,
    secret: DynamicObject,
}

impl<'a> Delivered<'a> {
    /// What an object of this kind has delivered, by this field of its status, if it says so.
    pub async fn by(
        seen: &'a Seen,
        kind: &str,
        field: &str,
        secrets: &Api<DynamicObject>,
    ) -> Result<Option<Self>, Divergence> {
        let told = &seen.object["status"][field];
        let says = seen.kind == kind && seen.reason() == "Succeeded" && told["secretState"] == "Delivered";
        if !says || seen.is_deleted() {
            return Ok(None);
        }
        let name = told["secretName"].as_str().unwrap_or_default();
        match secrets.get_opt(name).await.expect("an answer") {
            Some(secret) => Ok(Some(Self { seen, secret })),
            None => Err(wrong(seen, "delivered, and there is no Secret")),
        }
    }

    /// The thing in Proxmox VE or Pocket ID.
    pub fn id(&self) -> &'a str {
        self.seen.object["status"]["externalId"].as_str().unwrap_or_default()
    }

    /// A value of the Secret.
    pub fn value(&self, key: &str) -> Result<String, Divergence> {
        let value = decoded(&self.secret.data["data"][key]);
        value.ok_or_else(|| self.wrong("delivered, and not in its Secret"))
    }

    /// The secret must be in no log from now on, and is not in the status.
    pub fn keeps_to_itself(&self, secret: &str) -> Result<(), Divergence> {
        log::remember(secret);
        if self.seen.object["status"].to_string().contains(secret) {
            return Err(self.wrong("its secret is in its status"));
        }
        Ok(())
    }

    pub fn wrong(&self, what: &str) -> Divergence {
        wrong(self.seen, what)
    }
}

fn wrong(seen: &Seen, what: &str) -> Divergence {
    let told = format!("{} {} {}", seen.name, seen.spec(), seen.object["status"]);
    Divergence::new(format!("{}: {what}", seen.kind), told)
}

fn decoded(value: &Value) -> Option<String> {
    String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok()
}
