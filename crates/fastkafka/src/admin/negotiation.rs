//! Which of its two text formats a scraper wants.

use super::exposition::Format;

/// By the header `Accept`: OpenMetrics where that is wanted at least as much as the older format.
pub(crate) fn wanted(accept: Option<&str>) -> Format {
    let weight = |media_type: &str| {
        let ranges = accept.unwrap_or_default().split(',');
        let weights = ranges.filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            parts
                .next()
                .filter(|found| found.eq_ignore_ascii_case(media_type))?;
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            weight.map_or(Some(1.0), |weight| weight.parse::<f64>().ok())
        });
        weights.fold(0.0, f64::max)
    };
    let open = weight("application/openmetrics-text");
    match open > 0.0 && open >= weight("text/plain") {
        true => Format::OpenMetrics,
        false => Format::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_those_who_want_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=values;q=0.6,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(wanted(Some(prometheus)), Format::OpenMetrics);
        assert_eq!(
            wanted(Some("application/openmetrics-text")),
            Format::OpenMetrics
        );
        for other in [
            "text/plain",
            "*/*",
            "text/html",
            "",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0.2, text/plain;version=0.0.4;q=0.5",
            "application/openmetrics-text;q=much",
        ] {
            assert_eq!(wanted(Some(other)), Format::Text, "{other}");
        }
        assert_eq!(wanted(None), Format::Text);
    }
}
