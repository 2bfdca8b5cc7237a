//! The README's first command, as a test.

#[tokio::test(flavor = "multi_thread")]
async fn every_flower_is_answered() {
    crate::demo::run().await.unwrap();
}
