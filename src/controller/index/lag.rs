//! Watches of which tests want to see everything late: with the simulator built in, the variable
//! `PROXMOX_IDENTITY_WATCH_LAG_MS` says by how much.

use futures::Stream;
#[cfg(feature = "sim")]
use futures::StreamExt;

/// How many events may be on their way.
#[cfg(feature = "sim")]
const ON_THEIR_WAY: usize = 4096;

/// The same events, each so much later.
#[cfg(feature = "sim")]
pub(super) fn late<T>(events: impl Stream<Item = T>) -> impl Stream<Item = T> {
    let lag = std::env::var("PROXMOX_IDENTITY_WATCH_LAG_MS").ok().and_then(|text| text.parse().ok());
    let wait = move |event| async move {
        if let Some(lag) = lag {
            tokio::time::sleep(std::time::Duration::from_millis(lag)).await;
        }
        event
    };
    events.map(wait).buffered(ON_THEIR_WAY)
}

/// The same events.
#[cfg(not(feature = "sim"))]
pub(super) fn late<T>(events: impl Stream<Item = T>) -> impl Stream<Item = T> {
    events
}
