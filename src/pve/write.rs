//! Carries out one write with one request.

use std::collections::BTreeSet;

use reqwest::Method;

use crate::core::claim::{PoolItem, Thing};
use crate::core::failure::{Failure, FailureKind};
use crate::core::fields::Fields;
use crate::core::ids::{GroupId, Subject};
use crate::core::secret::Secret;
use crate::core::write::{AclBatch, AclChange, GroupChange, MemberChange, PoolChange, Write};
use crate::https::message::Scrubber;
use crate::permit::Permit;
use crate::pve::error::{About, Noun, sentence};
use crate::pve::request::Request;
use crate::pve::session::{Session, call};
use crate::pve::wire;

/// Proxmox VE refuses a longer body (FACTS 10).
const MAX_BODY: usize = 512 << 10;

impl Session {
    /// Carries out one write. The answer carries nothing that is needed but the secret of a token.
    ///
    /// # Errors
    /// [`FailureKind::Lost`] when it may have been carried out although no answer came. With every other kind it was
    /// not, except that a realm's failed connection check keeps the new bind password (FACTS 72).
    pub async fn write(&self, write: &Write) -> Result<Option<Secret>, Failure> {
        let mut request = match write {
            Write::Groups(change) if !change.leave.is_empty() => groups(&self.current(change).await?, &self.permit),
            write => request(write, &self.permit)?,
        };
        if let Write::Update { thing: Thing::Realm(realm), digest: None, .. } = write {
            // Only what stands now may be overwritten, also when we do not know its digest any more.
            if let Some(digest) = self.realm(realm).await?.digest {
                request = request.form("digest", digest);
            }
        }
        if let (Write::SetPassword { .. }, Some(own)) = (write, self.login.confirmation()) {
            request = request.secret("confirmation-password", own);
        }
        let answer = call(&self.transport, &self.login, &request).await;
        let body = answer.map_err(|failure| of_check(failure, write))?;
        // A secret that cannot be read was made all the same: it is asked for again when all is read anew.
        let shown = write.shows_secret().then(|| wire::data::<wire::IssuedToken>(&body).ok()).flatten();
        Ok(shown.map(|issued| Secret::new(issued.value)))
    }
}

/// Proxmox VE was asked to try the way to a directory: whatever the directory or the way to it said is shown in its own
/// words.
fn of_check(failure: Failure, write: &Write) -> Failure {
    let (Write::Create { fields: set, .. } | Write::Update { set, .. }) = write else { return failure };
    if failure.kind != FailureKind::Other || !set.contains_key("check-connection") {
        return failure;
    }
    let kind = FailureKind::CheckFailed;
    // The password is stored before anything is tried, and stays (FACTS 72).
    let password = if set.contains_key("password") { ", but the new bind password is stored already" } else { "" };
    let said = failure.message.strip_prefix(sentence(FailureKind::Other)).unwrap_or(&failure.message);
    Scrubber::new([]).failure(kind, &format!("{}{password}", sentence(kind)), said.trim_start_matches(": "))
}

impl Session {
    /// The change with the groups to stay in as they are now: the whole list is sent, and what somebody else added since
    /// the lists were read, such as a login, is not to be lost.
    async fn current(&self, change: &GroupChange) -> Result<GroupChange, Failure> {
        let about = About::Thing(Noun::User, change.user.as_str().to_owned());
        let request = Request::get("/access/users/{user}").id(change.user.as_str()).about(about);
        let wire::GroupsOfUser { groups } = self.get(&request).await?;
        let stay = groups.0.iter().map(|group| GroupId::observed(group));
        Ok(GroupChange { stay: stay.filter(|group| !change.leave.contains(group)).collect(), ..change.clone() })
    }
}

fn request(write: &Write, permit: &Permit) -> Result<Request, Failure> {
    match write {
        Write::Create { thing, fields } => with_fields(create(thing, permit), fields),
        Write::Update { thing, set, unset, digest } => {
            let request = with_fields(on(Method::PUT, thing, permit), set)?;
            let request = match thing {
                Thing::Realm(_) | Thing::SyncJob(_) if unset.is_empty() => request,
                Thing::Realm(_) | Thing::SyncJob(_) => request.form("delete", joined(unset.iter().map(String::as_str))),
                Thing::Role(_) | Thing::Group(_) | Thing::User(_) | Thing::Token(_) | Thing::Pool(_) => {
                    unset.iter().fold(request, |request, name| request.form(name, ""))
                }
            };
            Ok(digest.iter().fold(request, |request, digest| request.form("digest", digest.as_str())))
        }
        Write::Delete { thing } => Ok(on(Method::DELETE, thing, permit)),
        Write::Regenerate { token, set, unset } => {
            let token = Thing::Token(token.clone());
            let request = with_fields(on(Method::PUT, &token, permit).form("regenerate", "1"), set)?;
            Ok(unset.iter().fold(request, |request, name| request.form(name, "")))
        }
        Write::SetPassword { user, password } => Ok(Request::write(Method::PUT, "/access/password", permit)
            .form("userid", user.as_str())
            .secret("password", password)
            .about(About::Thing(Noun::User, user.as_str().to_owned()))),
        Write::Groups(change) => Ok(groups(change, permit)),
        Write::PoolMembers(change) => Ok(members(change, permit)),
        Write::Acl(batch) => acl(batch, permit),
    }
}

fn create(thing: &Thing, permit: &Permit) -> Request {
    let post = |template, name: &str, id: &str| Request::write(Method::POST, template, permit).form(name, id);
    match thing {
        Thing::Realm(id) => post("/access/domains", "realm", id.as_str()),
        Thing::Role(id) => post("/access/roles", "roleid", id.as_str()),
        Thing::Group(id) => post("/access/groups", "groupid", id.as_str()),
        Thing::User(id) => post("/access/users", "userid", id.as_str()),
        Thing::SyncJob(_) | Thing::Token(_) => on(Method::POST, thing, permit).about(About::Nothing),
        Thing::Pool(id) => post("/pools", "poolid", id.as_str()),
    }
}

/// A request about a thing that stands.
fn on(method: Method, thing: &Thing, permit: &Permit) -> Request {
    let (template, noun) = match thing {
        Thing::Realm(_) => ("/access/domains/{realm}", Noun::Realm),
        Thing::SyncJob(_) => ("/cluster/jobs/realm-sync/{id}", Noun::SyncJob),
        Thing::Role(_) => ("/access/roles/{role}", Noun::Role),
        Thing::Group(_) => ("/access/groups/{group}", Noun::Group),
        Thing::User(_) => ("/access/users/{user}", Noun::User),
        Thing::Token(id) => {
            let about = About::Thing(Noun::Token, id.name().to_owned());
            let request = Request::write(method, "/access/users/{user}/token/{token}", permit);
            return request.id(id.user().as_str()).id(id.name()).about(about);
        }
        // Always in the query: a nested pool has no path of its own (FACTS 79).
        Thing::Pool(id) => {
            let about = About::Thing(Noun::Pool, id.as_str().to_owned());
            return Request::write(method, "/pools", permit).query("poolid", id.as_str()).about(about);
        }
    };
    Request::write(method, template, permit).id(thing.id()).about(About::Thing(noun, thing.id().to_owned()))
}

fn groups(change: &GroupChange, permit: &Permit) -> Request {
    let GroupChange { user, join, leave, stay } = change;
    let request = on(Method::PUT, &Thing::User(user.clone()), permit);
    let list = |groups: &mut dyn Iterator<Item = &GroupId>| joined(groups.map(GroupId::as_str));
    if leave.is_empty() {
        // What somebody else added since the list was read stays.
        request.form("groups", list(&mut join.iter())).form("append", "1")
    } else {
        request.form("groups", list(&mut stay.union(join)))
    }
}

fn members(change: &PoolChange, permit: &Permit) -> Request {
    let PoolChange { pool, items, change } = change;
    let (mut guests, mut storages) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            PoolItem::Guest(id) => guests.push(id.as_str()),
            PoolItem::Storage(id) => storages.push(id.as_str()),
        }
    }
    let mut request = on(Method::PUT, &Thing::Pool(pool.clone()), permit);
    for (name, ids) in [("vms", guests), ("storage", storages)] {
        if !ids.is_empty() {
            request = request.form(name, ids.join(","));
        }
    }
    match change {
        MemberChange::Enter { allow_move: false } => request,
        MemberChange::Enter { allow_move: true } => request.form("allow-move", "1"),
        MemberChange::Leave => request.form("delete", "1"),
    }
}

fn with_fields(request: Request, fields: &Fields) -> Result<Request, Failure> {
    // An empty value of a required realm option is taken and ruins the file for all realms (FACTS 21).
    if let Some((name, _)) = fields.iter().find(|(_, value)| value.expose().trim().is_empty()) {
        return Err(refused(&format!("{name} would be set to nothing, which Proxmox VE does not survive")));
    }
    Ok(fields.iter().fold(request, |request, (name, value)| request.option(name, value)))
}

fn acl(batch: &AclBatch, permit: &Permit) -> Result<Request, Failure> {
    let AclBatch { path, roles, subjects, change } = batch;
    if roles.is_empty() || subjects.is_empty() {
        return Err(refused("an ACL change without roles or subjects would change nothing"));
    }
    // Proxmox VE splits its lists at these, so that the call would be about other subjects (FACTS 27).
    if let Some(bad) = subjects.iter().find(|subject| subject.id().contains([',', ';', ' ', '\t', '\n'])) {
        return Err(refused(&format!("the ACL of {bad} cannot be changed over the API, which splits its name")));
    }
    let mut request = Request::write(Method::PUT, "/access/acl", permit)
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
    if request.body_length() >= MAX_BODY {
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
