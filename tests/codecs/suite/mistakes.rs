//! What a user reads when a type lacks what its codec needs. `TRYBUILD=overwrite` renews the texts.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
