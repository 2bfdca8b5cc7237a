//! What a user reads when an attribute or a function is wrong. `TRYBUILD=overwrite` renews the texts.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
