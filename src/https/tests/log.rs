//! What is logged while a test runs.

use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Keeps all that this thread logs until it is dropped.
pub(crate) struct Log {
    written: Written,
    _guard: DefaultGuard,
    /// With a single subscriber, a call that another test's thread makes first would be taken for unwatched for ever.
    _another: Dispatch,
}

impl Log {
    pub(crate) fn start() -> Self {
        let another = Dispatch::new(NoSubscriber::default());
        let written = Written::default();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(written.clone()).finish();
        Self { written, _guard: subscriber.set_default(), _another: another }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.0.lock().expect("no panic")).into_owned()
    }
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
