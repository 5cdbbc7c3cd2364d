//! The Kubernetes kinds: what people write, what the operator answers, and their CRDs.
//!
//! The doc comments of spec and status are for users: `kubectl explain` shows them.

pub mod access_check;
pub mod acl;
pub mod cluster_connection;
pub mod conditions;
pub mod connection;
pub mod connection_status;
pub mod crd;
pub mod directory;
pub mod group;
pub mod management;
pub mod membership;
pub mod object;
pub mod openid;
pub mod pocket_id_client;
pub mod pocket_id_connection;
pub mod pocket_id_group;
pub mod policy;
pub mod pool;
pub mod realm;
pub mod reason;
pub mod refs;
pub mod role;
mod rules;
mod schema;
pub mod status;
pub mod subject;
pub mod tfa;
pub mod token;
pub mod user;

pub use access_check::ProxmoxAccessCheck;
pub use acl::ProxmoxAcl;
pub use cluster_connection::ClusterProxmoxConnection;
pub use connection::ProxmoxConnection;
pub use group::ProxmoxGroup;
pub use object::Object;
pub use pocket_id_client::PocketIdClient;
pub use pocket_id_connection::PocketIdConnection;
pub use pocket_id_group::PocketIdGroup;
pub use pool::ProxmoxPool;
pub use realm::ProxmoxRealm;
pub use reason::Reason;
pub use role::ProxmoxRole;
pub use token::ProxmoxToken;
pub use user::ProxmoxUser;

/// The API group of all kinds.
pub const GROUP: &str = "proxmox-identity.dev";

/// The version of all kinds.
pub const VERSION: &str = "v1alpha1";

/// Keeps an object until what it made in Proxmox VE is gone.
pub const FINALIZER: &str = "proxmox-identity.dev/finalizer";

/// As whom the operator writes to Kubernetes.
pub const FIELD_MANAGER: &str = "proxmox-identity";

/// Annotation: a new value asks for a pass now; the value comes back as `status.lastHandledReconcileAt`.
pub const RECONCILE_REQUESTED_AT: &str = "proxmox-identity.dev/reconcile-requested-at";

/// Annotation on a ProxmoxToken or PocketIdClient: a new value asks for a new secret; the value comes back as
/// `status.token.lastHandledRotateAt` or `status.clientSecret.lastHandledRotateAt`.
pub const ROTATE_REQUESTED_AT: &str = "proxmox-identity.dev/rotate-requested-at";

/// Annotation on a ProxmoxRealm: a new value asks for a sync with its directory; the value comes back as
/// `status.sync.requestedAt`.
pub const SYNC_REQUESTED_AT: &str = "proxmox-identity.dev/sync-requested-at";

/// Annotation on a Secret of ours: which of the token's or client's secrets it holds, counted from 1.
pub const ISSUE: &str = "proxmox-identity.dev/issue";

/// Annotation on a Secret of ours: what Pocket ID calls the secret in it, where a client has several.
pub const SECRET_ID: &str = "proxmox-identity.dev/secret-id";

/// Annotation on a connection: the id of the cluster that its endpoints lead to now, confirmed by a person.
pub const CONFIRM_CLUSTER: &str = "proxmox-identity.dev/confirm-cluster";

/// Annotation on a ProxmoxRealm: the id of the source that may take the rights of all of the realm's users, or of more than
/// half of them, as the condition `Warning` names it, confirmed by a person.
pub const CONFIRM_REMOVALS: &str = "proxmox-identity.dev/confirm-removals";
