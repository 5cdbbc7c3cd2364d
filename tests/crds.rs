//! The CRDs on a real apiserver.

mod support;

#[tokio::test]
async fn a_namespace() {
    let client = support::client().await;
    let ns = support::cluster::namespace(&client).await;
    println!("{ns}");
}
