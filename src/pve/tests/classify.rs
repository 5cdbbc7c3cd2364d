//! The meaning of recorded answers; each line names the recording that it is from.

use crate::core::failure::{Failure, FailureKind};
use crate::core::secret::Secret;
use crate::https::message::{MAX_MESSAGE, Scrubber};
use crate::pve::answer::Answer;
use crate::pve::error::{About, Noun};

const JSON: Option<&str> = Some("application/json;charset=UTF-8");

fn thing(noun: Noun, id: &str) -> About {
    About::Thing(noun, id.to_owned())
}

/// A failure in Proxmox VE's usual form: the text in the status line, and again in the body.
fn judged(status: u16, reason: &str, about: &About) -> Failure {
    let body = serde_json::json!({ "data": null, "message": format!("{reason}\n") }).to_string();
    given(&Answer { status, reason, content_type: JSON, challenges: false, body: body.as_bytes() }, about, true)
}

fn given(answer: &Answer<'_>, about: &About, write: bool) -> Failure {
    answer.failure(about, write, &Scrubber::new([]))
}

fn bare(status: u16, reason: &str, body: &str) -> FailureKind {
    let answer = Answer { status, reason, content_type: None, challenges: false, body: body.as_bytes() };
    given(&answer, &About::Nothing, true).kind
}

#[test]
fn missing_is_gone_only_when_it_is_the_very_thing() {
    use FailureKind::{Gone, MissingReference};
    let group = thing(Noun::Group, "g");
    let realm = thing(Noun::Realm, "r");
    let pool = thing(Noun::Pool, "p");
    let table = [
        // groups-crud, groups-errors
        ("group 'g' does not exist", &group, Gone),
        ("update group failed: group 'g' does not exist", &group, Gone),
        ("delete group failed: group 'g' does not exist", &group, Gone),
        ("delete group failed: group 'other' does not exist", &group, MissingReference),
        // newline-realm, realms-builtin, openid-calls
        ("domain 'r' does not exist", &realm, Gone),
        ("delete auth server failed: authentication domain 'r' does not exist", &realm, Gone),
        ("update auth server failed: cannot lookup undefined type! at /usr/share/perl5/X.pm line 9.", &realm, Gone),
        // pools-crud, pools-errors
        ("pool 'p' does not exist", &pool, Gone),
        ("update pools failed: pool 'p' does not exist", &pool, Gone),
        ("delete pool failed: pool 'p' does not exist", &pool, Gone),
        ("create pool failed: parent 'p' of pool 'p/b' does not exist", &pool, MissingReference),
        ("create pool failed: parent 'a' of pool 'a/b' does not exist", &About::Nothing, MissingReference),
        // acl-delete: a grant, then the revocation of one entry
        ("ACL update failed: user 'ghost@pve' does not exist", &About::Nothing, MissingReference),
        ("ACL update failed: no such user ('ghost@pve')", &About::Nothing, MissingReference),
        ("ACL update failed: user 'ghost@pve' does not exist", &About::Entry, Gone),
        ("ACL update failed: group 'ghost' does not exist", &About::Entry, Gone),
        ("ACL update failed: no such token 'nope' for user 'u@pve'", &About::Entry, Gone),
        ("ACL update failed: no such user ('ghost@pve')", &About::Entry, Gone),
        ("ACL update failed: role 'nope' does not exist", &About::Entry, Gone),
        // users-password
        ("create user failed: no such group 'missing'", &About::Nothing, MissingReference),
        ("create user failed: auth domain 'nowhere' does not exist", &About::Nothing, MissingReference),
    ];
    for (text, about, kind) in table {
        assert_eq!(judged(500, text, about).kind, kind, "{text}");
    }
}

#[test]
fn texts_of_a_500_have_their_meaning() {
    use FailureKind::{AlreadyExists, Changed, Forbidden, Invalid, LockTimeout, NoQuorum, Other};
    let table = [
        // groups-errors, pools-errors, realms-builtin, roles-builtin
        ("create group failed: group 'g1' already exists", AlreadyExists),
        ("create pool failed: pool 'p1' already exists", AlreadyExists),
        ("add auth server failed: domain 'o1' already exists", AlreadyExists),
        // lock-timeout, no-quorum
        ("create group failed: cfs-lock 'file-user_cfg' error: got lock request timeout", LockTimeout),
        ("ACL update failed: cfs-lock 'file-user_cfg' error: got lock request timeout", LockTimeout),
        ("create group failed: cfs-lock 'file-user_cfg' error: no quorum!", NoQuorum),
        // realms-digest
        (
            "update auth server failed: detected modified configuration - file changed by other user? Try again.",
            Changed,
        ),
        // operator-token-narrow
        ("update pools failed: 403 Permission check failed (/vms/100, Permissions.Modify|VM.Allocate)", Forbidden),
        // realms-openid-errors, realms-ad-crud, realms-ldap-errors, realms-openid-empty
        ("add auth server failed: missing value for required option 'issuer-url'", Invalid),
        ("update auth server failed: section 'ad1' - missing value for required option 'server1'", Invalid),
        ("add auth server failed: unexpected property 'server1'", Invalid),
        ("add auth server failed: property contains a line feed", Invalid),
        // pools-delete, realms-ldap-check-connection, realms-builtin, newline-realm
        ("delete pool failed: pool 'p1' is not empty (contains VM 100)", Other),
        ("add auth server failed: Connection refused", Other),
        ("update auth server failed: no options specified", Other),
        ("add auth server failed: unknown section type ''", Other),
        // A name of somebody's choice does not make it another failure.
        ("delete pool failed: pool 'got lock request timeout' is not empty (contains VM 100)", Other),
    ];
    for (text, kind) in table {
        let failure = judged(500, text, &About::Nothing);
        assert_eq!(failure.kind, kind, "{text}");
        assert!(failure.message.contains(text), "{}", failure.message);
    }
}

#[test]
fn the_second_line_tells_what_an_inner_400_is_about() {
    let inner = |reason: &str, second: &str| {
        let body = serde_json::json!({ "data": null, "message": format!("{reason}\n{second}\n") }).to_string();
        given(
            &Answer { status: 500, reason, content_type: JSON, challenges: false, body: body.as_bytes() },
            &About::Nothing,
            true,
        )
    };
    // tokens-crud
    let bad =
        inner("updating token info failed: 400 Parameter verification failed.", "delete: unknown option 'expire'");
    // acl-limited: worded as a bad parameter, but it is a lack of rights
    let rights = inner(
        "ACL update failed: 400 Parameter verification failed.",
        "role: Cannot add role 'PVEVMAdmin' - requires 'Permissions.Modify' or superset of privileges.",
    );
    let revoke = inner(
        "ACL update failed: 400 Parameter verification failed.",
        "role: Cannot remove role 'NoAccess' - requires 'Permissions.Modify'",
    );
    assert_eq!((bad.kind, rights.kind), (FailureKind::Invalid, FailureKind::Forbidden));
    assert_eq!(revoke.kind, FailureKind::Forbidden);
    assert!(bad.message.ends_with("delete: unknown option 'expire'"), "{}", bad.message);
    assert!(rights.message.contains("requires 'Permissions.Modify'"), "{}", rights.message);
}

#[test]
fn a_400_names_its_fields() {
    let with = |errors: serde_json::Value| {
        let body = serde_json::json!({ "data": null, "message": "Parameter verification failed.\n", "errors": errors });
        let body = body.to_string();
        let reason = "Parameter verification failed.";
        let answer = Answer { status: 400, reason, content_type: JSON, challenges: false, body: body.as_bytes() };
        given(&answer, &About::Nothing, true)
    };
    // groups-errors, acl-paths-invalid, tokens-errors
    let missing = with(serde_json::json!({ "groupid": "property is missing and it is not optional" }));
    assert_eq!(missing.kind, FailureKind::Invalid);
    assert!(missing.message.contains("groupid: property is missing"), "{}", missing.message);
    let token = with(serde_json::json!({ "tokenid": "Token already exists." }));
    assert_eq!(token.kind, FailureKind::AlreadyExists);
}

#[test]
fn answers_without_a_body_are_known_by_their_reason() {
    // auth-none, auth-token, auth-ticket-use
    for reason in ["No ticket", "Authentication failed!", "Permission denied - invalid csrf token"] {
        assert_eq!(bare(401, reason, ""), FailureKind::Authentication, "{reason}");
    }
    // http-methods, http-bodies
    assert_eq!(bare(501, "method 'PATCH' not available", ""), FailureKind::Other);
    assert_eq!(bare(501, "no such uri", "no such uri"), FailureKind::Other);
    assert_eq!(
        bare(500, "Not a HASH reference at X line 1.", "Not a HASH reference at X line 1.\n"),
        FailureKind::Other
    );
    // A proxy's own words.
    assert_eq!(bare(401, "Unauthorized", ""), FailureKind::Lost);
    assert_eq!(bare(500, "Internal Server Error", ""), FailureKind::Lost);
    assert_eq!(bare(404, "Not Found", ""), FailureKind::Lost);
    let challenge = Answer { status: 401, reason: "No ticket", content_type: None, challenges: true, body: b"" };
    assert_eq!(given(&challenge, &About::Nothing, false).kind, FailureKind::Unreachable);
}

#[test]
fn json_answers_keep_their_status() {
    // auth-ticket, groups-limited, http-methods, auth-token-forbidden
    let table = [
        (401, "authentication failure", FailureKind::Authentication),
        (403, "Permission check failed (/access/groups, Group.Allocate)", FailureKind::Forbidden),
        (403, "Permission check failed", FailureKind::Forbidden),
        (501, "Method 'GET /nope' not implemented", FailureKind::Other),
        (404, "No such tfa entry 'x'", FailureKind::Other),
    ];
    for (status, reason, kind) in table {
        assert_eq!(judged(status, reason, &thing(Noun::Group, "g")).kind, kind, "{status} {reason}");
    }
}

#[test]
fn what_is_not_of_proxmox_ve_is_never_believed() {
    let gone = r#"{"data":null,"message":"group 'g' does not exist\n"}"#;
    let reason = "group 'g' does not exist";
    let table: [(u16, &str, Option<&str>, &str); 9] = [
        (404, "Not Found", Some("text/html"), "<html>"),
        (502, "Bad Gateway", Some("text/html"), "<html>"),
        (502, "Bad Gateway", JSON, gone),
        (503, "Service Unavailable", JSON, r#"{"message":"busy"}"#),
        (500, reason, Some("text/plain"), gone),
        (500, reason, Some("application/json"), gone),
        (500, reason, JSON, r#"{"message":"group 'g' does not exist"}"#),
        (302, "Found", JSON, gone),
        (595, "Connection refused", JSON, gone),
    ];
    for (status, reason, content_type, body) in table {
        let answer = Answer { status, reason, content_type, challenges: false, body: body.as_bytes() };
        let about = thing(Noun::Group, "g");
        assert_eq!(given(&answer, &about, false).kind, FailureKind::Unreachable, "{status} {reason}");
        assert_eq!(given(&answer, &about, true).kind, FailureKind::Lost, "{status} {reason}");
    }
    for (status, content_type, body) in
        [(200, Some("text/html"), r#"{"data":1}"#), (200, JSON, ""), (200, JSON, r#"{"success":1}"#), (200, JSON, "[]")]
    {
        let answer = Answer { status, reason: "OK", content_type, challenges: false, body: body.as_bytes() };
        assert!(!answer.is_success(), "{body}");
    }
}

#[test]
fn messages_are_one_bounded_line_without_secrets() {
    let secret = Secret::new("s3cr:et/+");
    let reason = format!("bad s3cr:et/+ and s3cr%3Aet%2F%2B\u{7} {}", "x".repeat(400));
    let answer =
        Answer { status: 403, reason: &reason, content_type: JSON, challenges: false, body: br#"{"data":null}"# };
    let failure = answer.failure(&About::Nothing, false, &Scrubber::new([&secret]));
    assert!(failure.message.contains("bad [secret] and [secret] xxx"), "{}", failure.message);
    assert_eq!(failure.message.chars().count(), MAX_MESSAGE);
    assert!(failure.message.ends_with('…'));
}
