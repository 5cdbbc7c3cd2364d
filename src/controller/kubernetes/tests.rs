//! Answers of kube-apiserver, and writes without a permit.

use std::time::Instant;

use k8s_openapi::api::core::v1::Secret as SecretObject;
use kube::core::{ObjectMeta, Status};
use kube::discovery::ApiResource;
use serde_json::json;

use super::error::found;
use super::*;
use crate::api::ProxmoxGroup;
use crate::permit::Grant;

/// Answers of kube-apiserver 1.36 to server-side apply with a uid.
#[test]
fn a_write_for_an_object_that_is_gone_is_told_from_one_that_lost_against_others() {
    let gone = |answer: &str| {
        let status: Status = serde_json::from_str(answer).expect("a status");
        let error = KubernetesError::Api(kube::Error::Api(Box::new(status)));
        (error.is_gone(), error.is_contended())
    };
    let not_found = r#"{"status": "Failure", "code": 404, "reason": "NotFound", "message": "proxmoxroles.proxmox-identity.dev \"a\" not found"}"#;
    let nobody = r#"{"status": "Failure", "code": 409, "reason": "Conflict", "message": "Operation cannot be fulfilled on proxmoxroles.proxmox-identity.dev \"a\": uid mismatch: the provided object specified uid 1, and no existing object was found"}"#;
    let namesake = r#"{"status": "Failure", "code": 422, "reason": "Invalid", "message": "ProxmoxRole \"a\" is invalid", "details": {"causes": [{"reason": "FieldValueInvalid", "message": "field is immutable", "field": "metadata.uid"}]}}"#;
    let invalid = r#"{"status": "Failure", "code": 422, "reason": "Invalid", "message": "ProxmoxRole \"a\" is invalid", "details": {"causes": [{"reason": "FieldValueTooLong", "message": "too long", "field": "status.externalId"}]}}"#;
    let lost = r#"{"status": "Failure", "code": 409, "reason": "Conflict", "message": "Operation cannot be fulfilled on proxmoxroles.proxmox-identity.dev \"a\": the object has been modified; please apply your changes to the latest version and try again"}"#;
    assert_eq!(gone(not_found), (true, false));
    assert_eq!(gone(nobody), (true, false));
    assert_eq!(gone(namesake), (true, false));
    assert_eq!(gone(invalid), (false, false));
    assert_eq!(gone(lost), (false, true));
}

/// What kube makes of a page of HTML, and of the apiserver's answer where a kind is not served.
#[test]
fn a_404_without_the_words_of_the_apiserver_says_nothing_about_an_object() {
    for text in ["<html>404</html>", "404 page not found"] {
        let failure = || kube::Error::Api(Status::failure(text, "Failed to parse error data").with_code(404).boxed());
        assert!(!KubernetesError::Api(failure()).is_gone(), "{text}");
        assert!(found::<()>(Err(failure())).is_err(), "{text}");
    }
}

#[tokio::test]
async fn without_a_lease_nothing_is_written() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let client = Client::try_from(kube::Config::new(url.parse().expect("a URL"))).expect("a client");
    let kubernetes = Kubernetes::new(client, Arc::new(Outward::new()));
    let (grant, permit) = Grant::begin(Instant::now() + TIMEOUT, TIMEOUT, &Arc::default());
    drop(grant);
    let target = Target::new(ApiResource::erase::<ProxmoxGroup>(&()), &ObjectMeta::default());
    let writes = [
        kubernetes.add_finalizer(&permit, &target).await.map(drop),
        kubernetes.remove_finalizer(&permit, &target).await,
        kubernetes.write_status(&permit, &target, &json!({})).await.map(drop),
        kubernetes.create_secret(&permit, "a", &SecretObject::default()).await,
        kubernetes.patch_secret(&permit, "a", "b", &json!({})).await,
    ];
    for written in writes {
        assert!(matches!(written, Err(KubernetesError::Lapsed(_))), "{written:?}");
    }
    let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(connected.is_err(), "nobody has connected");
}
