//! The settings of realms whose users are in a directory: types ldap and ad.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::refs::KeyRef;
use crate::api::schema::directory as schema;

/// A directory of LDAP. Fields that are unset are not managed: the value in Proxmox VE stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LdapRealm {
    /// Where users are looked for, such as `ou=people,dc=example,dc=com`.
    #[schemars(schema_with = "schema::base_dn")]
    pub base_dn: String,
    /// The attribute that is the name of a user, such as `uid`.
    #[schemars(schema_with = "schema::user_attribute")]
    pub user_attribute: String,
    /// What both types of directories have.
    #[serde(flatten)]
    pub directory: Directory,
}

/// An Active Directory. Fields that are unset are not managed: the value in Proxmox VE stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdRealm {
    /// The domain, such as `example.com`.
    #[schemars(schema_with = "schema::domain")]
    pub domain: String,
    /// Where users are looked for. Empty: what Proxmox VE finds out by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::optional_dn")]
    pub base_dn: Option<String>,
    /// The attribute that is the name of a user. Empty: `sAMAccountName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::optional_attribute")]
    pub user_attribute: Option<String>,
    /// What both types of directories have.
    #[serde(flatten)]
    pub directory: Directory,
}

/// What both types of directories have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// The servers, one or two: the second is asked when the first does not answer.
    #[schemars(schema_with = "schema::servers")]
    pub servers: Vec<String>,
    /// The port. Unset: not managed; PVE takes the usual one of the mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::port_number")]
    pub port: Option<i32>,
    /// Whether the case of user names counts. Proxmox VE says yes where it is unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_sensitive: Option<bool>,
    /// As whom Proxmox VE searches. Empty: without login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::optional_dn")]
    pub bind_dn: Option<String>,
    /// The Secret that holds the password for bindDn. Proxmox VE never shows it: it is set when the realm is made, and
    /// again when the Secret changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_password_secret_ref: Option<KeyRef>,
    /// How the way to the servers is protected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<DirectoryTls>,
    /// Which users are synced, and what is taken from them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<DirectoryUsers>,
    /// Which groups are synced. In Proxmox VE they are called `<name>-<realm>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<DirectoryGroups>,
    /// What a sync does where it is not told otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_defaults: Option<SyncDefaults>,
    /// Whether Proxmox VE tries to log in to the servers before it takes a change of how they are reached. A change that
    /// fails so is not taken, but a new bind password is stored already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_connection: Option<bool>,
}

/// How the way to the servers is protected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryTls {
    /// The protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DirectoryMode>,
    /// Whether the servers' certificates are verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<bool>,
    /// A file or folder with the authorities to trust, on the nodes. Empty: `/etc/ssl/certs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::node_path")]
    pub ca_path: Option<String>,
    /// A file with a certificate to show, on the nodes. Empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::node_path")]
    pub cert_path: Option<String>,
    /// The file with its key, on the nodes. Empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::node_path")]
    pub key_path: Option<String>,
    /// The version of TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<TlsVersion>,
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// The protocol: `ldap` in the clear, `ldaps`, or `ldap+starttls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DirectoryMode {
    /// In the clear.
    #[serde(rename = "ldap")]
    Ldap,
    /// TLS from the beginning.
    #[serde(rename = "ldaps")]
    Ldaps,
    /// TLS after a request for it.
    #[serde(rename = "ldap+starttls")]
    StartTls,
}

impl DirectoryMode {
    /// As Proxmox VE writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ldap => "ldap",
            Self::Ldaps => "ldaps",
            Self::StartTls => "ldap+starttls",
        }
    }
}

/// The version of TLS, as Proxmox VE writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// 1.0
    #[serde(rename = "tlsv1")]
    V1,
    /// 1.1
    #[serde(rename = "tlsv1_1")]
    V1_1,
    /// 1.2
    #[serde(rename = "tlsv1_2")]
    V1_2,
    /// 1.3
    #[serde(rename = "tlsv1_3")]
    V1_3,
}

impl TlsVersion {
    /// As Proxmox VE writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "tlsv1",
            Self::V1_1 => "tlsv1_1",
            Self::V1_2 => "tlsv1_2",
            Self::V1_3 => "tlsv1_3",
        }
    }
}

/// Which users are synced, and what is taken from them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryUsers {
    /// An LDAP filter that users must meet. Empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::ldap_filter")]
    pub filter: Option<String>,
    /// The object classes of users. Empty: those of Proxmox VE, inetorgperson, posixaccount, person and user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::attribute_names")]
    pub classes: Option<Vec<String>>,
    /// From which attribute each property of a user in Proxmox VE is taken, such as `email: mail`. Empty: from
    /// the one of its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::sync_attributes")]
    pub attributes: Option<BTreeMap<String, String>>,
}

/// Which groups are synced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryGroups {
    /// Where groups are looked for. Empty: where users are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::optional_dn")]
    pub dn: Option<String>,
    /// An LDAP filter that groups must meet. Empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::ldap_filter")]
    pub filter: Option<String>,
    /// The object classes of groups. Empty: those of Proxmox VE, groupOfNames, group, univentionGroup and ipausergroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::attribute_names")]
    pub classes: Option<Vec<String>>,
    /// The attribute that is the name of a group. Empty: the first part of its DN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::optional_attribute")]
    pub name_attribute: Option<String>,
}

/// What a sync does where it is not told otherwise. All of it is managed together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncDefaults {
    /// What is synced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<SyncScope>,
    /// Whether users that a sync makes may log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_new: Option<bool>,
    /// What is removed of users and groups that the directory does not have any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::vanished")]
    pub remove_vanished: Vec<Vanished>,
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// What is synced: `users`, `groups` or `both`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncScope {
    /// Users.
    Users,
    /// Groups and who is in them.
    Groups,
    /// Users and groups.
    Both,
}

impl SyncScope {
    /// As Proxmox VE writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Both => "both",
        }
    }
}

/// What is removed of users and groups that the directory does not have any more: their `acl` entries, the `properties`
/// that the directory does not have, or the whole `entry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Vanished {
    /// ACL entries.
    Acl,
    /// The user or group.
    Entry,
    /// Properties of users that are still there.
    Properties,
}

impl Vanished {
    /// As Proxmox VE writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acl => "acl",
            Self::Entry => "entry",
            Self::Properties => "properties",
        }
    }
}

/// A sync of the realm that Proxmox VE runs by itself. Fields that are unset are not managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncJob {
    /// The id of the job in Proxmox VE.
    #[schemars(schema_with = "schema::job_id")]
    pub id: String,
    /// When it runs, as a calendar event of Proxmox VE such as `daily`, `*/30` or `mon..fri 02:30`.
    #[schemars(schema_with = "schema::schedule")]
    pub schedule: String,
    /// What is synced.
    pub scope: SyncScope,
    /// Whether it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether users that it makes may log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_new: Option<bool>,
    /// What is removed of users and groups that the directory does not have any more. Empty: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::vanished")]
    pub remove_vanished: Option<Vec<Vanished>>,
    /// The comment of the job. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::job_comment")]
    pub comment: Option<String>,
}
