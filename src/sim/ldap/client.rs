//! What PVE does as a client of a directory.

use std::collections::BTreeMap;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use ldap3_proto::parse_ldap_filter_str;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapDerefAliases, LdapOp, LdapResultCode, LdapSearchRequest, LdapSearchScope,
};

use super::wire::Wire;

/// How long a server may take to take a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// What went wrong, in the words of PVE.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LdapError(pub String);

impl From<std::io::Error> for LdapError {
    fn from(error: std::io::Error) -> Self {
        Self(match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "Connection refused".to_owned(),
            std::io::ErrorKind::TimedOut => "Connection timed out".to_owned(),
            kind => kind.to_string(),
        })
    }
}

/// An entry that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub dn: String,
    /// Its attributes by lower-case name.
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl Found {
    /// The first value of an attribute.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// All values of an attribute.
    pub fn all(&self, name: &str) -> &[String] {
        self.attributes.get(&name.to_lowercase()).map_or(&[], Vec::as_slice)
    }
}

/// A connection as somebody.
pub struct Connection {
    wire: Wire,
    number: i32,
}

impl Connection {
    /// Connects to the first server that answers and logs in; an empty name is nobody.
    ///
    /// # Errors
    /// In the words of PVE (recording `realms-ldap-sync`).
    pub fn open(servers: &[String], dn: &str, password: &str) -> Result<Self, LdapError> {
        let mut refused = LdapError("no server".to_owned());
        for server in servers {
            match connect(server) {
                Ok(stream) => return Self { wire: Wire::new(stream)?, number: 0 }.bound(dn, password),
                Err(error) => refused = error.into(),
            }
        }
        Err(refused)
    }

    fn bound(mut self, dn: &str, password: &str) -> Result<Self, LdapError> {
        let cred = LdapBindCred::Simple(password.to_owned());
        self.ask(LdapOp::BindRequest(LdapBindRequest { version: 3, dn: dn.to_owned(), cred }))?;
        let said = match self.wire.receive()?.map(|message| message.op) {
            Some(LdapOp::BindResponse(response)) if response.res.code == LdapResultCode::Success => return Ok(self),
            Some(LdapOp::BindResponse(response)) if response.res.code == LdapResultCode::InvalidCredentials => {
                "Invalid credentials"
            }
            _ => "Operations error",
        };
        Err(LdapError(format!("ldap bind failed: {said}")))
    }

    fn ask(&mut self, op: LdapOp) -> Result<(), LdapError> {
        self.number += 1;
        Ok(self.wire.send(self.number, op)?)
    }

    /// Everything below `base` that fits `filter`, with these attributes.
    ///
    /// # Errors
    /// When the filter is none or the connection breaks.
    pub fn search(&mut self, base: &str, filter: &str, attributes: &[&str]) -> Result<Vec<Found>, LdapError> {
        let filter = parse_ldap_filter_str(filter).map_err(|_| LdapError("Bad filter".to_owned()))?;
        self.ask(LdapOp::SearchRequest(LdapSearchRequest {
            base: base.to_owned(),
            scope: LdapSearchScope::Subtree,
            aliases: LdapDerefAliases::Never,
            sizelimit: 0,
            timelimit: 0,
            typesonly: false,
            filter,
            attrs: attributes.iter().map(|name| (*name).to_owned()).collect(),
        }))?;
        let mut found = Vec::new();
        while let Some(message) = self.wire.receive()? {
            match message.op {
                LdapOp::SearchResultEntry(entry) => {
                    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                    let attributes = entry.attributes.into_iter().map(|attribute| {
                        (attribute.atype.to_lowercase(), attribute.vals.into_iter().map(text).collect())
                    });
                    found.push(Found { dn: entry.dn, attributes: attributes.collect() });
                }
                _ => return Ok(found),
            }
        }
        Err(LdapError("Unexpected EOF".to_owned()))
    }
}

fn connect(server: &str) -> std::io::Result<TcpStream> {
    let mut refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    for address in server.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}
