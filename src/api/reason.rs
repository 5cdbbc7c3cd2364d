//! Why a condition is as it is: the closed list of reasons.

use std::fmt;

/// Whether a person must act before anything can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// All is well, or on its way.
    Fine,
    /// It waits for something that may come by itself: never Stalled.
    Waiting,
    /// The operator retries: Stalled once that has lasted for the progress deadline.
    Transient,
    /// The spec, or who owns what, must be changed by a person: Stalled at once.
    Terminal,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident: $severity:ident,)*) => {
        /// Why a condition is as it is. The names stand in statuses and are for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The reason as it stands in a status.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Whether a person must act.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }
        }
    };
}

reasons! {
    /// Proxmox VE, or Pocket ID, is equal to the object. Nothing to do.
    Succeeded: Fine,
    /// The operator is at work on this generation. Wait.
    Progressing: Fine,
    /// Something failed that may heal by itself; the operator tries again. The message says what; act on it when it
    /// stays.
    ProgressingWithRetry: Transient,
    /// The object is compared only (managementPolicy Observe). See status.pendingChanges for what differs.
    Observed: Fine,
    /// The object or its connection is suspended. Set suspend to false to go on.
    Suspended: Waiting,
    /// Proxmox VE or Pocket ID refused the credential. Check the Secret, and whether the token, its user or the API key is
    /// expired or disabled.
    AuthenticationFailed: Transient,
    /// No endpoint answers, or what answers there is not Proxmox VE or Pocket ID. Check the address, the network and the proxy.
    APIUnavailable: Transient,
    /// The server's certificate is not the expected one; nothing was sent. Check tls.fingerprints and tls.caBundle
    /// against the certificate that the message names.
    CertificateMismatch: Transient,
    /// The endpoints lead to another cluster than before; nothing was written there. Correct the endpoints, or
    /// confirm with the annotation proxmox-identity.dev/confirm-cluster and the id in the message.
    ClusterChanged: Terminal,
    /// A Secret or ConfigMap, or the key in it, does not exist or is empty. Create it; the operator finds it by
    /// itself.
    SecretNotFound: Transient,
    /// A Secret of the name that the object is to write stands there already and is not its own; it is never
    /// overwritten. Choose another secretTemplate.name, or remove that Secret.
    SecretConflict: Terminal,
    /// The Secret with a token or a client's secret is gone, and it is not shown again. Put it back from a backup, or ask for
    /// a new one with the annotation proxmox-identity.dev/rotate-requested-at, which ends the old one.
    SecretLost: Terminal,
    /// The token or client was taken over, and its secret is not shown again. Put the secret where it is needed by hand,
    /// or ask for a new one with the annotation proxmox-identity.dev/rotate-requested-at.
    SecretUnknown: Fine,
    /// No group is allowed to sign in with the client, so that nobody can. Name some in allowedGroups.
    NobodyAllowed: Fine,
    /// The API key of the connection expires soon, and the operator cannot renew it. Make another one in Pocket ID and put it
    /// into the Secret that apiKeySecretRef names.
    KeyExpiring: Fine,
    /// Entries of the ACL are for users or groups that do not exist: whoever is made by such a name gets them. Make an ACL of
    /// that path Exact to have them removed, or remove them by making and deleting the user or group.
    DanglingEntries: Fine,
    /// The credential of the connection lacks privileges that its objects need: status.missingPrivileges lists them. Grant
    /// them, before an object is Forbidden or cannot be deleted.
    MissingPrivileges: Fine,
    /// The credential of the connection is as good as root@pam, by privileges that no object needs: the message names them.
    /// Give the connection a user and token of its own with a narrower role; docs/rights.md has such roles.
    MoreRightsThanNeeded: Fine,
    /// Told as an Event of the connection: something new stands in Proxmox VE that no object claims. Make an object for it,
    /// or remove it there. status.unmanaged counts what there is.
    UnmanagedAppeared: Fine,
    /// Told as an Event of the connection: a user or token has come to hold Permissions.Modify on /, and may grant itself
    /// everything. If that is not meant, remove the entry or the membership that gives it.
    AdministratorAppeared: Fine,
    /// Told as an Event of the connection: nobody but root@pam and the operator itself holds Permissions.Modify on / any
    /// more. If that is not meant, give somebody Administrator on / again.
    LastAdministratorGone: Fine,
    /// The token may do nothing at all. Make it the subject of a ProxmoxAcl, and grant its user the same.
    NoPrivileges: Fine,
    /// A check holds for somebody who does not exist in Proxmox VE, and so may do nothing: perhaps only since the name is
    /// misspelled. Correct the subject, or make it.
    SubjectMissing: Fine,
    /// Proxmox VE does not reach the provider of an OpenID realm, so that nobody can sign in with it. The message has
    /// its words. Correct issuerUrl, or let the nodes reach the provider and trust its certificate; it is asked again
    /// each minute.
    IssuerUnreachable: Fine,
    /// People cannot sign in with a realm that refers to a PocketIdClient, or get no groups: status.signIn.problems says why.
    /// Correct what it names.
    SignInImpaired: Fine,
    /// Enabled users of the realm are not in the source of its users, and stay as they are; the message names some, and why.
    /// Disable or remove them, add them to the source, or set openid.users.onRemoval.
    UsersNotInSource: Fine,
    /// The source of a realm's users is missing, empty or cannot be read as a list of users, so that users stay as they
    /// are. Correct what the message names; the operator reads it again by itself.
    SourceUnusable: Fine,
    /// All users of a realm, or more than two that are more than half of them, are not in its source, which may be cut
    /// short: users stay as they are. Correct the source, or confirm with the annotation
    /// proxmox-identity.dev/confirm-removals and the id in the message.
    RemovalsHeld: Fine,
    /// Something the object refers to is not there yet. Create it, or wait until it appears; this heals by itself.
    DependencyNotReady: Waiting,
    /// The connection does not exist in this namespace. Create it or correct connectionRef.
    ConnectionNotFound: Transient,
    /// The connection is there and does not work. See its own conditions.
    ConnectionNotReady: Transient,
    /// The spec cannot be carried out, for the cause in the message. Correct it.
    InvalidSpec: Terminal,
    /// A ProxmoxAccessCheck does not hold: somebody lacks a privilege that is required, or holds one that is forbidden. The
    /// message names it, and the ACL entry that decides. Change the permissions, or the check.
    AssertionFailed: Terminal,
    /// It already stands in Proxmox VE or Pocket ID, and adoptionPolicy does not allow to take it over. Make the object equal to
    /// it, set adoptionPolicy to Always, or remove it there.
    AlreadyExists: Terminal,
    /// The credential has too few rights, or cannot see whether something stands. Grant the privilege in the message.
    Forbidden: Transient,
    /// Proxmox VE could not log in to the directory of a realm with checkConnection, so that the change was not taken; the
    /// message has its text. Correct servers, port, tls or the bind password. A new bind password is stored already.
    ConnectionCheckFailed: Transient,
    /// Proxmox VE refuses this to API tokens. Give the connection auth.ticket, or leave out what the message
    /// names: it is not managed then.
    TicketRequired: Terminal,
    /// A guest or storage that is to be in a pool does not exist, or the credential cannot see it. Correct its id, or
    /// make it; this heals by itself.
    MemberNotFound: Waiting,
    /// The cluster of Proxmox VE has no quorum and cannot write. Bring its nodes back.
    NoQuorum: Transient,
    /// Something else held the lock of Proxmox VE's configuration too long. It is tried again.
    LockTimeout: Transient,
    /// Another object wants the same thing otherwise, and was first. Delete one of them or make them agree.
    Conflict: Terminal,
    /// The policy of the connection does not allow this; nothing is written for the object. The message says what of it.
    /// Change the object, or ask whoever keeps the connection for a rule.
    PolicyDenied: Terminal,
    /// The change would take away the operator's own rights, user, token or realm. Make it by hand if it is meant,
    /// or name the object in policy.allowLockout of the connection.
    WouldLockOut: Terminal,
    /// The object is deleted and cannot go yet, for the cause in the message.
    DeletionBlocked: Waiting,
    /// Proxmox VE answered with an error that the operator does not know; the message has its text. Report it.
    UnexpectedAnswer: Transient,
}

impl Reason {
    /// True when only a person can help: Stalled at once.
    pub const fn is_terminal(self) -> bool {
        matches!(self.severity(), Severity::Terminal)
    }

    /// True when it becomes Stalled after the progress deadline, while it is retried.
    pub const fn is_transient(self) -> bool {
        matches!(self.severity(), Severity::Transient)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_others_never_becomes_stalled() {
        for reason in [Reason::DependencyNotReady, Reason::DeletionBlocked, Reason::Suspended] {
            assert!(!reason.is_terminal() && !reason.is_transient(), "{reason}");
        }
    }

    #[test]
    fn reasons_are_what_kubernetes_takes_as_a_reason() {
        for reason in Reason::ALL {
            assert!(reason.as_str().starts_with(|c: char| c.is_ascii_uppercase()), "{reason}");
            assert!(reason.as_str().chars().all(|c| c.is_ascii_alphanumeric()), "{reason}");
        }
    }
}
