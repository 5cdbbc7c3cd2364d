//! Realm sync jobs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Call, Outcome};
use crate::sim::clock::now;
use crate::sim::pve::answer::Failure;
use crate::sim::pve::calendar::{Event, written};
use crate::sim::pve::sections::{Section, Sections};

const KIND: &str = "realm-sync";
const REQUIRED: [&str; 3] = ["realm", "schedule", "scope"];

/// The options a job must have.
pub fn required(_kind: &str) -> &'static [&'static str] {
    &REQUIRED
}

fn missing(id: &str) -> Failure {
    Failure::parameter("id", format!("No such job '{id}'"))
}

fn view(job: &Section) -> Map<String, Value> {
    let typed = |name: &str, value: &str| match name {
        "enabled" | "enable-new" => json!(u8::from(value == "1")),
        _ => json!(value),
    };
    let mut shown: Map<String, Value> =
        job.options.iter().map(|(name, value)| (name.clone(), typed(name, value))).collect();
    shown.entry("enabled").or_insert(json!(1));
    shown.insert("type".to_owned(), json!(KIND));
    shown
}

pub fn list(call: &Call<'_>) -> Value {
    let jobs = call.files.jobs.0.iter();
    jobs.map(|(id, job)| {
        let mut shown = view(job);
        shown.insert("id".to_owned(), json!(id));
        shown.insert("last-run".to_owned(), Value::Null);
        let next = job.get("schedule").and_then(Event::parse).and_then(|event| event.next(now()));
        shown.insert("next-run".to_owned(), json!(next));
        Value::Object(shown)
    })
    .collect()
}

pub fn read(call: &Call<'_>) -> Outcome {
    let id = call.text("id");
    call.files.jobs.0.get(id).map(|job| Value::Object(view(job))).ok_or_else(|| missing(id))
}

fn check_realm(call: &Call<'_>, realm: &str) -> Result<(), Failure> {
    let section = call.files.realms.0.get(realm);
    match section.map(|section| section.kind.as_deref()) {
        None => Err(Failure::parameter("realm", format!("No such realm '{realm}'"))),
        Some(Some("ldap" | "ad")) => Ok(()),
        Some(_) => Err(Failure::parameter("realm", "Only LDAP/AD realms can be synced.")),
    }
}

fn given(call: &Call<'_>) -> BTreeMap<String, String> {
    let options = call.parameters.iter().filter(|(name, _)| !matches!(*name, "id" | "delete"));
    options.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub async fn create(call: &Call<'_>) -> Outcome {
    let id = call.text("id");
    let change = call.server.change_jobs(|sections| {
        if sections.0.contains_key(id) {
            return Err(Failure::die(format!("Job '{id}' already exists")));
        }
        let options = given(call);
        if let Some(name) = REQUIRED.iter().find(|name| !options.contains_key(**name)) {
            return Err(Failure::die(format!("missing value for required option '{name}'")));
        }
        check_realm(call, &options["realm"])?;
        sections.0.insert(id.to_owned(), Section { kind: Some(KIND.to_owned()), options });
        Ok(Value::Null)
    });
    change.await
}

pub async fn update(call: &Call<'_>) -> Outcome {
    let id = call.text("id");
    let change = call.server.change_jobs(|sections: &mut Sections| {
        let job = sections.0.get_mut(id).ok_or_else(|| Failure::die("no such realm-sync job"))?;
        if call.get("delete") == Some("") {
            let text =
                "Can't use string (\"\") as an ARRAY ref while \"strict refs\" in use at SectionConfig.pm line 1000.";
            return Err(Failure::die(text));
        }
        let options = given(call);
        for name in call.parameters.list("delete") {
            if !matches!(
                name.as_str(),
                "comment" | "enabled" | "enable-new" | "remove-vanished" | "realm" | "schedule" | "scope"
            ) {
                return Err(Failure::die(format!("no such option '{name}'")));
            }
            if REQUIRED.contains(&name.as_str()) {
                return Err(Failure::die(format!("unable to delete required option '{name}'")));
            }
            if options.contains_key(&name) {
                return Err(Failure::die(format!("cannot set and delete property '{name}' at the same time!")));
            }
            job.options.remove(&name);
        }
        job.options.extend(options);
        Ok(Value::Null)
    });
    change.await
}

pub async fn delete(call: &Call<'_>) -> Outcome {
    let id = call.text("id");
    let change = call.server.change_jobs(|sections| {
        sections.0.remove(id).ok_or_else(|| missing(id))?;
        Ok(Value::Null)
    });
    change.await
}

/// The next moments of a calendar event.
pub fn analyze(call: &Call<'_>) -> Value {
    let event = Event::parse(call.text("schedule")).unwrap_or_default();
    let start = call.get("starttime").and_then(|start| start.parse().ok()).unwrap_or_else(now);
    let count = call.get("iterations").and_then(|count| count.parse().ok()).unwrap_or(10);
    let moments = std::iter::successors(event.next(start), |moment| event.next(*moment));
    moments.take(count).map(|moment| json!({ "timestamp": moment, "utc": written(moment) })).collect()
}
