//! What a realm says of signing in, with the defaults of the schema.

use openidconnect::ClientSecret;

use crate::sim::pve::answer::Failure;
use crate::sim::pve::formats::split_list;
use crate::sim::pve::sections::Section;
use crate::sim::pve::state::Files;

/// A realm of type openid.
pub struct Realm {
    /// Its id.
    pub id: String,
    /// `issuer-url`, as the provider has to call itself.
    pub issuer: String,
    /// `client-id`
    pub client_id: String,
    /// `client-key`
    pub client_key: Option<ClientSecret>,
    /// `scopes`, without `openid`, which is asked for always.
    pub scopes: Vec<String>,
    /// `prompt`
    pub prompt: Option<String>,
    /// `acr-values`
    pub acr_values: Vec<String>,
    /// `audiences` that an ID token may be for too.
    pub audiences: Vec<String>,
    /// `query-userinfo`
    pub queries_userinfo: bool,
    /// How claims become a user and its groups.
    pub rules: Rules,
}

/// How claims become a user and its groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The realm that users and groups are named after.
    pub realm: String,
    /// The claim that has the name of a user.
    pub name_claim: String,
    /// `autocreate`
    pub creates_users: bool,
    /// Absent without `groups-claim`: memberships are left as they are.
    pub groups: Option<GroupRules>,
}

/// How a claim becomes groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRules {
    /// `groups-claim`
    pub claim: String,
    /// `groups-autocreate`
    pub creates: bool,
    /// `groups-overwrite`
    pub overwrites: bool,
}

impl Realm {
    /// The realm of this id.
    ///
    /// # Errors
    /// As in recording `openid-calls`, when there is none, or it is of another type.
    pub fn of(files: &Files, id: &str) -> Result<Self, Failure> {
        let section = files.realms.0.get(id);
        let Some((section, kind)) = section.and_then(|section| Some((section, section.kind.as_deref()?))) else {
            return Err(Failure::die(format!("authentication domain '{id}' does not exist")));
        };
        if kind != "openid" {
            return Err(Failure::die(format!("wrong realm type ({kind} != openid)")));
        }
        let text = |name: &str| section.get(name).unwrap_or_default().to_owned();
        let list = |name: &str| split_list(section.get(name).unwrap_or_default()).map(str::to_owned).collect();
        let scopes = split_list(section.get("scopes").unwrap_or("email profile"));
        Ok(Self {
            id: id.to_owned(),
            issuer: text("issuer-url"),
            client_id: text("client-id"),
            client_key: section.get("client-key").map(|key| ClientSecret::new(key.to_owned())),
            scopes: scopes.filter(|scope| *scope != "openid").map(str::to_owned).collect(),
            prompt: section.get("prompt").map(str::to_owned),
            acr_values: list("acr-values"),
            audiences: list("audiences"),
            queries_userinfo: section.get("query-userinfo") != Some("0"),
            rules: Rules::of(id, section),
        })
    }
}

impl Rules {
    /// The rules of a realm.
    pub fn of(realm: &str, section: &Section) -> Self {
        let is_set = |name: &str| section.get(name) == Some("1");
        let name_claim = match section.get("username-claim") {
            None | Some("subject") => "sub",
            Some("username") => "preferred_username",
            Some(other) => other,
        };
        Self {
            realm: realm.to_owned(),
            name_claim: name_claim.to_owned(),
            creates_users: is_set("autocreate"),
            groups: section.get("groups-claim").map(|claim| GroupRules {
                claim: claim.to_owned(),
                creates: is_set("groups-autocreate"),
                overwrites: is_set("groups-overwrite"),
            }),
        }
    }
}
