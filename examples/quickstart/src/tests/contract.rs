//! The contract in the repository says what the app is.

#[test]
fn the_contract_is_fresh() {
    for file in ["asyncapi.yaml", "asyncapi.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        crate::app().check_docs(path).unwrap();
    }
}
