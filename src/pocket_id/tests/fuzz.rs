//! Answers that were spoilt: nothing panics, nothing is cut short in silence, and nothing counts as gone or done that the
//! answer does not say in Pocket ID's own words.

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::{client, connected, ok, raw, settings};
use crate::core::failure::FailureKind;
use crate::core::pocket_id::snapshot::Scope;
use crate::https::exchange::RawAnswer;
use crate::https::message::Scrubber;
use crate::https::tests::mutate::{self, Random};
use crate::permit::Permit;
use crate::pocket_id::details::Details;
use crate::pocket_id::meaning::{Meaning, judge};
use crate::pocket_id::wire;

/// So many answers are tried in a short run.
const SHORT: u64 = 3_000;

const JSON: &str = "application/json; charset=utf-8";

/// Status and body of every recorded answer.
fn recordings() -> Vec<(u16, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings-pocket-id");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("a folder").map(|it| it.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let recording: Value = serde_json::from_str(&text).expect("JSON");
        for step in recording["steps"].as_array().into_iter().flatten() {
            let status = step["status"].as_u64().and_then(|it| u16::try_from(it).ok()).unwrap_or(200);
            all.push((status, step["body"].clone()));
        }
    }
    assert!(all.len() > 200, "{} answers are too few to say anything", all.len());
    all
}

/// What every read makes of a body, and how many rows it has where it is a list.
fn read_all(body: &[u8]) -> Vec<(&'static str, Option<usize>)> {
    fn rows<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<usize> {
        let page: wire::Page<T> = serde_json::from_slice(body).ok()?;
        Some(page.data.map_or(0, |rows| rows.len()))
    }
    let _ = serde_json::from_slice::<wire::Version>(body);
    let _ = serde_json::from_slice::<wire::Discovery>(body);
    let _ = serde_json::from_slice::<wire::Preview>(body);
    let _ = serde_json::from_slice::<wire::Allowed>(body);
    let _ = serde_json::from_slice::<wire::Members>(body);
    let _ = serde_json::from_slice::<wire::IssuedSecret>(body).map(|it| (it.id, it.secret));
    let _ = serde_json::from_slice::<Vec<wire::Reference>>(body);
    vec![
        ("groups", rows::<wire::Group>(body)),
        ("users", rows::<wire::User>(body)),
        ("clients", rows::<wire::Client>(body)),
        ("keys", rows::<wire::ApiKey>(body)),
    ]
}

#[test]
fn a_spoilt_answer_is_never_believed_beyond_what_it_says() {
    let (recorded, scrubber) = (recordings(), Scrubber::new([]));
    for number in 0..mutate::count(SHORT) {
        let mut random = Random::of(number);
        let (status, body) = random.one_of(&recorded);
        let sent = if random.below(2) == 0 {
            mutate::json(&mut random, body).to_string().into_bytes()
        } else {
            mutate::bytes(&mut random, body.to_string().as_bytes())
        };
        let status = if random.below(4) == 0 {
            *random.one_of(&[200, 201, 204, 302, 400, 401, 404, 429, 500, 502])
        } else {
            *status
        };
        let kind = if random.below(4) == 0 {
            *random.one_of(&["text/html", "application/json", "text/plain", ""])
        } else {
            JSON
        };
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let raw = RawAnswer { status, reason: String::new(), headers, body: Bytes::from(sent.clone()) };
        let about = format!(
            "number {number}: {status} {kind} {}",
            String::from_utf8_lossy(&sent).chars().take(2_000).collect::<String>()
        );
        match judge(&raw, number % 2 == 0, &scrubber) {
            Ok(_) => assert!(
                matches!(status, 200 | 201) && kind.starts_with("application/json") || status == 204 && sent.is_empty(),
                "{about}"
            ),
            Err(refusal) => {
                let failure = refusal.failure;
                assert!(
                    failure.message.chars().count() <= 300 && !failure.message.contains(char::is_control),
                    "{about}"
                );
                let text = String::from_utf8_lossy(&sent);
                let says_so = kind.starts_with("application/json")
                    && (text.contains("Record not found") || text.contains("not_found"));
                assert!(failure.kind != FailureKind::Gone || says_so, "{about}");
                assert!(refusal.meaning != Some(Meaning::NotThere) || says_so, "{about}");
            }
        }
        // What is passed over may be of other bytes than UTF-8. A list in place of an object has its fields in their order.
        let Some(meant @ Value::Object(_)) = serde_json::from_slice(&sent).ok() else { continue };
        let rows = Some(meant["data"].as_array().map_or(0, Vec::len));
        for (list, read) in read_all(&sent) {
            assert!(read.is_none() || read == rows, "{list} has {read:?} of {rows:?} rows; {about}");
        }
    }
}

#[test]
fn what_breaks_off_is_never_an_answer() {
    for (_, body) in recordings() {
        let whole = body.to_string();
        for end in 0..whole.len().min(200) {
            let Some(part) = whole.get(..end) else { continue };
            assert!(read_all(part.as_bytes()).iter().all(|(_, rows)| rows.is_none()), "{part}");
        }
    }
}

/// A list that promises more than it has, or never ends.
#[tokio::test]
async fn a_list_that_does_not_come_to_its_end_is_given_up() {
    let row = |id: usize| json!({"id": id.to_string(), "name": id.to_string(), "friendlyName": "a", "userCount": 0});
    let page = |rows: Vec<Value>, pages: u64, items: u64| {
        json!({"data": rows, "pagination": {"totalPages": pages, "totalItems": items}}).to_string()
    };
    let same = page(vec![row(1)], u64::MAX, 1_000_000);
    let beyond = page((0..100).map(row).collect(), u64::MAX, 1);
    let fresh = std::sync::atomic::AtomicUsize::new(0);
    let endless = move || {
        let first = fresh.fetch_add(100, std::sync::atomic::Ordering::Relaxed);
        json!({"data": (first..first + 100).map(row).collect::<Vec<_>>(),
               "pagination": {"totalPages": u64::MAX, "totalItems": u64::MAX >> 1}})
        .to_string()
    };
    let lists: [Box<dyn Fn() -> String + Send + Sync>; 3] =
        [Box::new(move || same.clone()), Box::new(move || beyond.clone()), Box::new(endless)];
    for list in lists {
        let empty = page(Vec::new(), 1, 0);
        let server = raw(move |request| match request.line() {
            line if line.starts_with("GET /api/user-groups") => Some(ok(&list())),
            line if line.starts_with("GET /api/oidc/clients") => Some(ok(&empty)),
            _ => None,
        });
        let server = server.await;
        let session = connected(&settings(&server.url, server.pinned())).await;
        let failure = session.snapshot(&Scope::default(), &mut Details::default()).await.expect_err("no list");
        assert!(failure.message.contains("/api/user-groups"), "{failure}");
        assert!(server.lines().len() < 2_000, "{} requests", server.lines().len());
    }
}

/// What stands at the address of Pocket ID and is none.
#[tokio::test]
async fn whatever_is_sent_instead_of_http_is_no_answer() {
    for text in
        ["", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"]
    {
        let server = raw(move |_| Some(crate::https::tests::server::Reply::Half(text.to_owned()))).await;
        let connected = client(&settings(&server.url, server.pinned())).connect(&Permit::unlimited()).await;
        assert_eq!(connected.err().map(|failure| failure.kind), Some(FailureKind::Unreachable), "{text:?}");
    }
}
