//! Carries out one write with one request.

use std::collections::BTreeSet;

use reqwest::Method;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::{GroupId, PoolId, RealmId, Subject};
use crate::core::snapshot::RealmOptions;
use crate::core::write::{AclBatch, AclChange, Write};
use crate::pve::error::{About, Noun};
use crate::pve::message::Scrubber;
use crate::pve::request::Request;
use crate::pve::session::{Session, call};

/// Proxmox VE refuses a longer body (FACTS 10).
const MAX_BODY: usize = 512 << 10;

impl Session {
    /// Carries out one write. Its answer carries nothing that is needed.
    ///
    /// # Errors
    /// [`FailureKind::Lost`] when it may have been carried out although no answer came. With every other kind it was
    /// not, except that a realm's failed connection check keeps the new bind password (FACTS 72).
    pub async fn write(&self, write: &Write) -> Result<(), Failure> {
        let mut request = request(write)?;
        if let Write::UpdateRealm { realm, digest: None, .. } = write {
            // Only what stands now may be overwritten, also when we do not know its digest any more.
            if let Some(digest) = self.realm(realm).await?.digest {
                request = request.form("digest", digest);
            }
        }
        call(&self.transport, &self.login, &request).await.map(|_| ())
    }
}

fn request(write: &Write) -> Result<Request, Failure> {
    match write {
        Write::CreateRealm { realm, kind, options } => {
            let request =
                Request::write(Method::POST, "/access/domains").form("realm", realm.as_str()).form("type", *kind);
            with_options(request, options)
        }
        Write::UpdateRealm { realm, set, unset, digest } => {
            let mut request = with_options(on_realm(Method::PUT, realm), set)?;
            if !unset.is_empty() {
                request = request.form("delete", joined(unset.iter().map(String::as_str)));
            }
            Ok(digest.iter().fold(request, |request, digest| request.form("digest", digest.as_str())))
        }
        Write::DeleteRealm { realm } => Ok(on_realm(Method::DELETE, realm)),
        Write::CreateGroup { group, comment } => {
            let request = Request::write(Method::POST, "/access/groups").form("groupid", group.as_str());
            Ok(with_comment(request, comment))
        }
        Write::UpdateGroup { group, comment } => Ok(on_group(Method::PUT, group).form("comment", comment.as_str())),
        Write::DeleteGroup { group } => Ok(on_group(Method::DELETE, group)),
        Write::CreatePool { pool, comment } => {
            let request = Request::write(Method::POST, "/pools").form("poolid", pool.as_str());
            Ok(with_comment(request, comment))
        }
        Write::UpdatePool { pool, comment } => Ok(on_pool(Method::PUT, pool).form("comment", comment.as_str())),
        Write::DeletePool { pool } => Ok(on_pool(Method::DELETE, pool)),
        Write::Acl(batch) => acl(batch),
    }
}

fn on_realm(method: Method, realm: &RealmId) -> Request {
    let about = About::Thing(Noun::Realm, realm.as_str().to_owned());
    Request::write(method, "/access/domains/{realm}").id(realm.as_str()).about(about)
}

fn on_group(method: Method, group: &GroupId) -> Request {
    let about = About::Thing(Noun::Group, group.as_str().to_owned());
    Request::write(method, "/access/groups/{group}").id(group.as_str()).about(about)
}

/// Always in the query: a nested pool has no path of its own (FACTS 79).
fn on_pool(method: Method, pool: &PoolId) -> Request {
    let about = About::Thing(Noun::Pool, pool.as_str().to_owned());
    Request::write(method, "/pools").query("poolid", pool.as_str()).about(about)
}

fn with_comment(request: Request, comment: &str) -> Request {
    if comment.is_empty() { request } else { request.form("comment", comment) }
}

fn with_options(request: Request, options: &RealmOptions) -> Result<Request, Failure> {
    // An empty value of a required option is taken and ruins the file for all realms (FACTS 21).
    if let Some((name, _)) = options.iter().find(|(_, value)| value.expose().trim().is_empty()) {
        return Err(refused(&format!(
            "realm option {name} would be set to nothing, which Proxmox VE does not survive"
        )));
    }
    Ok(options.iter().fold(request, |request, (name, value)| request.option(name, value)))
}

fn acl(batch: &AclBatch) -> Result<Request, Failure> {
    let AclBatch { path, roles, subjects, change } = batch;
    if roles.is_empty() || subjects.is_empty() {
        return Err(refused("an ACL change without roles or subjects would change nothing"));
    }
    // Proxmox VE splits its lists at these, so that the call would be about other subjects (FACTS 27).
    if let Some(bad) = subjects.iter().find(|subject| subject.id().contains([',', ';', ' ', '\t', '\n'])) {
        return Err(refused(&format!("the ACL of {bad} cannot be changed over the API, which splits its name")));
    }
    let mut request = Request::write(Method::PUT, "/access/acl")
        .form("path", path.as_str())
        .form("roles", joined(roles.iter().map(crate::core::ids::RoleId::as_str)));
    for (name, kind) in [("groups", "group"), ("users", "user"), ("tokens", "token")] {
        let ids = of_kind(subjects, kind);
        if !ids.is_empty() {
            request = request.form(name, ids);
        }
    }
    request = match change {
        AclChange::Grant { propagate } => request.form("propagate", if *propagate { "1" } else { "0" }),
        // With several entries one missing subject does not mean that the other entries are gone.
        AclChange::Revoke if roles.len() == 1 && subjects.len() == 1 => request.form("delete", "1").about(About::Entry),
        AclChange::Revoke => request.form("delete", "1"),
    };
    if request.form_length() >= MAX_BODY {
        return Err(refused("an ACL change has more subjects than one request can carry"));
    }
    Ok(request)
}

fn of_kind(subjects: &BTreeSet<Subject>, kind: &str) -> String {
    joined(subjects.iter().filter(|subject| subject.kind() == kind).map(Subject::id))
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(",")
}

/// Refused here, before anything was sent.
fn refused(sentence: &str) -> Failure {
    Scrubber::new([]).failure(FailureKind::Invalid, sentence, "")
}
