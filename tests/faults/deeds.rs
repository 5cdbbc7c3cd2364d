//! What goes wrong with single requests to Proxmox VE and Pocket ID.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use regex::Regex;

use crate::lived::Lived;
use crate::proxy::{Asked, Deed, Forged, Proxy};

/// What goes wrong, by a name for people.
pub fn deeds() -> [(&'static str, Deed); 16] {
    let challenge = ("www-authenticate", "Basic realm=proxy".to_owned());
    let slow_down = ("retry-after", "1".to_owned());
    let page = Forged::page;
    [
        ("a proxy cannot reach it", Deed::Answer(page(502))),
        ("a proxy says that it is away", Deed::Answer(page(503))),
        ("the node cannot reach its API", Deed::Answer(page(599))),
        ("an inner error of a proxy", Deed::Answer(page(500))),
        ("too many requests", Deed::Answer(Forged { headers: vec![slow_down], ..page(429) })),
        ("no such page at a proxy", Deed::Answer(page(404))),
        ("a proxy wants a login", Deed::Answer(Forged { headers: vec![challenge], ..page(401) })),
        (
            "a redirect",
            Deed::Answer(Forged { headers: vec![("location", "https://127.0.0.1:1/".to_owned())], ..page(302) }),
        ),
        ("a page instead of an answer", Deed::Answer(page(200))),
        ("nothing instead of an answer", Deed::Answer(Forged { status: 200, headers: Vec::new(), body: Vec::new() })),
        ("a success is answered with a failure", Deed::Instead(page(502))),
        ("a success is answered with a page", Deed::Instead(page(200))),
        ("the request is lost", Deed::Reset),
        ("the answer is lost", Deed::Lost),
        ("the answer ends in the middle", Deed::Cut),
        ("no answer comes", Deed::Silence),
    ]
}

/// The variable that asks for every deed at every endpoint.
const ALL: &str = "FAULTS_EVERYWHERE";

/// Those that are tried at every endpoint: the most treacherous ones, if not all are asked for.
pub fn tried<const N: usize>(deeds: [(&'static str, Deed); N]) -> Vec<(&'static str, Deed)> {
    let treacherous = ["no such page at a proxy", "a success is answered with a failure", "the answer is lost"];
    let all = std::env::var_os(ALL).is_some();
    deeds.into_iter().filter(|(what, _)| all || treacherous.contains(what)).collect()
}

/// So many lives at once.
const AT_ONCE: usize = 4;

/// Lives once for each of these deeds, which is done to every endpoint: all end as the life without one.
pub async fn are_made_up_for(
    deeds: Vec<(&'static str, Deed)>,
    (expected, endpoints): (&Lived, &BTreeSet<String>),
    life: impl AsyncFn(&Deed) -> (Lived, BTreeSet<String>),
) {
    let lives = futures::stream::iter(deeds).map(async |(what, deed)| {
        let (lived, struck) = life(&deed).await;
        lived.is_as(expected, what);
        let missed: Vec<_> = endpoints.difference(&struck).collect();
        assert!(missed.is_empty(), "{what} did not happen at {missed:?}");
    });
    lives.buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// Strikes the first request to each endpoint.
#[derive(Clone, Default)]
pub struct Struck(Arc<Mutex<BTreeMap<String, u32>>>);

impl Struck {
    /// Lets this happen to the first request to each endpoint from now on.
    pub fn arm(proxy: &Proxy, deed: &Deed, endpoint: fn(&Asked) -> String) -> Self {
        let (struck, deed) = (Self::default(), deed.clone());
        let counts = Arc::clone(&struck.0);
        proxy.rule(move |asked| {
            let mut counts = counts.lock().expect("no panic");
            let count = counts.entry(endpoint(asked)).or_default();
            *count += 1;
            if *count == 1 { deed.clone() } else { Deed::Pass }
        });
        struck
    }

    /// The endpoints that were struck.
    pub fn endpoints(&self) -> Vec<String> {
        self.0.lock().expect("no panic").keys().cloned().collect()
    }
}

/// The paths of requests in the sources of a client that none of these endpoints is.
pub fn unasked(folder: &str, endpoints: &BTreeSet<String>) -> Vec<String> {
    let literal = Regex::new("\"(/[a-z.][^\"]*)\"").expect("a pattern");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let sources: String =
        files.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).expect("a file")).collect();
    // What requests begin with is no path of one.
    let paths =
        literal.captures_iter(&sources).map(|found| found[1].to_owned()).filter(|path| !path.contains("{path}"));
    let paths: BTreeSet<String> = paths.collect();
    assert!(paths.len() > 10, "{paths:?}");
    let is_asked = |path: &String| {
        let words =
            path.split('/').map(|word| if word.starts_with('{') { "[^/]+".to_owned() } else { regex::escape(word) });
        let pattern =
            Regex::new(&format!("^[A-Z]+ {}(\\?|$)", words.collect::<Vec<_>>().join("/"))).expect("a pattern");
        endpoints.iter().any(|endpoint| pattern.is_match(endpoint))
    };
    paths.into_iter().filter(|path| !is_asked(path)).collect()
}

/// How long the operator waits for an answer here.
pub const TIMEOUT: Duration = Duration::from_secs(2);
