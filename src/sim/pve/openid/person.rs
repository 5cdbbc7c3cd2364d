//! Who somebody is, by the claims of the provider.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::realm::Rules;
use super::refusal::Refusal;
use crate::sim::pve::formats;

/// Claims by name.
pub type Claims = Map<String, Value>;

/// Somebody who proved to be a user of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `name@realm`
    pub id: String,
    /// Email, where the claims have one that Proxmox VE takes.
    pub email: Option<String>,
    /// First name, empty when the claims have none.
    pub firstname: String,
    /// Last name, empty when the claims have none.
    pub lastname: String,
    /// Ids of groups; `None` when the claims say nothing of groups.
    pub groups: Option<BTreeSet<String>>,
}

impl Person {
    /// The person of these claims.
    ///
    /// # Errors
    /// When the claims give no name that a user can have.
    pub fn of(claims: &Claims, rules: &Rules) -> Result<Self, Refusal> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = text(&rules.name_claim).ok_or_else(|| Refusal::NoName(rules.name_claim.clone()))?;
        let id = format!("{name}@{}", rules.realm);
        formats::userid(&id).map_err(Refusal::Name)?;
        let email = text("email").filter(|email| formats::check("email-opt", "email", email).is_ok());
        Ok(Self {
            id,
            email: email.map(str::to_owned),
            firstname: text("given_name").unwrap_or_default().to_owned(),
            lastname: text("family_name").unwrap_or_default().to_owned(),
            groups: groups(claims, rules),
        })
    }
}

/// The groups of a claim; values that are no names of groups are skipped, as with a missing claim only the log tells.
fn groups(claims: &Claims, rules: &Rules) -> Option<BTreeSet<String>> {
    let claim = &rules.groups.as_ref()?.claim;
    let Some(values) = claims.get(claim).and_then(Value::as_array) else {
        tracing::warn!(realm = rules.realm, claim, "the claim of groups is not found");
        return None;
    };
    let named = values.iter().filter_map(Value::as_str).filter(|value| {
        let is_name = is_group_name(value);
        if !is_name {
            tracing::warn!(realm = rules.realm, claim, value, "a group is skipped: its name has other characters");
        }
        is_name
    });
    Some(named.map(|value| format!("{value}-{}", rules.realm)).collect())
}

fn is_group_name(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::Person;
    use crate::sim::pve::openid::realm::{GroupRules, Rules};

    fn rules(name_claim: &str) -> Rules {
        Rules {
            realm: "PocketID".to_owned(),
            name_claim: name_claim.to_owned(),
            creates_users: true,
            groups: Some(GroupRules { claim: "groups".to_owned(), creates: false, overwrites: false }),
        }
    }

    fn person(name_claim: &str, claims: &Value) -> Result<Person, String> {
        let claims = claims.as_object().expect("an object");
        Person::of(claims, &rules(name_claim)).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_claim_gives_the_id() {
        let claims = json!({
            "sub": "8e3c", "preferred_username": "ann", "email": "ann@example.com", "upn": "a b", "short": "",
            "long": "x".repeat(55), "longest": "x".repeat(56), "number": 1, "colon": "a:b", "slash": "a/b",
        });
        let (missing, odd) = ("with the name of the user is not found", "does not look like a valid user name");
        for (claim, expected) in [
            ("sub", Ok("8e3c@PocketID")),
            ("preferred_username", Ok("ann@PocketID")),
            ("email", Ok("ann@example.com@PocketID")),
            ("upn", Err(odd)),
            ("colon", Err(odd)),
            ("slash", Err(odd)),
            ("long", Ok("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@PocketID")),
            ("longest", Err("is too long (65 > 64)")),
            ("short", Err(missing)),
            ("number", Err(missing)),
            ("none", Err(missing)),
        ] {
            match (person(claim, &claims), expected) {
                (Ok(person), Ok(id)) => assert_eq!(person.id, id, "{claim}"),
                (Err(refusal), Err(says)) => assert!(refusal.contains(says), "{claim}: {refusal}"),
                (got, _) => panic!("{claim}: {got:?}"),
            }
        }
    }

    #[test]
    fn names_of_groups_get_the_realm_and_others_are_skipped() {
        for (claim, expected) in [
            (
                json!(["admins", "a.b-c_d", "Proxmox Users", "", "ä", "a:b", 1]),
                Some(vec!["a.b-c_d-PocketID", "admins-PocketID"]),
            ),
            (json!([]), Some(vec![])),
            (json!("admins"), None),
            (Value::Null, None),
        ] {
            let person = person("sub", &json!({ "sub": "ann", "groups": claim })).expect("a person");
            let expected = expected.map(|ids| ids.into_iter().map(str::to_owned).collect::<BTreeSet<_>>());
            assert_eq!(person.groups, expected, "{claim}");
        }
    }

    #[test]
    fn what_else_is_known_comes_from_standard_claims() {
        let claims = json!({ "sub": "ann", "email": "ann@example.com", "given_name": "Ann", "family_name": "Lee" });
        let known = person("sub", &claims).expect("a person");
        assert_eq!((known.firstname.as_str(), known.lastname.as_str()), ("Ann", "Lee"));
        assert_eq!(known.email.as_deref(), Some("ann@example.com"));
        let unknown =
            person("sub", &json!({ "sub": "ann", "email": "no email", "given_name": null })).expect("a person");
        assert_eq!((unknown.firstname, unknown.lastname, unknown.email), (String::new(), String::new(), None));
    }
}
