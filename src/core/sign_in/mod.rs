//! Whether people can sign in with a realm, before anybody tries.

use std::collections::{BTreeMap, BTreeSet};

use strsim::osa_distance;

use crate::core::ids::{GroupId, RealmId};
use crate::core::pocket_id::audience::{Audience, Person, Sample, covers, is_taken};
use crate::core::snapshot::{OptionValue, Snapshot};

#[cfg(test)]
mod tests;

/// The scope without which Pocket ID sends no groups (FACTS 8).
const GROUPS: &str = "groups";

/// A word that differs in so few letters is a slip.
const TYPO: usize = 2;

/// The scopes that Proxmox VE asks for where a realm says nothing.
pub const DEFAULT_SCOPES: [&str; 2] = ["email", "profile"];

/// What a realm says in Proxmox VE, as far as a sign-in goes by it.
pub struct SignIn<'a> {
    /// Which realm.
    pub realm: &'a RealmId,
    /// Its options.
    pub options: &'a BTreeMap<String, OptionValue>,
    /// What stands beside it.
    pub snapshot: &'a Snapshot,
    /// Where people sign in: the endpoints of the connection.
    pub endpoints: &'a [String],
    /// The name of the client's object.
    pub client: &'a str,
    /// Whom the client lets in.
    pub audience: &'a Audience,
    /// The users that the realm asks about; others of the client's realms may be among the audience's.
    pub asked: &'a [String],
    /// Whether users are made before their first sign-in.
    pub provisions: bool,
}

/// What a sign-in would give a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The user in Proxmox VE, where Pocket ID lets it in; or why it gets in nowhere.
    pub user: Result<String, Refused>,
    /// The groups that it would be put into.
    pub groups: BTreeSet<String>,
    /// Groups of Pocket ID that it gets nothing from.
    pub ignored: BTreeSet<String>,
}

/// Why somebody does not get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Pocket ID does not let the user in.
    TurnedAway,
    /// Pocket ID does not know the user.
    NoSuchUser,
    /// Proxmox VE does not take the user, for this cause.
    ByProxmoxVe(String),
}

impl SignIn<'_> {
    fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(OptionValue::expose)
    }

    fn is_on(&self, name: &str) -> bool {
        self.option(name) == Some("1")
    }

    fn scopes(&self) -> BTreeSet<&str> {
        match self.option("scopes") {
            Some(scopes) => scopes.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect(),
            None => BTreeSet::from(DEFAULT_SCOPES),
        }
    }

    /// What keeps people from signing in or from getting their groups.
    pub fn problems(&self) -> Vec<String> {
        let Self { client, audience, .. } = self;
        let mut problems = Vec::new();
        let uncovered: Vec<&str> = self
            .endpoints
            .iter()
            .map(String::as_str)
            .filter(|endpoint| !audience.callbacks.iter().any(|pattern| covers(pattern, endpoint)))
            .collect();
        if !uncovered.is_empty() {
            problems.push(format!(
                "no callback URL of PocketIdClient {client} covers {}: whoever signs in there is turned away; add it, or use \
                 callbackUrlsFrom",
                uncovered.join(", ")
            ));
        }
        let scopes = self.scopes();
        match (self.option("groups-claim"), scopes.contains(GROUPS)) {
            (Some(GROUPS), false) => {
                problems.push("openid.scopes lacks groups, so that nobody gets a group; add it".to_owned());
            }
            (None, true) => problems.push(
                "openid.groups.claim is not set, so that nobody gets a group; set it to groups, or take the scope groups away"
                    .to_owned(),
            ),
            // Other claims may be custom ones.
            (Some(claim), _) if claim != GROUPS && osa_distance(claim, GROUPS) <= TYPO => problems.push(format!(
                "openid.groups.claim is {claim} and Pocket ID's is called groups, so that nobody gets a group; correct it"
            )),
            (Some(_), _) | (None, false) => {}
        }
        let unknown: Vec<&str> =
            scopes.into_iter().filter(|scope| *scope != "openid" && !audience.scopes.contains(*scope)).collect();
        if !unknown.is_empty() && !audience.scopes.is_empty() {
            problems.push(format!("Pocket ID does not know the scope {}; remove it", unknown.join(", ")));
        }
        if audience.people.is_empty() {
            problems.push(format!("PocketIdClient {client} lets nobody in; see its allowedGroups and who is in them"));
        }
        if !self.is_on("autocreate") && !self.provisions && self.has_no_user() {
            problems.push(
                "openid.users.autoCreate is off and no user of the realm exists in Proxmox VE, so that nobody gets in; turn it \
                 on, or make users"
                    .to_owned(),
            );
        }
        problems
    }

    fn has_no_user(&self) -> bool {
        self.snapshot.users.as_ref().is_ok_and(|users| !users.keys().any(|user| user.realm() == *self.realm))
    }

    /// What a sign-in would give the users that are asked about.
    pub fn samples(&self) -> BTreeMap<&str, Outcome> {
        let samples = self.audience.samples.iter().filter(|(user, _)| self.asked.contains(user));
        samples.map(|(user, sample)| (user.as_str(), self.outcome(sample))).collect()
    }

    fn outcome(&self, sample: &Sample) -> Outcome {
        let refused = |why| Outcome { user: Err(why), groups: BTreeSet::new(), ignored: BTreeSet::new() };
        let person = match sample {
            Sample::Admitted(person) => person,
            Sample::TurnedAway => return refused(Refused::TurnedAway),
            Sample::NoSuchUser => return refused(Refused::NoSuchUser),
        };
        let id = match person.user_id(self.option("username-claim"), self.realm) {
            Ok(id) => id,
            Err(why) => return refused(Refused::ByProxmoxVe(why)),
        };
        let known = self.snapshot.users.as_ref().ok();
        let user = known.and_then(|users| users.get(&id));
        if user.is_none() && known.is_some() && !self.is_on("autocreate") {
            let why = format!("{id} does not exist in Proxmox VE, and openid.users.autoCreate is off");
            return refused(Refused::ByProxmoxVe(why));
        }
        if user.is_some_and(|user| !user.enabled) {
            return refused(Refused::ByProxmoxVe(format!("{id} is disabled in Proxmox VE")));
        }
        let (groups, ignored) = self.groups(person);
        Outcome { user: Ok(id.to_string()), groups, ignored }
    }

    /// The groups that Proxmox VE puts somebody into, and those of Pocket ID that give nothing.
    fn groups(&self, person: &Person) -> (BTreeSet<String>, BTreeSet<String>) {
        let told = self.option("groups-claim") == Some(GROUPS) && self.scopes().contains(GROUPS);
        let exists = |group: &str| {
            self.snapshot.groups.as_ref().is_ok_and(|groups| groups.contains_key(&GroupId::observed(group)))
        };
        let (mut groups, mut ignored) = (BTreeSet::new(), BTreeSet::new());
        for name in &person.groups {
            let group = format!("{name}-{}", self.realm);
            if told && is_taken(name) && (self.is_on("groups-autocreate") || exists(&group)) {
                groups.insert(group);
            } else {
                ignored.insert(name.clone());
            }
        }
        (groups, ignored)
    }
}
