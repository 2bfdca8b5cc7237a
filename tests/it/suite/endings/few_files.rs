//! A process that may open few files.

use std::process::Command;

/// It ends with an error: some of these were a panic of tokio, or an assertion of the broker in the process.
#[cfg(unix)]
#[test]
fn a_service_that_may_open_few_files_does_not_start_and_says_so() {
    for files in [6, 7, 8, 10, 12, 14, 16, 18] {
        let app = env!("CARGO_BIN_EXE_orders-app");
        let run = format!("ulimit -n {files}; exec {app} join run --kafka-broker embedded");
        let output = Command::new("sh").args(["-c", &run]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{files}: {told}");
        assert!(told.contains("Too many open files"), "{files}: {told}");
    }
}
