//! What a life has written, and what of it another one may not have.

use std::collections::BTreeMap;

use proxmox_identity::sim::Write;

use crate::both::Both;
use crate::standing::plain;

/// The writes that succeeded, and how often; and those that failed.
#[derive(Default)]
pub struct Written {
    done: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
}

/// Which secrets may be lost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lost {
    pub token: bool,
    pub client: bool,
}

impl Written {
    /// What our own process has written in a world until now.
    pub fn until_now(world: &Both) -> Self {
        let mut written = Self::default();
        for write in [world.pve.requests().writes, world.pocket.requests().writes].into_iter().flatten() {
            // What is done by hand here calls itself otherwise.
            let asks_only = write.path == "/access/openid/auth-url";
            if write.agent.starts_with("proxmox-identity/") && !asks_only {
                let took_effect = (200..300).contains(&write.status);
                let counts = if took_effect { &mut written.done } else { &mut written.refused };
                for part in parts(&write) {
                    *counts.entry(plain(&part)).or_default() += 1;
                }
            }
        }
        written
    }

    /// What was written that others did not write, or more often. Only a secret that was lost is made once more, with it what
    /// a token holds that is made anew, and what becomes of a thing may come in one change or in two, by when it is wanted.
    pub fn more_than(&self, other: &Self, lost: Lost) -> Vec<String> {
        let others = |call: &str| other.done.get(call).copied().unwrap_or_default();
        let is_lost_secret =
            |call: &str| (lost.token && call.contains("/token/")) || (lost.client && call.contains("/secret"));
        let made_again = self.done.iter().filter(|(call, count)| **count > others(call)).filter_map(|(call, _)| {
            let (user, token) = call.strip_prefix("POST /access/users/")?.split_once("/token/")?;
            Some(format!("{user}!{token}"))
        });
        let made_again: Vec<String> = made_again.collect();
        let more = self.done.iter().filter_map(|(call, count)| {
            let others = others(call);
            let is_of_entry = call.contains("/access/acl");
            let is_of_secret = call.contains("/token/") || call.contains("/secret");
            let may_be_split = call.starts_with("PUT ") && !is_of_entry && !is_of_secret && others > 0;
            let comes_back =
                is_of_entry && lost.token && others > 0 && made_again.iter().any(|token| call.contains(token));
            let allowed = others + u64::from(is_lost_secret(call) || may_be_split || comes_back);
            (*count > allowed).then(|| format!("{call}, {count} times and not {others}"))
        });
        let refused = self.refused.iter().filter(|(call, _)| !other.refused.contains_key(*call));
        more.chain(refused.map(|(call, _)| format!("{call} was refused"))).collect()
    }
}

/// What a write is about; one of the ACL is about each of its entries: how many go into one request is a matter of when
/// they are wanted.
fn parts(write: &Write) -> Vec<String> {
    let call = format!("{} {}", write.method, write.path);
    if write.path != "/access/acl" {
        return vec![call];
    }
    let words = |name: &str| write.form.get(name).map_or_else(Vec::new, |it| it.split(',').collect());
    let subjects: Vec<&str> = ["groups", "users", "tokens"].into_iter().flat_map(words).collect();
    let [path, propagate, delete] = ["path", "propagate", "delete"].map(|name| words(name).concat());
    let of_role = |role| subjects.iter().map(move |subject| (role, *subject));
    let entries = words("roles").into_iter().flat_map(of_role);
    entries.map(|(role, subject)| format!("{call} {path} {role} {subject} {propagate} {delete}")).collect()
}
