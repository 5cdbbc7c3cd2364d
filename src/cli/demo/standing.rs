//! What stands in Proxmox VE, for people to read and for the story to compare.

use reqwest::Method;
use serde_json::Value;

use super::Failure;
use super::proxmox::Proxmox;
use super::screen::table;

/// What a row says of something in a list.
type Row = fn(&Value) -> Vec<String>;

/// Realms, groups, pools and ACL entries as rows of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing(Vec<Vec<String>>);

impl Standing {
    /// Reads it as an administrator sees it.
    ///
    /// # Errors
    /// When Proxmox VE does not answer.
    pub async fn read(pve: &Proxmox) -> Result<Self, Failure> {
        let lists: [(&str, Row); 4] =
            [("/access/domains", realm), ("/access/groups", group), ("/pools", pool), ("/access/acl", entry)];
        let mut rows = vec![["WHAT", "ID OR PATH", "", ""].map(str::to_owned).to_vec()];
        for (path, row) in lists {
            let list = pve.call(Method::GET, path, &[]).await?;
            let mut found: Vec<Vec<String>> = list.as_array().into_iter().flatten().map(row).collect();
            found.sort();
            rows.extend(found);
        }
        Ok(Self(rows))
    }

    /// A table.
    pub fn table(&self) -> String {
        table(&self.0)
    }

    /// True when a row starts with these cells.
    pub fn has(&self, cells: &[&str]) -> bool {
        self.0.iter().any(|row| row.iter().zip(cells).filter(|(a, b)| a == b).count() == cells.len())
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn realm(realm: &Value) -> Vec<String> {
    let default = if realm["default"] == 1 { ", default" } else { "" };
    vec!["realm".into(), text(realm, "realm"), format!("{}{default}", text(realm, "type")), text(realm, "comment")]
}

fn group(group: &Value) -> Vec<String> {
    vec!["group".into(), text(group, "groupid"), text(group, "comment")]
}

fn pool(pool: &Value) -> Vec<String> {
    vec!["pool".into(), text(pool, "poolid"), text(pool, "comment")]
}

fn entry(entry: &Value) -> Vec<String> {
    let below = if entry["propagate"] == 1 { "" } else { ", not below" };
    let subject = format!("{} {}{below}", text(entry, "type"), text(entry, "ugid"));
    vec!["ACL entry".into(), text(entry, "path"), text(entry, "roleid"), subject]
}
