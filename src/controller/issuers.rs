//! Whether people can sign in: Proxmox VE is asked now and then whether it reaches the issuers of our realms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::core::ids::RealmId;
use crate::core::object::Mode;
use crate::core::snapshot::{OptionValue, Snapshot};
use crate::core::wants::realm_id;
use crate::pve::session::Session;

/// How soon an issuer that works is asked for again: an answer costs Proxmox VE a request to it.
const WORKS: Duration = Duration::from_hours(1);

/// How soon an issuer that does not work is asked for again.
const FAILS: Duration = Duration::from_mins(1);

/// What is known of the issuers of realms.
#[derive(Default)]
pub(super) struct Issuers(BTreeMap<RealmId, Issuer>);

struct Issuer {
    url: String,
    asked: Instant,
    answer: oneshot::Receiver<Option<String>>,
    /// What keeps it from working, as far as is known.
    trouble: Option<String>,
}

impl Issuer {
    fn is_due(&self) -> bool {
        let wait = if self.trouble.is_some() { FAILS } else { WORKS };
        self.answer.is_terminated() && self.asked.elapsed() >= wait
    }
}

impl Issuers {
    /// True while it is not known yet whether the issuer of a realm works.
    pub fn is_open(&self, realm: &str) -> bool {
        self.0
            .get(&RealmId::observed(realm))
            .is_some_and(|issuer| !issuer.answer.is_terminated() && issuer.trouble.is_none())
    }

    /// Asks for the issuers that it is time for, without waiting: whoever answers wakes the connection. Tells what is
    /// known to keep issuers from working.
    pub fn look(
        &mut self,
        session: &Session,
        objects: &[AnyObject],
        snapshot: &Snapshot,
        wake: &Arc<Notify>,
    ) -> BTreeMap<RealmId, String> {
        let standing: BTreeMap<RealmId, String> = objects.iter().filter_map(|any| issuer(any, snapshot)).collect();
        let known: BTreeSet<&RealmId> = standing.keys().collect();
        self.0.retain(|realm, _| known.contains(realm));
        for (realm, url) in standing {
            let before = self.0.remove(&realm).filter(|issuer| issuer.url == url);
            let issuer = match before {
                Some(mut issuer) => {
                    if let Ok(trouble) = issuer.answer.try_recv() {
                        issuer.trouble = trouble;
                    }
                    if issuer.is_due() {
                        Issuer { trouble: issuer.trouble, ..ask(session, &realm, url, wake) }
                    } else {
                        issuer
                    }
                }
                None => ask(session, &realm, url, wake),
            };
            self.0.insert(realm, issuer);
        }
        self.0.iter().filter_map(|(realm, issuer)| Some((realm.clone(), issuer.trouble.clone()?))).collect()
    }
}

/// The issuer of a realm of ours as it stands.
fn issuer(any: &AnyObject, snapshot: &Snapshot) -> Option<(RealmId, String)> {
    let AnyObject::Realm(realm) = any else { return None };
    if realm.spec.openid.is_none() || any.mode() != Mode::Manage {
        return None;
    }
    let id = realm_id(realm).ok()?;
    let standing = snapshot.realms.as_ref().ok()?.realms.get(&id).filter(|standing| standing.kind == "openid")?;
    let url = standing.options.as_ref()?.as_ref().ok()?.get("issuer-url").map(OptionValue::expose)?.to_owned();
    Some((id, url))
}

fn ask(session: &Session, realm: &RealmId, url: String, wake: &Arc<Notify>) -> Issuer {
    let (say, answer) = oneshot::channel();
    let (asking, wake) = (session.issuer_trouble(realm), Arc::clone(wake));
    tokio::spawn(async move {
        // Nobody listens any more when the realm has another issuer meanwhile.
        if say.send(asking.await).is_ok() {
            wake.notify_one();
        }
    });
    Issuer { url, asked: Instant::now(), answer, trouble: None }
}
