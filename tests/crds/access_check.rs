//! ProxmoxAccessCheck.

use proxmox_identity::api::ProxmoxAccessCheck;
use serde_json::{Value, json};

use crate::verdict::{Kind, spec};

fn check(subject: &Value, path: &str, more: &Value) -> Value {
    let mut check = spec(more);
    check["subject"] = subject.clone();
    check["path"] = json!(path);
    check
}

#[tokio::test]
async fn a_check_is_about_anybody_and_any_path() {
    let kind = Kind::of::<ProxmoxAccessCheck>().await;
    let subjects = [
        json!({"group": "a"}),
        json!({"groupRef": {"name": "a"}}),
        json!({"user": "root@pam"}),
        json!({"userRef": {"name": "a"}}),
        json!({"token": "a@pve!ci"}),
        json!({"tokenRef": {"name": "a"}}),
    ];
    let both = json!({"require": ["VM.Audit"], "forbid": ["Sys.Modify", "VM.GuestAgent.Audit"], "suspend": true});
    for more in [both, json!({"require": ["VM.Audit"]}), json!({"require": [], "forbid": ["VM.Audit"]})] {
        kind.takes("a", &subjects.clone().map(|subject| check(&subject, "/vms/100", &more))).await;
    }
    let stored = kind.store("a", &check(&subjects[0], "/", &json!({"forbid": ["VM.Audit"]}))).await;
    assert_eq!(stored.data["status"], json!({"observedGeneration": -1}));
    assert_eq!(stored.data["spec"], check(&subjects[0], "/", &json!({"forbid": ["VM.Audit"]})), "nothing is filled in");
    kind.takes("a", &[check(&subjects[2], "/pool/a/b", &json!({"require": ["VM.Audit"]}))]).await;
    let mut other = check(&subjects[0], "/", &json!({"forbid": ["VM.Audit"]}));
    other["connectionRef"]["name"] = json!("other");
    kind.refuses("a", &[(other, "connectionRef cannot be changed")]).await;
}

#[tokio::test]
async fn a_check_that_says_nothing_or_both_is_refused() {
    let kind = Kind::of::<ProxmoxAccessCheck>().await;
    let (group, audit) = (json!({"group": "a"}), json!({"require": ["VM.Audit"]}));
    let (none, one) = ("a check needs at least one privilege", "exactly one of group, groupRef, user, userRef, token");
    let twice = json!({"require": ["VM.Audit", "VM.Console"], "forbid": ["Sys.Modify", "VM.Console"]});
    kind.refuses(
        "a",
        &[
            (check(&group, "/", &json!({})), none),
            (check(&group, "/", &json!({"require": [], "forbid": []})), none),
            (check(&group, "/", &twice), "a privilege cannot be in both require and forbid"),
            (check(&group, "/", &json!({"require": ["VM Audit"]})), "must be a privilege such as VM.Audit"),
            (check(&group, "/", &json!({"forbid": ["VM.Audit\n"]})), "must be a privilege such as VM.Audit"),
            (check(&group, "/vms/", &audit), "must be '/' or '/a/b' of letters"),
            (check(&json!({}), "/", &audit), one),
            (check(&json!({"group": "a", "user": "a@pve"}), "/", &audit), one),
            (check(&json!({"user": "alice"}), "/", &audit), "must be name@realm"),
            (spec(&json!({"path": "/", "require": ["VM.Audit"]})), "spec.subject: Required value"),
            (spec(&json!({"subject": {"group": "a"}, "require": ["VM.Audit"]})), "spec.path: Required value"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_check_may_be_as_long_as_it_says_and_no_longer() {
    let kind = Kind::of::<ProxmoxAccessCheck>().await;
    // Names of 64 characters that differ in their last letters.
    let privileges = |area: &str, count: usize| -> Vec<String> {
        let letters = |number: usize| format!("{number:0>8b}").replace('0', "a").replace('1', "b");
        (0..count).map(|number| format!("{area}.{}{}", "x".repeat(52), letters(number))).collect()
    };
    let group = json!({"group": "a"});
    let full = json!({"require": privileges("Any", 256), "forbid": privileges("Sys", 256)});
    kind.takes("a", &[check(&group, "/", &full)]).await;
    let too_many = [privileges("Any", 256), vec!["VM.Audit".to_owned()]].concat();
    let more = json!({"require": too_many});
    kind.refuses("a", &[(check(&group, "/", &more), "must have at most 256 items")]).await;
}
