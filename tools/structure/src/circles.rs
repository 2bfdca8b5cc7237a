//! Circles of files: files that need each other, so that none can be read without the others.

mod graph;

use crate::finding::{Finding, Report};
use crate::workspace::Package;
use anyhow::Result;
use graph::Arrows;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Measures each package. With `why` the report has every arrow in the largest circle and in
/// those that are too large.
pub(crate) fn check(
    packages: &[Package],
    limits: &BTreeMap<String, usize>,
    why: bool,
) -> Result<Report> {
    let mut report = Report::default();
    for package in packages {
        one(
            package,
            limits.get(&package.name).copied(),
            why,
            &mut report,
        )?;
    }
    Ok(report)
}

fn one(package: &Package, limit: Option<usize>, why: bool, report: &mut Report) -> Result<()> {
    let arrows = Arrows::read(package)?;
    let circles = arrows.circles();
    let largest = circles.first().map_or(0, Vec::len);
    let limit = limit.unwrap_or(0);
    let text = &mut report.text;
    writeln!(
        text,
        "circles: {}: {} files, {} arrows, largest circle {largest}, permitted {limit}",
        package.name,
        arrows.files.len(),
        arrows.count(),
    )?;
    for (at, circle) in circles.iter().enumerate() {
        let names: Vec<_> = circle.iter().map(|file| arrows.short(*file)).collect();
        writeln!(text, "  {}: {}", circle.len(), names.join(" "))?;
        if why && (at == 0 || circle.len() > limit) {
            for arrow in arrows.within(circle) {
                let names: Vec<_> = arrow.names.iter().map(String::as_str).collect();
                writeln!(
                    text,
                    "    {}:{} -> {}: {}",
                    arrows.short(arrow.from),
                    arrow.line,
                    arrows.short(arrow.to),
                    names.join(", "),
                )?;
            }
        }
        if circle.len() > limit {
            // The arrow that carries the fewest names is a good one to look at first.
            let thin = arrows.within(circle).min_by_key(|arrow| arrow.names.len());
            let thin = thin.expect("a circle has arrows");
            let what = format!(
                "in a circle of {} files, {limit} permitted in {}: cut an arrow, such as this one to \
                 {} (`structure circles --why` lists them)",
                circle.len(),
                package.name,
                arrows.short(thin.to),
            );
            let file = &arrows.files[thin.from];
            report.broken.push(Finding::new(file, thin.line, what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
