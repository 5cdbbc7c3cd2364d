//! What was written of each object, until the watch shows it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::status::ObjectStatus;

/// What was written of all objects.
#[derive(Default)]
pub(super) struct Sent {
    /// By their uids.
    objects: HashMap<String, OfObject>,
    /// How many were sent: tells those of one object apart, also after it was forgotten.
    count: u64,
}

#[derive(Default)]
struct OfObject {
    /// The newest that Kubernetes has taken, and the resource version that the object has since.
    stored: Option<(Arc<ObjectStatus>, u64)>,
    /// The newest that is on its way, with its number.
    under_way: Option<(Arc<ObjectStatus>, u64)>,
}

impl Sent {
    /// A status is on its way; answers with its number.
    pub(super) fn send(&mut self, uid: &str, status: &Arc<ObjectStatus>) -> u64 {
        self.count += 1;
        self.objects.entry(uid.to_owned()).or_default().under_way = Some((Arc::clone(status), self.count));
        self.count
    }

    /// Kubernetes has taken it.
    pub(super) fn stored(&mut self, uid: &str, number: u64, status: Arc<ObjectStatus>, version: u64) {
        if let Some(object) = self.objects.get_mut(uid) {
            object.under_way.take_if(|(_, newest)| *newest == number);
            object.stored = Some((status, version));
        }
    }

    /// Kubernetes has not taken it: what it took before is true again.
    pub(super) fn failed(&mut self, uid: &str, number: u64) {
        if let Some(object) = self.objects.get_mut(uid) {
            object.under_way.take_if(|(_, newest)| *newest == number);
        }
    }

    /// What is on its way or was stored after this resource version; `None` where what the watch shows is the newest.
    ///
    /// What was stored is kept also when the watch has shown it: another pass may be under way with what the watch had
    /// shown before, and would take that for the newest.
    pub(super) fn latest(&self, uid: &str, shown_version: u64) -> Option<&ObjectStatus> {
        let under_way = self.objects.get(uid)?.under_way.as_ref();
        under_way.map(|(status, _)| status.as_ref()).or_else(|| self.stored_since(uid, shown_version))
    }

    /// What was stored after this resource version; `None` where what the watch shows is the newest that is.
    pub(super) fn stored_since(&self, uid: &str, shown_version: u64) -> Option<&ObjectStatus> {
        let stored = self.objects.get(uid)?.stored.as_ref();
        stored.filter(|(_, version)| shown_version < *version).map(|(status, _)| status.as_ref())
    }

    /// The object is gone.
    pub(super) fn forget(&mut self, uid: &str) {
        self.objects.remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(generation: i64) -> Arc<ObjectStatus> {
        Arc::new(ObjectStatus { observed_generation: Some(generation), ..ObjectStatus::default() })
    }

    /// The generation of what counts while the watch shows this version.
    fn latest(sent: &Sent, shown_version: u64) -> Option<i64> {
        sent.latest("uid", shown_version)?.observed_generation
    }

    #[test]
    fn what_was_sent_counts_until_the_watch_shows_it() {
        let mut sent = Sent::default();
        let number = sent.send("uid", &status(1));
        assert_eq!(latest(&sent, 7), Some(1), "under way");
        assert_eq!(sent.stored_since("uid", 7), None, "not stored yet");
        sent.stored("uid", number, status(1), 9);
        assert_eq!(latest(&sent, 8), Some(1), "the watch shows what was before");
        assert_eq!(latest(&sent, 9), None, "the watch shows it");
        assert_eq!(latest(&sent, 8), Some(1), "another pass has seen less of the watch");
        sent.forget("uid");
        assert_eq!(latest(&sent, 8), None, "nothing is kept");
    }

    #[test]
    fn after_a_write_that_failed_the_one_before_counts_and_not_what_an_older_watch_shows() {
        let mut sent = Sent::default();
        let first = sent.send("uid", &status(1));
        sent.stored("uid", first, status(1), 9);
        let second = sent.send("uid", &status(2));
        sent.failed("uid", second);
        assert_eq!(latest(&sent, 8), Some(1));
        assert_eq!(latest(&sent, 9), None);
    }

    #[test]
    fn an_older_write_that_ends_late_does_not_hide_the_newer_one() {
        for ends in [
            |sent: &mut Sent, number| sent.failed("uid", number),
            |sent: &mut Sent, number| {
                sent.stored("uid", number, status(1), 9);
            },
        ] {
            let mut sent = Sent::default();
            let first = sent.send("uid", &status(1));
            let second = sent.send("uid", &status(2));
            ends(&mut sent, first);
            assert_eq!(latest(&sent, 9), Some(2));
            sent.stored("uid", second, status(2), 10);
            assert_eq!(latest(&sent, 9), Some(2));
        }
    }
}
