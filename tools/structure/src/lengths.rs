//! One file, one idea: source files that have grown too long.

use crate::finding::{Finding, Report};
use crate::modules::Modules;
use crate::workspace::Package;
use anyhow::Result;
use std::fmt::Write;
use std::fs;

/// Files for tests are left out: a list of cases may be long.
pub(crate) fn check(packages: &[Package], below: usize) -> Result<Report> {
    let mut report = Report::default();
    let mut count = 0;
    let mut longest = 0;
    for package in packages {
        for file in Modules::read(package)?.files {
            let lines = fs::read_to_string(&file)?.lines().count();
            count += 1;
            longest = longest.max(lines);
            if lines >= below {
                let what = format!(
                    "{lines} lines, where {below} are too many: move an idea to a file of its own"
                );
                report.broken.push(Finding::new(file, lines, what));
            }
        }
    }
    writeln!(
        report.text,
        "lengths: {count} files, the longest has {longest} lines"
    )?;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::package;

    #[test]
    fn a_long_file_is_reported_and_a_long_file_of_tests_is_not() {
        let long = "//\n".repeat(10);
        let (_folder, package) = package(&[
            ("lib.rs", "mod long;\n#[cfg(test)]\nmod tests;\n"),
            ("long.rs", &long),
            ("tests.rs", &long),
        ]);
        let report = check(&[package], 10).expect("readable");
        assert_eq!(report.broken.len(), 1);
        assert!(report.broken[0].file.ends_with("src/long.rs"));
    }

    #[test]
    fn a_file_below_the_limit_is_fine() {
        let (_folder, package) = package(&[("lib.rs", "//\n//\n")]);
        assert_eq!(check(&[package], 3).expect("readable").broken, []);
    }
}
