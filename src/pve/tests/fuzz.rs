//! Answers that were spoilt: nothing panics, nothing is cut short in silence, and nothing counts as gone or done that the
//! answer does not say in Proxmox VE's own words.

use std::time::Duration;

use serde_json::Value;

use super::server::on_connecting;
use super::{client, settings};
use crate::core::failure::FailureKind;
use crate::core::ids::{AclPath, GroupId};
use crate::https::message::Scrubber;
use crate::https::tests::mutate::{self, Random};
use crate::https::tests::server::{Reply, Server};
use crate::permit::Permit;
use crate::pve::answer::Answer;
use crate::pve::error::{About, Noun};
use crate::pve::{read, wire};

/// So many answers are tried in a short run.
const SHORT: u64 = 3_000;

const JSON: &str = "application/json;charset=UTF-8";

/// A recorded answer.
struct Recorded {
    path: String,
    status: u16,
    reason: String,
    content_type: Option<String>,
    body: Value,
}

fn recordings() -> Vec<Recorded> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("a folder").map(|it| it.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let recording: Value = serde_json::from_str(&text).expect("JSON");
        for step in recording["steps"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            all.push(Recorded {
                path: text(&step["path"]).unwrap_or_default(),
                status: step["status"].as_u64().and_then(|it| u16::try_from(it).ok()).unwrap_or(200),
                reason: text(&step["reason"]).unwrap_or_default(),
                content_type: text(&step["headers"]["content-type"]),
                body: step["body"].clone(),
            });
        }
    }
    assert!(all.len() > 1_000, "{} answers are too few to say anything", all.len());
    all
}

/// What every read makes of a body, and how many rows it has where it is a list.
fn read_all(body: &[u8]) -> Vec<(&'static str, Option<usize>)> {
    let _ = wire::data::<wire::Version>(body).map(|it| it.version);
    let _ = wire::data::<wire::RealmFields>(body);
    let _ = wire::data::<wire::Task>(body);
    let _ = wire::data::<wire::GroupsOfUser>(body);
    let _ = wire::data::<wire::IssuedToken>(body).map(|it| it.value);
    let _ = wire::data::<wire::Text>(body);
    let _ = wire::data::<wire::Permissions>(body).map(read::permissions);
    let _ = wire::data::<Vec<wire::Group>>(body).map(read::groups);
    let _ = wire::data::<Vec<wire::User>>(body).map(read::users);
    let _ = wire::data::<Vec<wire::Role>>(body).map(read::roles);
    let _ = wire::data::<Vec<wire::AclEntry>>(body).map(read::acl);
    let rows = |list: Result<usize, serde_json::Error>| list.ok();
    vec![
        ("groups", rows(wire::data::<Vec<wire::Group>>(body).map(|it| it.len()))),
        ("users", rows(wire::data::<Vec<wire::User>>(body).map(|it| it.len()))),
        ("roles", rows(wire::data::<Vec<wire::Role>>(body).map(|it| it.len()))),
        ("acl", rows(wire::data::<Vec<wire::AclEntry>>(body).map(|it| it.len()))),
        ("realms", rows(wire::data::<Vec<wire::Realm>>(body).map(|it| it.len()))),
        ("pools", rows(wire::data::<Vec<wire::Pool>>(body).map(|it| it.len()))),
        ("members", rows(wire::data::<Vec<wire::PoolDetails>>(body).map(|it| it.len()))),
        ("resources", rows(wire::data::<Vec<wire::Resource>>(body).map(|it| it.len()))),
        ("certificates", rows(wire::data::<Vec<wire::CertificateInfo>>(body).map(|it| it.len()))),
        ("jobs", rows(wire::data::<Vec<wire::SyncJob>>(body).map(|it| it.len()))),
    ]
}

#[test]
fn a_spoilt_answer_is_never_believed_beyond_what_it_says() {
    let (recorded, scrubber) = (recordings(), Scrubber::new([]));
    let abouts = [
        About::Nothing,
        About::Entry,
        About::Thing(Noun::Group, "g1".to_owned()),
        About::Thing(Noun::User, "u@pve".to_owned()),
        About::Thing(Noun::Pool, "p1".to_owned()),
    ];
    for number in 0..mutate::count(SHORT) {
        let mut random = Random::of(number);
        let Recorded { path, status, reason, content_type, body } = random.one_of(&recorded);
        let sent = if random.below(2) == 0 {
            mutate::json(&mut random, body).to_string().into_bytes()
        } else {
            mutate::bytes(&mut random, body.to_string().as_bytes())
        };
        let reason = match random.below(4) {
            0 => String::from_utf8_lossy(&mutate::bytes(&mut random, reason.as_bytes())).into_owned(),
            _ => reason.clone(),
        };
        let status = if random.below(4) == 0 {
            *random.one_of(&[200, 201, 204, 302, 400, 401, 404, 500, 502, 599])
        } else {
            *status
        };
        let kinds = [Some(JSON), Some("text/html"), Some("application/json"), Some("\u{0}"), None];
        let content_type = if random.below(4) == 0 { *random.one_of(&kinds) } else { content_type.as_deref() };
        let answer = Answer { status, reason: &reason, content_type, challenges: random.below(8) == 0, body: &sent };
        let about = format!("number {number}, from {path}: {answer:?}");

        let meant: Option<Value> = serde_json::from_slice(&sent).ok();
        let is_json = content_type.is_some_and(|it| it.eq_ignore_ascii_case(JSON));
        if let Some(meant) = &meant {
            let is_fine = status == 200 && is_json && meant.get("data").is_some();
            assert_eq!(answer.is_success(), is_fine, "{about}");
        } else {
            // What is passed over may be of other bytes than UTF-8.
            let begins_so = sent.trim_ascii_start().starts_with(b"{");
            assert!(!answer.is_success() || status == 200 && is_json && begins_so, "{about}");
        }
        for thing in &abouts {
            let failure = answer.failure(thing, number % 2 == 0, &scrubber);
            assert!(failure.message.chars().count() <= 300 && !failure.message.contains(char::is_control), "{about}");
            let said = |text: &str| {
                text.contains("does not exist")
                    || text.contains("no such")
                    || text.contains("No such")
                    || text.contains("not a pool member")
                    || text.contains("cannot lookup undefined type")
            };
            let says_so = status == 500 && (said(&reason) || said(&String::from_utf8_lossy(&sent)));
            assert!(failure.kind != FailureKind::Gone || says_so, "{about}: {failure}");
            assert!(failure.kind != FailureKind::AlreadyExists || status == 500 || status == 400, "{about}");
        }
        let Some(meant) = meant else { continue };
        let rows = meant["data"].as_array().map(Vec::len);
        for (list, read) in read_all(&sent) {
            assert!(read.is_none() || read == rows, "{list} has {read:?} of {rows:?} rows; {about}");
        }
    }
}

#[test]
fn what_breaks_off_is_never_an_answer() {
    for Recorded { path, status, reason, content_type, body } in recordings() {
        let whole = body.to_string();
        for end in 0..whole.len().min(200) {
            let Some(part) = whole.get(..end) else { continue };
            let answer = Answer {
                status,
                reason: &reason,
                content_type: content_type.as_deref(),
                challenges: false,
                body: part.as_bytes(),
            };
            assert!(!answer.is_success(), "{path}: {part}");
            assert!(read_all(part.as_bytes()).iter().all(|(_, rows)| rows.is_none()), "{path}: {part}");
        }
    }
}

/// What servers and proxies have sent, and worse.
fn raw() -> Vec<(&'static str, String)> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\n");
    let body = r#"{"data":[]}"#;
    let of = |more: &str, body: &str| format!("{head}{more}\r\n{body}");
    vec![
        ("nothing", String::new()),
        ("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n".to_owned()),
        ("HTTP/0.9", body.to_owned()),
        ("another version", "HTTP/3.7 200 OK\r\n\r\n".to_owned()),
        ("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n".to_owned()),
        ("a negative status", "HTTP/1.1 -200 OK\r\n\r\n".to_owned()),
        ("a long reason", format!("HTTP/1.1 500 {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(200_000))),
        ("a zero byte in a header", of("X-Odd: a\0b\r\nContent-Length: 11\r\n", body)),
        ("a header without a colon", of("odd\r\nContent-Length: 11\r\n", body)),
        ("a header that goes on", of("X-Odd: a\r\n b\r\nContent-Length: 11\r\n", body)),
        ("a long header", of(&format!("X-Odd: {}\r\nContent-Length: 11\r\n", "x".repeat(2_000_000)), body)),
        ("many headers", of(&"X-Odd: a\r\n".repeat(5_000), body)),
        ("two lengths", of("Content-Length: 11\r\nContent-Length: 12\r\n", body)),
        ("a negative length", of("Content-Length: -1\r\n", body)),
        ("a huge length", of("Content-Length: 99999999999\r\n", body)),
        ("a length beyond all", of("Content-Length: 99999999999999999999999\r\n", body)),
        ("a chunk that is no number", of("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n")),
        ("a chunk beyond all", of("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n")),
        ("chunks that break off", of("Transfer-Encoding: chunked\r\n", "5\r\n{\"da\r\n")),
        ("an encoding that is not spoken", of("Content-Encoding: gzip\r\nContent-Length: 4\r\n", "\u{1f}ab")),
        ("interim answers without end", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10_000)),
        (
            "deep nesting",
            of("Content-Length: 200009\r\n", &format!("{{\"data\":{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        ),
        ("more than an answer may have", {
            let list = "0,".repeat(20 << 20);
            of(&format!("Content-Length: {}\r\n", list.len() + 11), &format!("{{\"data\":[{list}0]}}"))
        }),
    ]
}

#[tokio::test]
async fn whatever_is_sent_instead_of_http_is_no_answer_and_takes_no_time() {
    for (what, text) in raw() {
        let server = Server::start(move |request| {
            on_connecting(request)
                .filter(|_| !request.line().contains("certificates"))
                .unwrap_or_else(|| Reply::Half(text.clone()))
        });
        let server = server.await;
        let connecting = async { client(&settings(&server.url, server.pinned())).connect(&Permit::unlimited()).await };
        let connected = tokio::time::timeout(Duration::from_secs(30), connecting).await.expect("an end");
        let failure = connected.err().unwrap_or_else(|| panic!("{what} is taken for an answer"));
        assert!(matches!(failure.kind, FailureKind::Unreachable | FailureKind::Other), "{what}: {failure:?}");
        assert!(failure.message.chars().count() <= 300, "{what}");
    }
}

/// Every id that was ever seen can be shown and compared.
#[test]
fn ids_and_paths_of_any_text_are_taken_or_refused() {
    for number in 0..mutate::count(SHORT) {
        let mut random = Random::of(number);
        let seeds = ["g1", "u@pve", "/pool/a/b", "u@pve!t", "local-lvm", "100", "a-b_c.d", "ä@ö"];
        let seed = random.one_of(&seeds).as_bytes();
        let text = String::from_utf8_lossy(&mutate::bytes(&mut random, seed)).into_owned();
        assert_eq!(GroupId::observed(&text).as_str(), text);
        assert_eq!(AclPath::observed(&text).as_str(), text);
        if let Ok(id) = GroupId::parse(&text) {
            assert_eq!(id.as_str(), text, "it is taken as it is, or refused");
        }
        if let Ok(path) = AclPath::parse(&text) {
            assert_eq!(path.as_str(), text);
            let goes_up = text.split('/').any(|part| part == "..");
            assert!(text.starts_with('/') && !text.contains("//") && !goes_up, "{text}");
        }
    }
}
