//! Each thing that can be wrong has its reason and says what to do; nothing is half done, and it heals by itself.

use std::collections::BTreeMap;

use kube::api::{Patch, PatchParams};
use proxmox_identity::sim::pve::{Fault, FaultName, Options, Simulator};

use crate::world::{World, condition};

/// Puts another value into the connection.
async fn reconnect(world: &World, endpoint: &str, fingerprint: &str) {
    world
        .apply(&format!(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: pve}}\nspec: \
             {{endpoints: ['{endpoint}'], auth: {{token: {{secretRef: {{name: token}}}}}}, tls: {{fingerprints: \
             ['{fingerprint}']}}, resyncInterval: 1s}}"
        ))
        .await;
}

async fn set_token(world: &World, token: &str) {
    world
        .apply(&format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: token}}\nstringData: {{token: '{token}'}}\n"))
        .await;
}

#[tokio::test]
async fn a_connection_that_does_not_work_says_why_and_heals() {
    let world = World::new().await;
    world.start_operator();
    let (url, fingerprint, token) = (world.pve.url(), world.pve.fingerprint(), world.pve.token());
    world.object("ProxmoxGroup", "g", "").await;
    let message = world.reason("ProxmoxGroup", "g", "ConnectionNotFound").await;
    assert!(message.contains("pve") && message.contains("create it"), "{message}");
    reconnect(&world, &url, &fingerprint).await;
    let message = world.reason("ProxmoxConnection", "pve", "SecretNotFound").await;
    assert!(message.contains("Secret token"), "{message}");
    world.reason("ProxmoxGroup", "g", "ConnectionNotReady").await;
    set_token(&world, "root@pam!admin").await;
    let message = world.reason("ProxmoxConnection", "pve", "InvalidSpec").await;
    assert!(message.contains("user@realm!id=uuid"), "{message}");
    set_token(&world, "root@pam!admin=ca7a51e5-0000-0000-0000-000000000000").await;
    let message = world.reason("ProxmoxConnection", "pve", "AuthenticationFailed").await;
    assert!(!message.contains("ca7a51e5"), "{message}");
    set_token(&world, &token).await;
    world.ready("ProxmoxConnection", "pve").await;
    world.ready("ProxmoxGroup", "g").await;

    reconnect(&world, "https://127.0.0.1:1", &fingerprint).await;
    world.reason("ProxmoxConnection", "pve", "APIUnavailable").await;
    let group = world.get_object("ProxmoxGroup", "g").await.expect("a group");
    assert_eq!(condition(&group, "Ready").expect("ready")["status"], "True", "an outage changes no ready object");
    let wrong = "AA:".repeat(31) + "AA";
    reconnect(&world, &url, &wrong).await;
    let message = world.reason("ProxmoxConnection", "pve", "CertificateMismatch").await;
    assert!(message.contains(&fingerprint), "the message names the presented one: {message}");
    reconnect(&world, &url, &fingerprint).await;
    world.ready("ProxmoxConnection", "pve").await;
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_passed_over() {
    let world = World::new().await;
    world.start_operator().connect().await;
    let (url, fingerprint) = (world.pve.url(), world.pve.fingerprint());
    reconnect(&world, &format!("https://127.0.0.1:1', '{url}"), &fingerprint).await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let connection = world.get_object("ProxmoxConnection", "pve").await.expect("a connection");
    assert_eq!(connection["status"]["endpoint"], url);
    assert_eq!(connection["status"]["version"], "9.2.11");
}

#[tokio::test]
async fn another_cluster_behind_the_endpoint_is_never_written_to_before_it_is_confirmed() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let other = Simulator::start(Options { time_scale: 0.02, ..Options::default() }).await.expect("a simulator");
    let token = other.token();
    set_token(&world, &token).await;
    reconnect(&world, &other.url(), &other.fingerprint()).await;
    let message = world.reason("ProxmoxConnection", "pve", "ClusterChanged").await;
    let stalled = world.get_object("ProxmoxConnection", "pve").await.expect("a connection");
    assert_eq!(condition(&stalled, "Stalled").expect("stalled")["status"], "True");
    world.delete("ProxmoxGroup", "g").await;
    world.reason("ProxmoxGroup", "g", "DeletionBlocked").await;
    let writes = other.requests().counts.iter().filter(|count| count.method != "GET").count();
    assert_eq!(writes, 0);
    let id = message.rsplit(' ').next().expect("an id");
    world
        .apply(&format!(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: pve, annotations: \
             {{proxmox-identity.dev/confirm-cluster: '{id}'}}}}\nspec: {{endpoints: ['{}'], auth: {{token: {{secretRef: \
             {{name: token}}}}}}, tls: {{fingerprints: ['{}']}}, resyncInterval: 1s}}",
            other.url(),
            other.fingerprint()
        ))
        .await;
    world.ready("ProxmoxConnection", "pve").await;
    world.gone("ProxmoxGroup", "g").await;
}

#[tokio::test]
async fn what_stands_in_a_confirmed_other_cluster_is_a_strangers() {
    let world = World::new().await;
    world.start_operator().connect().await;
    for (name, spec) in [("alike", ""), ("other", "comment: ours"), ("never", "adoptionPolicy: Never")] {
        world.object("ProxmoxGroup", name, spec).await;
        world.ready("ProxmoxGroup", name).await;
    }
    world.pve_call("POST", "/access/users", &[("userid", "svc@pve")]).await;
    world.object("ProxmoxToken", "ci", "user: svc@pve").await;
    world.ready("ProxmoxToken", "ci").await;
    let rotate = serde_json::json!({"metadata": {"annotations": {"proxmox-identity.dev/rotate-requested-at": "once"}}});
    world.api("ProxmoxToken").patch("ci", &PatchParams::default(), &Patch::Merge(&rotate)).await.expect("annotated");
    world
        .until("it has a new secret", async || {
            let token = world.get_object("ProxmoxToken", "ci").await?;
            let status = &token["status"]["token"];
            (status["lastHandledRotateAt"] == "once" && status["secretState"] == "Delivered").then_some(())
        })
        .await;
    let elsewhere = World::with(Options { time_scale: 0.02, ..Options::default() }).await;
    for group in ["alike", "other", "never"] {
        elsewhere.pve_call("POST", "/access/groups", &[("groupid", group), ("comment", "theirs")]).await;
    }
    elsewhere.pve_call("PUT", "/access/groups/alike", &[("comment", "")]).await;
    elsewhere.pve_call("POST", "/access/users", &[("userid", "svc@pve")]).await;
    elsewhere.pve_call("POST", "/access/users/svc@pve/token/ci", &[]).await;
    set_token(&world, &elsewhere.pve.token()).await;
    reconnect(&world, &elsewhere.pve.url(), &elsewhere.pve.fingerprint()).await;
    let message = world.reason("ProxmoxConnection", "pve", "ClusterChanged").await;
    let id = message.rsplit(' ').next().expect("an id").to_owned();
    let annotation = serde_json::json!({"metadata": {"annotations": {"proxmox-identity.dev/confirm-cluster": id}}});
    let connections = world.api("ProxmoxConnection");
    connections.patch("pve", &PatchParams::default(), &Patch::Merge(&annotation)).await.expect("annotated");
    world.ready("ProxmoxGroup", "alike").await;
    for name in ["other", "never"] {
        world.reason("ProxmoxGroup", name, "AlreadyExists").await;
    }
    world
        .until("nobody has the secret of the token there", async || {
            let token = world.get_object("ProxmoxToken", "ci").await?;
            (token["status"]["token"]["secretState"] == "Unknown").then_some(())
        })
        .await;
    elsewhere.passes(2).await;
    let token = world.get_object("ProxmoxToken", "ci").await.expect("a token");
    assert_eq!(token["status"]["token"]["secretState"], "Unknown", "what its Secret holds is of the cluster before");
    assert_eq!(elsewhere.pve.requests().count("PUT", "/access/users"), 0, "nor was a new one asked for there");
    world.delete("ProxmoxToken", "ci").await;
    world.gone("ProxmoxToken", "ci").await;
    let writes = elsewhere.pve_writes();
    for name in ["alike", "other", "never"] {
        world.delete("ProxmoxGroup", name).await;
        world.gone("ProxmoxGroup", name).await;
    }
    assert_eq!((elsewhere.groups().await.len(), elsewhere.pve_writes()), (3, writes), "nothing of it was ours");
}

#[tokio::test]
async fn what_may_come_by_itself_does_not_hide_what_never_will() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    let entry = "path: /vms/abc, roles: [{role: PVEAuditor}], subjects: [{group: g}, {user: zoe@pve}]";
    world.object("ProxmoxAcl", "a", entry).await;
    let message = world.reason("ProxmoxAcl", "a", "InvalidSpec").await;
    assert!(message.contains("invalid ACL path") && message.contains("zoe@pve"), "{message}");
}

#[tokio::test]
async fn what_a_claim_lacks_is_named_and_the_others_go_on() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    let entry = |path: &str, role: &str, subject: &str| {
        format!("path: {path}, roles: [{{role: {role}}}], subjects: [{subject}]")
    };
    let cases = BTreeMap::from([
        ("no-group", (entry("/", "PVEAuditor", "{group: g}, {group: nobody}"), "DependencyNotReady", "group nobody")),
        (
            "no-ref",
            (entry("/", "PVEAuditor", "{groupRef: {name: nobody}}"), "DependencyNotReady", "ProxmoxGroup nobody"),
        ),
        ("no-role", (entry("/vms", "Nope", "{group: g}"), "DependencyNotReady", "role Nope")),
        ("no-path", (entry("/foo", "PVEAuditor", "{group: g}"), "InvalidSpec", "/foo")),
    ]);
    for (name, (spec, ..)) in &cases {
        world.object("ProxmoxAcl", name, spec).await;
    }
    for (name, (_, reason, says)) in &cases {
        let message = world.reason("ProxmoxAcl", name, reason).await;
        assert!(message.contains(says), "{name}: {message}");
    }
    // What is missing is told before anything is made.
    let made = async || (world.acl().await == ["/ PVEAuditor group:g 1"]).then_some(());
    world.until("the entry that can be made is made", made).await;
    world.object("ProxmoxGroup", "nobody", "").await;
    world.ready("ProxmoxAcl", "no-group").await;
    world.ready("ProxmoxAcl", "no-ref").await;
    world.object("ProxmoxPool", "child", "poolId: parent/child").await;
    let message = world.reason("ProxmoxPool", "child", "DependencyNotReady").await;
    assert!(message.contains("pool parent"), "{message}");
    world.object("ProxmoxPool", "parent", "").await;
    world.ready("ProxmoxPool", "child").await;
}

#[tokio::test]
async fn a_held_lock_and_a_lost_quorum_are_told_apart_and_waited_out() {
    for (fault, reason) in [(FaultName::HeldLock, "LockTimeout"), (FaultName::NoQuorum, "NoQuorum")] {
        let world = World::new().await;
        world.start_operator().connect().await;
        world.ready("ProxmoxConnection", "pve").await;
        world.pve.fault(Fault { file: Some("user.cfg".to_owned()), count: 1000, ..Fault::new(fault) });
        world.object("ProxmoxGroup", "g", "").await;
        world.reason("ProxmoxGroup", "g", reason).await;
        assert!(world.groups().await.is_empty());
        world.pve.clear_faults();
        world.ready("ProxmoxGroup", "g").await;
    }
}

#[tokio::test]
async fn answers_of_something_in_between_are_never_taken_for_gone() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let answer_with = |status| {
        world.pve.clear_faults();
        let file = Some("any-request".to_owned());
        world.pve.fault(Fault { file, count: 100_000, status, ..Fault::new(FaultName::Status) });
    };
    answer_with(404);
    world.reason("ProxmoxConnection", "pve", "APIUnavailable").await;
    world.delete("ProxmoxGroup", "g").await;
    for status in [404, 200, 502] {
        answer_with(status);
        let before = world.calls().len();
        world.until("it is asked again", async || (world.calls().len() > before + 4).then_some(())).await;
        world.reason("ProxmoxGroup", "g", "DeletionBlocked").await;
    }
    world.pve.clear_faults();
    world.gone("ProxmoxGroup", "g").await;
    assert!(world.groups().await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_not_sent_again_blindly() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    world.pve.fault(Fault { file: Some("user.cfg".to_owned()), count: 1, ..Fault::new(FaultName::Cut) });
    world.object("ProxmoxGroup", "g", "comment: c").await;
    world.ready("ProxmoxGroup", "g").await;
    let posts = world.pve.requests().count("POST", "/access/groups");
    assert_eq!(posts, 1, "it took effect although its answer was lost");
    assert!(world.pve.requests().writes.iter().any(|write| write.status == 0), "it was lost");
    world.delete("ProxmoxGroup", "g").await;
    world.gone("ProxmoxGroup", "g").await;
    assert!(world.groups().await.is_empty(), "and it was ours");
}

#[tokio::test]
async fn objects_go_with_their_unreachable_cluster_only_by_a_policy() {
    let world = World::new().await;
    let connect = async |endpoint: &str, policy: &str| {
        world
            .apply(&format!(
                "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: pve}}\nspec: \
                 {{endpoints: ['{endpoint}'], auth: {{token: {{secretRef: {{name: token}}}}}}, tls: {{fingerprints: \
                 ['{}']}}, resyncInterval: 1s, policy: {{{policy}}}}}",
                world.pve.fingerprint()
            ))
            .await;
    };
    world.start_operator_with(&[], &["--progress-deadline=3s"]).connect().await;
    for name in ["g", "h"] {
        world.object("ProxmoxGroup", name, "").await;
        world.ready("ProxmoxGroup", name).await;
    }
    connect("https://127.0.0.1:1", "").await;
    world.reason("ProxmoxConnection", "pve", "APIUnavailable").await;
    world.delete("ProxmoxGroup", "g").await;
    let message = world.reason("ProxmoxGroup", "g", "DeletionBlocked").await;
    assert!(message.contains("deletionPolicy"), "{message}");
    connect("https://127.0.0.1:1", "unreachableDeletion: Orphan").await;
    world.gone("ProxmoxGroup", "g").await;
    assert_eq!(world.groups().await, ["g", "h"]);
    // A slip in the policy is no loss of the cluster, however long it lasts.
    let url = world.pve.url();
    connect(&url, "unreachableDeletion: Orphan, deniedPrivileges: [VM.Audti]").await;
    world.reason("ProxmoxConnection", "pve", "InvalidSpec").await;
    world.delete("ProxmoxGroup", "h").await;
    world.reason("ProxmoxGroup", "h", "DeletionBlocked").await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert!(world.get_object("ProxmoxGroup", "h").await.is_some(), "it waits");
    connect(&url, "unreachableDeletion: Orphan").await;
    world.gone("ProxmoxGroup", "h").await;
    assert_eq!(world.groups().await, ["g"]);
}
