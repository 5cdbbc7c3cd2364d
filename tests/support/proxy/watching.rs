//! What becomes of the events of a watch.

use std::collections::BTreeSet;
use std::sync::Mutex;

use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::{Asked, lock};

/// What becomes of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is shown.
    Show,
    /// It is left out, as if it had never been.
    Drop,
    /// The watch ends in the middle of it.
    Cut,
    /// The watch says that it is too old to go on, and ends.
    Expire,
}

type Judge = Box<dyn FnMut(&Asked, &Value) -> Fate + Send>;

/// What becomes of events, by the plural of their kind.
pub struct Watching {
    held: watch::Sender<BTreeSet<String>>,
    judge: Mutex<Judge>,
}

impl Default for Watching {
    fn default() -> Self {
        Self { held: watch::Sender::default(), judge: Mutex::new(Box::new(|_, _| Fate::Show)) }
    }
}

impl Watching {
    /// Keeps back all events of these kinds, in order.
    pub fn hold(&self, plurals: &[&str]) {
        self.held.send_replace(plurals.iter().map(|&plural| plural.to_owned()).collect());
    }

    /// Lets everything go that was kept back.
    pub fn release(&self) {
        self.hold(&[]);
    }

    /// From now on this decides over each event.
    pub fn judge(&self, judge: impl FnMut(&Asked, &Value) -> Fate + Send + 'static) {
        *lock(&self.judge) = Box::new(judge);
    }

    /// Carries the events of a watch from the server to the client.
    pub(super) async fn carry(
        &self,
        asked: &Asked,
        mut from: reqwest::Response,
        to: &mpsc::Sender<Result<Bytes, std::io::Error>>,
    ) {
        let plural = asked.path.rsplit('/').next().unwrap_or_default().to_owned();
        let (mut held, mut unread) = (self.held.subscribe(), Vec::new());
        while let Ok(Some(chunk)) = from.chunk().await {
            unread.extend_from_slice(&chunk);
            while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = unread.drain(..=end).collect();
                let free = held.wait_for(|held| !held.contains(&plural));
                if tokio::select! { _ = free => false, () = to.closed() => true } {
                    return;
                }
                let event: Value = serde_json::from_slice(&line).unwrap_or_default();
                let fate = (lock(&self.judge))(asked, &event);
                let sent = match fate {
                    Fate::Show => to.send(Ok(line.into())).await,
                    Fate::Drop => continue,
                    Fate::Cut => {
                        let _ = to.send(Ok(line[..line.len() / 2].to_vec().into())).await;
                        let _ = to.send(Err(std::io::Error::other("cut"))).await;
                        return;
                    }
                    Fate::Expire => {
                        let _ = to.send(Ok(format!("{}\n", expired()).into())).await;
                        return;
                    }
                };
                if sent.is_err() {
                    return;
                }
            }
        }
    }
}

/// What kube-apiserver says of a version that it does not know any more.
fn expired() -> Value {
    json!({"type": "ERROR", "object": {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version", "reason": "Expired", "code": 410,
    }})
}
