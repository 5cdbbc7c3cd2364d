//! What stands in Pocket ID and in Proxmox VE, for people to read and for the story to compare.

use reqwest::Method;
use serde_json::Value;

use super::Failure;
use super::pocket_id::PocketId;
use super::proxmox::Proxmox;
use super::screen::table;

/// What a row says of something in a list.
type Row = fn(&Value) -> Vec<String>;

/// What stands, as rows of text: in Pocket ID groups and clients, in Proxmox VE realms, groups, pools and ACL entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pocket_id: Rows,
    pve: Rows,
}

type Rows = Vec<Vec<String>>;

impl Standing {
    /// Reads it as administrators see it.
    ///
    /// # Errors
    /// When one of both does not answer.
    pub async fn read(pocket_id: &PocketId, pve: &Proxmox) -> Result<Self, Failure> {
        let (mut in_pocket_id, mut in_pve) = (Vec::new(), Vec::new());
        for (path, row) in [("user-groups", user_group as Row), ("oidc/clients", client)] {
            for listed in entries(&pocket_id.call(Method::GET, &format!("/api/{path}"), None).await?["data"]) {
                let path = format!("/api/{path}/{}", text(listed, "id"));
                in_pocket_id.push(row(&pocket_id.call(Method::GET, &path, None).await?));
            }
        }
        let lists: [(&str, Row); 4] =
            [("/access/domains", realm), ("/access/groups", group), ("/pools", pool), ("/access/acl", entry)];
        for (path, row) in lists {
            let list = pve.call(Method::GET, path, &[]).await?;
            let mut found: Rows = entries(&list).filter(|entry| !is_built_in(entry)).map(row).collect();
            found.sort();
            in_pve.extend(found);
        }
        in_pocket_id.sort();
        Ok(Self { pocket_id: in_pocket_id, pve: in_pve })
    }

    /// A table of each, with the name of the system.
    pub fn tables(&self) -> [(&'static str, String); 2] {
        let with_heading = |rows: &Rows| {
            let heading = ["WHAT", "ID OR PATH", "", ""].map(str::to_owned).to_vec();
            table(&[&[heading], rows.as_slice()].concat())
        };
        [("in Pocket ID:", with_heading(&self.pocket_id)), ("in Proxmox VE:", with_heading(&self.pve))]
    }

    /// True when a row starts with these cells.
    pub fn has(&self, cells: &[&str]) -> bool {
        let mut rows = self.pocket_id.iter().chain(&self.pve);
        rows.any(|row| row.iter().zip(cells).filter(|(a, b)| a == b).count() == cells.len())
    }
}

fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The realms that every Proxmox VE has.
fn is_built_in(entry: &Value) -> bool {
    matches!(entry["type"].as_str(), Some("pam" | "pve"))
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The texts of a field in all entries of a list, in order.
fn texts(list: &Value, key: &str) -> String {
    let mut texts: Vec<String> = entries(list).map(|entry| text(entry, key)).collect();
    texts.sort();
    texts.join(", ")
}

fn user_group(group: &Value) -> Vec<String> {
    vec!["group".to_owned(), text(group, "name"), texts(&group["users"], "username")]
}

fn client(client: &Value) -> Vec<String> {
    let allowed = texts(&client["allowedUserGroups"], "name");
    let who = if client["isGroupRestricted"] == true { format!("only {allowed}") } else { "everybody".to_owned() };
    let back = entries(&client["callbackURLs"]).filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    vec!["client".to_owned(), text(client, "id"), who, back]
}

fn realm(realm: &Value) -> Vec<String> {
    let default = if realm["default"] == 1 { ", default" } else { "" };
    let kind = format!("{}{default}", text(realm, "type"));
    vec!["realm".to_owned(), text(realm, "realm"), kind, text(realm, "comment")]
}

fn group(group: &Value) -> Vec<String> {
    vec!["group".to_owned(), text(group, "groupid"), text(group, "comment")]
}

fn pool(pool: &Value) -> Vec<String> {
    vec!["pool".to_owned(), text(pool, "poolid"), text(pool, "comment")]
}

fn entry(entry: &Value) -> Vec<String> {
    let below = if entry["propagate"] == 1 { "" } else { ", not below" };
    let subject = format!("{} {}{below}", text(entry, "type"), text(entry, "ugid"));
    vec!["ACL entry".to_owned(), text(entry, "path"), text(entry, "roleid"), subject]
}
