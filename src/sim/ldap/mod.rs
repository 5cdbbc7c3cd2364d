//! A small directory of LDAP on loopback, so that realms with one can be shown from sync to permission.
//!
//! It answers bind, search and unbind over plain TCP; both it and its client block, and run in threads of their own.

mod client;
mod entries;
mod filter;
mod wire;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use ldap3_proto::proto::{
    LdapBindCred, LdapBindResponse, LdapMsg, LdapOp, LdapPartialAttribute, LdapResult, LdapResultCode,
    LdapSearchRequest, LdapSearchResultEntry, LdapSearchScope,
};

pub use client::{Connection, Found, LdapError};
pub use entries::Entry;
use wire::Wire;

/// A running directory; it stops when this is dropped.
pub struct Directory {
    address: SocketAddr,
    entries: Arc<Mutex<Vec<Entry>>>,
    stopping: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Directory {
    /// Starts one with the entries of the recordings.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(listen: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let entries = Arc::new(Mutex::new(entries::recorded()));
        let stopping = Arc::new(AtomicBool::new(false));
        let (served, stop) = (Arc::clone(&entries), Arc::clone(&stopping));
        let listening = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), entries) = (stream, Arc::clone(&served)) else { continue };
                // Whoever goes away in the middle of something is nothing to tell.
                std::thread::spawn(move || drop(serve(stream, &entries)));
            }
        });
        Ok(Self { address, entries, stopping, listening: Some(listening) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its entries, to look at or to change.
    pub fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings back the entries of the recordings.
    pub fn reset(&self) {
        *self.entries() = entries::recorded();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is to stop.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

fn serve(stream: TcpStream, entries: &Mutex<Vec<Entry>>) -> std::io::Result<()> {
    let mut wire = Wire::new(stream)?;
    while let Some(LdapMsg { msgid, op, ctrl: _ }) = wire.receive()? {
        let entries = entries.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match op {
            LdapOp::BindRequest(request) => {
                let LdapBindCred::Simple(password) = &request.cred else { return Ok(()) };
                let code = if may_bind(&entries, &request.dn, password) {
                    LdapResultCode::Success
                } else {
                    LdapResultCode::InvalidCredentials
                };
                wire.send(msgid, LdapOp::BindResponse(LdapBindResponse { res: result(code), saslcreds: None }))?;
            }
            LdapOp::SearchRequest(request) => {
                for entry in entries.iter().filter(|entry| is_found(entry, &request)) {
                    wire.send(msgid, LdapOp::SearchResultEntry(shown(entry, &request.attrs)))?;
                }
                wire.send(msgid, LdapOp::SearchResultDone(result(LdapResultCode::Success)))?;
            }
            LdapOp::UnbindRequest => return Ok(()),
            _ => wire.send(msgid, LdapOp::SearchResultDone(result(LdapResultCode::UnwillingToPerform)))?,
        }
    }
    Ok(())
}

fn result(code: LdapResultCode) -> LdapResult {
    LdapResult { code, matcheddn: String::new(), message: String::new(), referral: Vec::new() }
}

/// Without a name anybody may search, as most directories allow.
fn may_bind(entries: &[Entry], dn: &str, password: &str) -> bool {
    if dn.is_empty() {
        return password.is_empty();
    }
    let entry = entries.iter().find(|entry| entry.dn.eq_ignore_ascii_case(dn));
    !password.is_empty() && entry.is_some_and(|entry| entry.password.as_deref() == Some(password))
}

fn is_found(entry: &Entry, request: &LdapSearchRequest) -> bool {
    let (dn, base) = (entry.dn.to_ascii_lowercase(), request.base.to_ascii_lowercase());
    let below = dn.strip_suffix(&base).and_then(|rest| rest.strip_suffix(','));
    let in_scope = match request.scope {
        LdapSearchScope::Base => dn == base,
        LdapSearchScope::OneLevel => below.is_some_and(|rest| !rest.contains(',')),
        LdapSearchScope::Children => below.is_some(),
        LdapSearchScope::Subtree => dn == base || below.is_some(),
    };
    in_scope && filter::matches(&request.filter, entry)
}

fn shown(entry: &Entry, wanted: &[String]) -> LdapSearchResultEntry {
    let is_wanted =
        |name: &str| wanted.is_empty() || wanted.iter().any(|it| it == "*" || it.eq_ignore_ascii_case(name));
    let attributes = entry.attributes.iter().filter(|(name, _)| is_wanted(name)).map(|(name, values)| {
        let vals = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        LdapPartialAttribute { atype: name.clone(), vals }
    });
    LdapSearchResultEntry { dn: entry.dn.clone(), attributes: attributes.collect() }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn directory() -> Directory {
        Directory::start((Ipv4Addr::LOCALHOST, 0).into()).expect("a directory")
    }

    #[test]
    fn only_the_right_password_opens_it() {
        let directory = directory();
        let open =
            |dn: &str, password: &str| Connection::open(&[directory.address().to_string()], dn, password).map(drop);
        assert_eq!(open("cn=admin,dc=example,dc=com", "bind-secret"), Ok(()));
        assert_eq!(open("", ""), Ok(()));
        let refused = Err(LdapError("ldap bind failed: Invalid credentials".to_owned()));
        assert_eq!(open("cn=admin,dc=example,dc=com", "nope"), refused);
        assert_eq!(open("cn=admin,dc=example,dc=com", ""), refused);
    }

    #[test]
    fn a_search_finds_what_fits_the_filter_below_the_base() {
        let directory = directory();
        let mut connection = Connection::open(&[directory.address().to_string()], "", "").expect("open");
        let mut found = |base: &str, filter: &str| {
            let found = connection.search(base, filter, &["uid", "cn"]).expect("found");
            found
                .into_iter()
                .filter_map(|entry| entry.first("uid").or(entry.first("cn")).map(str::to_owned))
                .collect::<Vec<_>>()
        };
        assert_eq!(found("dc=example,dc=com", "(uid=ann)"), ["ann"]);
        assert_eq!(found("ou=groups,dc=example,dc=com", "(objectClass=*)"), ["devs", "bad name"]);
        assert_eq!(found("dc=example,dc=com", "(&(objectClass=person)(!(uid=ann))(mail=*))"), ["ben"]);
        assert_eq!(found("dc=example,dc=com", "(|(uid=a*n)(uid=*en))"), ["ann", "ben"]);
        assert!(found("dc=other", "(objectClass=*)").is_empty());
        directory.entries().retain(|entry| !entry.dn.starts_with("uid=ann"));
        assert!(found("dc=example,dc=com", "(uid=ann)").is_empty());
    }
}
