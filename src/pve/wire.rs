//! What Proxmox VE's JSON looks like. Unknown fields are passed over, numbers and texts stand for each other
//! (FACTS 13), and what is unset may be absent, null or empty (FACTS 14).

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, SeqAccess, Visitor};

/// The `data` of an answer.
pub(crate) fn data<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    #[derive(Deserialize)]
    struct Envelope<T> {
        data: T,
    }
    if !is_object(body) {
        return Err(Error::custom("not an object"));
    }
    serde_json::from_slice(body).map(|Envelope { data }| data)
}

/// Whether a body can be an object: serde takes the fields of one from a list too, in their order.
pub(crate) fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// A text, also where it came as a number.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text(pub(crate) String);

/// A boolean: `1`, `"1"` or `true`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

/// A number, also where it came as a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) i64);

/// A list, also where it came as one text with commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) Vec<String>);

struct Scalar;

impl Visitor<'_> for Scalar {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, number or boolean")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<String, E> {
        Ok(u8::from(flag).to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        Ok(String::new())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Scalar).map(Self)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Scalar)?;
        Ok(Self(!matches!(text.as_str(), "" | "0")))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Scalar)?;
        if text.is_empty() {
            return Ok(Self(0));
        }
        text.parse().map(Self).map_err(|_| Error::custom("not a whole number"))
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list or a text with commas")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(vec![number.to_string()])
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Vec::new())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut words = Vec::new();
                while let Some(Text(word)) = list.next_element()? {
                    words.push(word);
                }
                Ok(words)
            }
        }

        deserializer.deserialize_any(List).map(Self)
    }
}

/// An entry of `GET /access/groups`.
#[derive(Debug, Deserialize)]
pub(crate) struct Group {
    pub(crate) groupid: Text,
    #[serde(default)]
    pub(crate) comment: Text,
    #[serde(default)]
    pub(crate) users: Words,
}

/// An entry of `GET /access/users?full=1`.
#[derive(Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) userid: Text,
    /// Absent counts as enabled, as in Proxmox VE's schema.
    #[serde(default = "yes")]
    pub(crate) enable: Flag,
    #[serde(default)]
    pub(crate) expire: Number,
    #[serde(default)]
    pub(crate) groups: Words,
    pub(crate) tokens: Option<Vec<Token>>,
    #[serde(default)]
    pub(crate) firstname: Text,
    #[serde(default)]
    pub(crate) lastname: Text,
    #[serde(default)]
    pub(crate) email: Text,
    #[serde(default)]
    pub(crate) comment: Text,
    #[serde(default)]
    pub(crate) keys: Text,
}

/// `GET /access/users/{userid}`, as far as a change of groups needs it.
#[derive(Debug, Deserialize)]
pub(crate) struct GroupsOfUser {
    #[serde(default)]
    pub(crate) groups: Words,
}

/// A token in a user.
#[derive(Debug, Deserialize)]
pub(crate) struct Token {
    pub(crate) tokenid: Text,
    #[serde(default = "yes")]
    pub(crate) privsep: Flag,
    #[serde(default)]
    pub(crate) expire: Number,
    #[serde(default)]
    pub(crate) comment: Text,
}

/// An entry of `GET /access/roles`.
#[derive(Debug, Deserialize)]
pub(crate) struct Role {
    pub(crate) roleid: Text,
    #[serde(default)]
    pub(crate) privs: Words,
    #[serde(default)]
    pub(crate) special: Flag,
}

/// An entry of `GET /access/acl`.
#[derive(Debug, Deserialize)]
pub(crate) struct AclEntry {
    pub(crate) path: Text,
    #[serde(rename = "type")]
    pub(crate) kind: Text,
    pub(crate) ugid: Text,
    pub(crate) roleid: Text,
    /// Absent counts as propagated, as in Proxmox VE's schema.
    #[serde(default = "yes")]
    pub(crate) propagate: Flag,
}

/// An entry of `GET /access/domains`.
#[derive(Debug, Deserialize)]
pub(crate) struct Realm {
    #[serde(rename = "realm")]
    pub(crate) id: Text,
    #[serde(rename = "type", default)]
    pub(crate) kind: Text,
    #[serde(default)]
    pub(crate) default: Flag,
}

/// `GET /access/domains/{realm}`: `digest` and `type` beside the options that are set.
pub(crate) type RealmFields = BTreeMap<String, serde_json::Value>;

/// An entry of `GET /pools`.
#[derive(Debug, Deserialize)]
pub(crate) struct Pool {
    pub(crate) poolid: Text,
    #[serde(default)]
    pub(crate) comment: Text,
}

/// `GET /pools?poolid=`: a list of one.
#[derive(Debug, Deserialize)]
pub(crate) struct PoolDetails {
    #[serde(default)]
    pub(crate) members: Vec<Resource>,
}

/// A guest or storage, as a member of a pool or in `GET /cluster/resources`.
#[derive(Debug, Deserialize)]
pub(crate) struct Resource {
    #[serde(rename = "type", default)]
    pub(crate) kind: Text,
    #[serde(default)]
    pub(crate) vmid: Text,
    #[serde(default)]
    pub(crate) storage: Text,
    #[serde(default)]
    pub(crate) pool: Text,
}

/// `GET /access/permissions`.
pub(crate) type Permissions = BTreeMap<String, BTreeMap<String, Flag>>;

/// An entry of `GET /nodes/localhost/certificates/info`.
#[derive(Debug, Deserialize)]
pub(crate) struct CertificateInfo {
    #[serde(default)]
    pub(crate) filename: Text,
    #[serde(default)]
    pub(crate) fingerprint: Text,
}

/// What a token's creation or regeneration answers: it has no `Debug`, since it holds a secret.
#[derive(Deserialize)]
pub(crate) struct IssuedToken {
    pub(crate) value: String,
}

/// An entry of `GET /cluster/jobs/realm-sync`.
#[derive(Debug, Deserialize)]
pub(crate) struct SyncJob {
    pub(crate) id: Text,
    #[serde(rename = "last-run", default)]
    pub(crate) last_run: Number,
    #[serde(rename = "next-run", default)]
    pub(crate) next_run: Number,
    #[serde(flatten)]
    pub(crate) options: BTreeMap<String, serde_json::Value>,
}

/// `GET /nodes/{node}/tasks/{upid}/status`.
#[derive(Debug, Deserialize)]
pub(crate) struct Task {
    #[serde(default)]
    pub(crate) status: Text,
    #[serde(default)]
    pub(crate) exitstatus: Text,
}

/// `GET /version`.
#[derive(Debug, Deserialize)]
pub(crate) struct Version {
    pub(crate) version: Text,
}

fn yes() -> Flag {
    Flag(true)
}
