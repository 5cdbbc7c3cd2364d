//! Specs of chance made such as somebody writes who knows the rules.

use serde_json::{Value, json};

use crate::names;
use crate::random::Random;

/// Makes a spec keep the rules that are about several fields: without that nearly all of some kinds would be refused.
pub fn mend(kind: &str, name: &str, spec: &mut Value, random: &mut Random) {
    let ignores = spec["membershipPolicy"] == "Ignore";
    let id = |field: &str| spec[field].as_str().unwrap_or(name).to_owned();
    let (realm, role) = (id("realm"), id("roleId"));
    let fields = spec.as_object_mut().expect("fields");
    let mut drop_if = |condition: bool, field: &str| {
        if condition {
            fields.remove(field);
        }
    };
    for list in ["members", "groups"] {
        drop_if(ignores, list);
    }
    match kind {
        "ProxmoxRealm" => {
            let types = ["openid", "ldap", "ad", "pam", "pve"];
            match realm.as_str() {
                built_in @ ("pam" | "pve") => {
                    for it in types {
                        drop_if(true, it);
                    }
                    fields.insert(built_in.to_owned(), json!({}));
                }
                _ if fields.contains_key("pam") || fields.contains_key("pve") => {
                    fields.remove("pam");
                    fields.remove("pve");
                    let (openid, ldap) = ("openid".to_owned(), "ldap".to_owned());
                    if random.chance(60) {
                        fields.insert(openid, json!({"issuerUrl": "https://id.example.com", "clientId": "c"}));
                    } else {
                        let ldap_realm =
                            json!({"baseDn": "dc=a", "userAttribute": "uid", "servers": ["ldap.example.com"]});
                        fields.insert(ldap, ldap_realm);
                    }
                }
                _ => {}
            }
            if fields.contains_key("openid") {
                fields.remove("tfa");
            }
            if !fields.contains_key("ldap") && !fields.contains_key("ad") {
                fields.remove("syncJobs");
            }
            if let Some(users) = fields.get_mut("openid").and_then(|it| it.get_mut("users")?.as_object_mut())
                && !users.contains_key("source")
            {
                users.remove("onRemoval");
            }
        }
        "ProxmoxRole" => {
            let built_in = role.to_lowercase().starts_with("pve") || role == "Administrator" || role == "NoAccess";
            if built_in {
                fields.insert("managementPolicy".to_owned(), json!("Observe"));
            }
        }
        "ProxmoxToken" => {
            let lifetime = fields.contains_key("lifetime");
            if let Some(rotation) = fields.get_mut("rotation").and_then(Value::as_object_mut) {
                rotation.remove("beforeExpiry");
                if lifetime && random.chance(30) {
                    rotation.insert("beforeExpiry".to_owned(), json!("24h"));
                }
            }
        }
        "PocketIdClient" => {
            // Pocket ID fetches it, and there is none.
            fields.remove("logo");
            let some = fields.get("callbackUrls").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
            if !some && !fields.contains_key("callbackUrlsFrom") {
                fields.insert("callbackUrls".to_owned(), json!([random.pick(names::CALLBACKS)]));
            }
        }
        "ProxmoxAccessCheck" => {
            if let Some(require) = fields.get("require").and_then(Value::as_array).cloned()
                && let Some(forbid) = fields.get_mut("forbid").and_then(Value::as_array_mut)
            {
                forbid.retain(|name| !require.contains(name));
            }
            let some = |field| fields.get(field).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
            if !some("require") && !some("forbid") {
                fields.insert("require".to_owned(), json!(["VM.Audit"]));
            }
        }
        _ => {}
    }
}
