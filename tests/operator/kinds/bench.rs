//! One object of a kind in a world of its own, and what stands of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kinds::table::{Call, Choice, Field, Listed, Set, Shown, Table};
use crate::rights::{LEAST, operator_token, without};
use crate::world::World;

pub struct Bench {
    pub world: World,
    pub table: Table,
}

impl Bench {
    /// With an operator that may do everything.
    pub async fn new(table: Table) -> Self {
        let bench = Self::alone(table).await;
        bench.world.start_operator().connect().await;
        bench
    }

    /// Without an operator.
    pub async fn alone(table: Table) -> Self {
        let bench = Self { world: World::new().await, table };
        bench.prepare().await;
        bench
    }

    /// With an operator that may do what it needs, and not more.
    pub async fn limited(table: Table) -> Self {
        let bench = Self::alone(table).await;
        let token = operator_token(&bench.world, LEAST).await;
        bench.world.start_operator().connect_with(&token, "").await;
        bench
    }

    async fn prepare(&self) {
        for call in &self.table.before {
            self.by_hand(call).await;
        }
        self.world.apply(self.table.secrets).await;
    }

    /// Takes the kind's privilege from the operator.
    pub async fn withhold(&self) {
        self.grant(&without(&[self.table.right.privilege])).await;
    }

    /// Gives it back.
    pub async fn grant_all(&self) {
        self.grant(LEAST).await;
    }

    async fn grant(&self, privileges: &str) {
        self.world.pve_call("PUT", "/access/roles/Ops", &[("privs", privileges)]).await;
    }

    pub async fn by_hand(&self, Call { method, path, form }: &Call) {
        self.world.pve_call(method, path, form).await;
    }

    /// Makes the thing behind the operator's back.
    pub async fn make_by_hand(&self, choice: Choice) {
        self.with_fields(&self.table.thing.make, |_| Some(choice)).await;
    }

    /// Changes one field behind the operator's back.
    pub async fn break_by_hand(&self, name: &str) {
        self.with_fields(&self.table.thing.change, |field| (field.name == name).then_some(Choice::Two)).await;
    }

    /// Sends a request with some of the fields.
    pub async fn with_fields(&self, call: &Call, choose: impl Fn(&Field) -> Option<Choice>) {
        let values: Vec<(&str, String)> =
            self.table.fields.iter().filter_map(|field| Some((field.name, field.shown(choose(field)?)))).collect();
        let mut form = call.form.clone();
        form.retain(|(name, _)| values.iter().all(|(own, _)| own != name));
        let values = values.iter().map(|(name, value)| (*name, value.as_str()));
        let form: Vec<(&str, &str)> = form.into_iter().chain(values).collect();
        self.world.pve_call(call.method, call.path, &form).await;
    }

    /// Applies the object with a spec.
    pub async fn put(&self, spec: &Value) {
        self.world.object(self.table.kind, self.table.name, &flow(spec)).await;
    }

    /// Applies the object with one choice for all fields and waits until it is so.
    pub async fn settle(&self, choice: Choice) {
        self.put(&self.table.spec(|_| choice)).await;
        self.ready().await;
    }

    pub async fn ready(&self) {
        self.world.ready(self.table.kind, self.table.name).await;
    }

    pub async fn reason(&self, reason: &str) -> String {
        self.world.reason(self.table.kind, self.table.name, reason).await
    }

    pub async fn delete(&self) {
        self.world.delete(self.table.kind, self.table.name).await;
    }

    pub async fn delete_and_wait(&self) {
        self.delete().await;
        self.world.gone(self.table.kind, self.table.name).await;
    }

    pub async fn object(&self) -> Value {
        self.world.get_object(self.table.kind, self.table.name).await.expect("the object")
    }

    /// How it came to the thing.
    pub async fn origin(&self) -> Value {
        let object = self.object().await;
        let [row] = object["status"]["ledger"].as_array().expect("a ledger").as_slice() else { panic!("one row") };
        assert_eq!(row["state"], "Applied");
        row["origin"].clone()
    }

    /// Waits for an Event about the object.
    pub async fn told(&self, reason: &str, says: &[&str]) {
        self.world.told(self.table.name, reason, says).await;
    }

    /// What stands in Proxmox VE, by PVE's names.
    pub async fn stands(&self) -> Option<BTreeMap<&'static str, String>> {
        let shown = match self.table.thing.shown {
            Shown::Fields(path) => self.world.pve_find(path).await?,
            Shown::Privileges(path) => {
                let role = self.world.pve_find(path).await?;
                let mut names: Vec<&String> = role.as_object()?.keys().collect();
                names.sort();
                let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
                json!({"privs": names.join(",")})
            }
            Shown::Entry { path, role, group } => {
                let acl = self.world.pve_get("/access/acl").await;
                let entry =
                    acl.as_array()?.iter().find(|it| it["path"] == path && it["roleid"] == role && it["ugid"] == group);
                entry?.clone()
            }
        };
        let value = |field: &Field| match &shown[field.name] {
            Value::Null => field.absent.to_owned(),
            value => text(value),
        };
        Some(self.table.fields.iter().map(|field| (field.name, value(field))).collect())
    }

    /// Waits until this stands.
    pub async fn comes_to(&self, what: &str, expected: &BTreeMap<&'static str, String>) {
        self.world.until(what, async || (self.stands().await.as_ref() == Some(expected)).then_some(())).await;
    }

    /// What is in a set, sorted.
    pub async fn listed(&self, set: &Set) -> Vec<String> {
        let listed = match set.listed {
            Listed::Texts(path, name) => {
                let shown = self.world.pve_get(path).await;
                shown[name].as_array().expect("a list").iter().map(text).collect()
            }
            Listed::Pool(pool) => {
                let shown = self.world.pve_get(&format!("/pools?poolid={pool}")).await;
                shown[0]["members"].as_array().expect("members").iter().map(|member| text(&member["id"])).collect()
            }
            Listed::Entries(path) => {
                let prefix = format!("{path} ");
                self.world.acl().await.iter().filter_map(|line| Some(line.strip_prefix(&prefix)?.to_owned())).collect()
            }
        };
        let mut listed: Vec<String> = listed;
        listed.sort();
        listed
    }
}

/// A text or number as a form has it.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A spec as `manifest` takes it.
pub fn flow(spec: &Value) -> String {
    let text = spec.to_string();
    text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).expect("an object").to_owned()
}
