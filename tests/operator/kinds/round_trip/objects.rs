//! Objects of all kinds that fit together, and what stands in Proxmox VE because of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::kinds::round_trip::random::Random;
use crate::kinds::round_trip::seen::line;
use crate::kinds::table::insert;

/// An object and its claims.
pub struct Made {
    pub kind: &'static str,
    pub name: String,
    pub spec: Value,
    /// As [`super::seen::lines`] tells them.
    pub stands: Vec<String>,
}

/// What one can refer to: by the name of its object where it has one, or by its id.
#[derive(Clone)]
pub struct Named {
    pub object: Option<String>,
    pub id: String,
}

impl Named {
    /// Either way to name it.
    pub fn refer(&self, random: &mut Random, field: &str) -> Value {
        match &self.object {
            Some(object) if random.one_in(2) => json!({format!("{field}Ref"): {"name": object}}),
            _ => json!({field: self.id}),
        }
    }
}

/// A round in the making.
pub struct Round<'a> {
    pub random: &'a mut Random,
    number: u64,
    made: Vec<Made>,
}

/// The objects of a round, in any order.
pub fn objects(random: &mut Random, number: u64) -> Vec<Made> {
    let mut round = Round { random, number, made: Vec::new() };
    let roles = round.roles();
    let realms = round.realms();
    let mut users = round.users(&realms);
    let mut groups = round.groups();
    round.memberships(&groups, &users);
    users.push(Named { object: None, id: "svc@pve".to_owned() });
    let tokens = round.tokens(&users);
    let pools = round.pools();
    groups.push(Named { object: None, id: "staff".to_owned() });
    let subjects: Vec<(&str, &Named)> = (groups.iter().map(|it| ("group", it)))
        .chain(users.iter().map(|it| ("user", it)))
        .chain(tokens.iter().map(|it| ("token", it)))
        .collect();
    round.entries(&roles, &subjects, &pools);
    let Round { random, number: _, mut made } = round;
    for at in (1..made.len()).rev() {
        made.swap(at, random.below(at + 1));
    }
    made
}

impl Round<'_> {
    pub fn make(&mut self, kind: &'static str, name: &str, spec: Value, stands: Vec<String>) {
        self.made.push(Made { kind, name: name.to_owned(), spec, stands });
    }

    /// An object of this name that is one of ours.
    pub fn object(&mut self, name: &str) -> &mut Made {
        self.made.iter_mut().find(|made| made.name == name).expect("made before")
    }

    /// Fills in some fields: where in the spec, PVE's name, and the value in both.
    fn fill(&mut self, spec: &mut Value, fields: &[(&str, &str, Value, &str)]) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        for (path, name, value, pve) in self.random.some(fields) {
            insert(spec, path, value.clone());
            shown.insert((*name).to_owned(), (*pve).to_owned());
        }
        shown
    }

    fn roles(&mut self) -> Vec<Named> {
        let privileges = ["Datastore.Audit", "Pool.Audit", "Sys.Audit", "VM.Audit", "VM.Console", "VM.PowerMgmt"];
        let builtin = ["PVEAuditor", "PVEVMUser", "Theirs", "NoAccess"];
        let mut roles: Vec<Named> = builtin.iter().map(|id| Named { object: None, id: (*id).to_owned() }).collect();
        for index in 0..self.random.below(3) {
            let (name, id) = (format!("role-{index}"), format!("Role{}_{index}", self.number));
            let chosen = self.random.some(&privileges);
            let sorted: BTreeSet<&str> = chosen.iter().map(|it| **it).collect();
            let stands = format!("role {id}: {}", sorted.into_iter().collect::<Vec<_>>().join(","));
            self.make("ProxmoxRole", &name, json!({"roleId": id, "privileges": chosen}), vec![stands]);
            roles.push(Named { object: Some(name), id });
        }
        roles
    }

    fn realms(&mut self) -> Vec<Named> {
        let mut realms = vec![Named { object: None, id: "pve".to_owned() }];
        if self.random.one_in(2) {
            let id = format!("Oid{}", self.number);
            let mut spec = json!({"realm": id, "openid": {"issuerUrl": "https://id.example.com", "clientId": "c"}});
            let mut shown = self.fill(
                &mut spec,
                &[
                    ("comment", "comment", json!("a realm"), "a realm"),
                    ("openid/users/autoCreate", "autocreate", json!(true), "1"),
                    ("openid/groups/claim", "groups-claim", json!("groups"), "groups"),
                    ("openid/scopes", "scopes", json!(["openid", "groups"]), "openid groups"),
                    ("openid/prompt", "prompt", json!(""), ""),
                    ("openid/queryUserinfo", "query-userinfo", json!(false), "0"),
                ],
            );
            for (name, value) in [("type", "openid"), ("issuer-url", "https://id.example.com"), ("client-id", "c")] {
                shown.insert(name.to_owned(), value.to_owned());
            }
            self.make("ProxmoxRealm", "realm", spec, vec![line("realm", &id, &shown)]);
            realms.push(Named { object: Some("realm".to_owned()), id });
        }
        realms
    }

    fn users(&mut self, realms: &[Named]) -> Vec<Named> {
        let mut users = Vec::new();
        for index in 0..self.random.below(4) {
            let (name, realm) = (format!("user-{index}"), self.random.pick(realms).clone());
            let id = format!("{name}@{}", realm.id);
            let mut spec = realm.refer(self.random, "realm");
            let shown = self.fill(
                &mut spec,
                &[
                    ("comment", "comment", json!(" a comment "), "a comment"),
                    ("enabled", "enable", json!(false), "0"),
                    ("expiresAt", "expire", json!("2040-01-01T00:00:00Z"), "2208988800"),
                    ("firstName", "firstname", json!("Änne"), "Änne"),
                    ("lastName", "lastname", json!(""), ""),
                    ("email", "email", json!("a@example.com"), "a@example.com"),
                ],
            );
            self.make("ProxmoxUser", &name, spec, vec![line("user", &id, &shown)]);
            users.push(Named { object: Some(name), id });
        }
        users
    }

    fn groups(&mut self) -> Vec<Named> {
        let mut groups = Vec::new();
        for index in 0..=self.random.below(3) {
            let (name, id) = (format!("group-{index}"), format!("g{}.{index}", self.number));
            let mut spec = json!({"groupId": id});
            let shown = self.fill(&mut spec, &[("comment", "comment", json!("a: \"group\""), "a: \"group\"")]);
            self.make("ProxmoxGroup", &name, spec, vec![line("group", &id, &shown)]);
            groups.push(Named { object: Some(name), id });
        }
        groups
    }

    fn tokens(&mut self, users: &[Named]) -> Vec<Named> {
        let mut tokens = Vec::new();
        for index in 0..self.random.below(3) {
            // A Secret of its name stays behind where nobody collects the garbage.
            let name = format!("token-{}-{index}", self.number);
            let user = self.random.pick(users).clone();
            let id = format!("{}!{name}", user.id);
            let mut spec = user.refer(self.random, "user");
            let shown = self.fill(
                &mut spec,
                &[
                    ("comment", "comment", json!("a token"), "a token"),
                    ("privilegeSeparation", "privsep", json!(false), "0"),
                    ("expiresAt", "expire", json!("2040-01-01T00:00:00Z"), "2208988800"),
                ],
            );
            self.make("ProxmoxToken", &name, spec, vec![line("token", &id, &shown)]);
            tokens.push(Named { object: Some(name), id });
        }
        tokens
    }

    /// Nested in each other, with guests that are in one of them.
    fn pools(&mut self) -> Vec<Named> {
        let mut pools: Vec<Named> = Vec::new();
        let mut guests = vec![(100, "qemu/100"), (101, "qemu/101"), (102, "qemu/102"), (200, "lxc/200")];
        let storages = [("local", "storage/pve1/local"), ("ceph1", "storage/pve1/ceph1")];
        for index in 0..self.random.below(4) {
            let name = format!("pool-{index}");
            let id = match pools.last() {
                Some(above) if !self.random.one_in(3) => format!("{}/p{index}", above.id),
                _ => format!("p{}-{index}", self.number),
            };
            let mut spec = json!({"poolId": id});
            let shown = self.fill(&mut spec, &[("comment", "comment", json!("0"), "")]);
            let mut stands = vec![line("pool", &id, &shown)];
            let mut into = |path: &str, value: Value, told: &str| {
                let mut list = spec.pointer(&format!("/{path}")).cloned().unwrap_or(json!([]));
                list.as_array_mut().expect("a list").push(value);
                insert(&mut spec, path, list);
                stands.push(format!("{told} in {id}"));
            };
            while !guests.is_empty() && self.random.one_in(2) {
                let (guest, told) = guests.swap_remove(self.random.below(guests.len()));
                into("members/guests", json!(guest), told);
            }
            for (storage, told) in self.random.some(&storages) {
                into("members/storages", json!(storage), told);
            }
            if self.random.one_in(2) {
                insert(&mut spec, "membershipPolicy", json!("Exact"));
            }
            self.make("ProxmoxPool", &name, spec, stands);
            pools.push(Named { object: Some(name), id });
        }
        pools
    }
}
