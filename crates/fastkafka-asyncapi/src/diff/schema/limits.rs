//! Bounds of numbers, lengths and counts.

use super::effective::Parts;
use super::{Comparison, Effect};
use serde_json::Value;

impl Comparison<'_> {
    pub(super) fn limits(&mut self, path: &str, before: &Parts, after: &Parts) {
        self.least(path, "value", least(before), least(after));
        self.most(path, "value", most(before), most(after));
        for (what, least, most) in [
            ("length", "minLength", "maxLength"),
            ("number of items", "minItems", "maxItems"),
            ("number of fields", "minProperties", "maxProperties"),
        ] {
            self.least(path, what, number(before, least), number(after, least));
            self.most(path, what, number(before, most), number(after, most));
        }
        let unique = |parts: &Parts| parts.get("uniqueItems") == Some(&Value::Bool(true));
        match (unique(before), unique(after)) {
            (true, false) => self.add(path, Effect::Wider, "may repeat items now"),
            (false, true) => self.add(path, Effect::Narrower, "must not repeat items now"),
            _ => {}
        }
        self.format(path, before, after);
    }

    fn least(&mut self, path: &str, what: &str, from: Option<f64>, to: Option<f64>) {
        let ends = [from, to].map(|bound| bound.unwrap_or(f64::NEG_INFINITY));
        self.bound(path, &format!("least {what}"), from, to, ends[1] > ends[0]);
    }

    fn most(&mut self, path: &str, what: &str, from: Option<f64>, to: Option<f64>) {
        let ends = [from, to].map(|bound| bound.unwrap_or(f64::INFINITY));
        self.bound(
            path,
            &format!("largest {what}"),
            from,
            to,
            ends[1] < ends[0],
        );
    }

    fn bound(&mut self, path: &str, what: &str, from: Option<f64>, to: Option<f64>, less: bool) {
        if from == to {
            return;
        }
        let effect = if less {
            Effect::Narrower
        } else {
            Effect::Wider
        };
        let text = |bound: Option<f64>| bound.map_or("none".to_owned(), |bound| bound.to_string());
        self.add(
            path,
            effect,
            format!("changed its {what} from {} to {}", text(from), text(to)),
        );
    }

    fn format(&mut self, path: &str, before: &Parts, after: &Parts) {
        let format = |parts: &Parts| {
            let format = parts.get("format").and_then(Value::as_str)?;
            // Bounds have been compared.
            (range(format).is_none()).then(|| format.to_owned())
        };
        let (from, to) = (format(before), format(after));
        let effect = match (from.as_deref(), to.as_deref()) {
            (from, to) if from == to => return,
            (Some("float"), Some("double")) | (Some(_), None) => Effect::Wider,
            (Some("double"), Some("float")) | (None, Some(_)) => Effect::Narrower,
            _ => Effect::Other,
        };
        let text = |format: Option<String>| {
            format.map_or("any".to_owned(), |format| format!("`{format}`"))
        };
        let what = format!("changed its format from {} to {}", text(from), text(to));
        self.add(path, effect, what);
    }
}

fn number(parts: &Parts, keyword: &str) -> Option<f64> {
    parts.get(keyword)?.as_f64()
}

/// The tightest of the bounds that are said.
fn least(parts: &Parts) -> Option<f64> {
    let said = ["minimum", "exclusiveMinimum"].map(|keyword| number(parts, keyword));
    let of_format = format_range(parts).map(|(least, _)| least);
    said.into_iter()
        .chain([of_format])
        .flatten()
        .reduce(f64::max)
}

fn most(parts: &Parts) -> Option<f64> {
    let said = ["maximum", "exclusiveMaximum"].map(|keyword| number(parts, keyword));
    let of_format = format_range(parts).map(|(_, most)| most);
    said.into_iter()
        .chain([of_format])
        .flatten()
        .reduce(f64::min)
}

fn format_range(parts: &Parts) -> Option<(f64, f64)> {
    range(parts.get("format")?.as_str()?)
}

/// The range of an integer's format, as schemars names it.
fn range(format: &str) -> Option<(f64, f64)> {
    let (signed, bits) = match format.strip_prefix("uint") {
        Some(bits) => (false, bits),
        None => (true, format.strip_prefix("int")?),
    };
    // Machine words are of 64 bits where services run.
    let bits: i32 = if bits.is_empty() {
        64
    } else {
        bits.parse().ok()?
    };
    let size = 2f64.powi(bits);
    Some(if signed {
        (-size / 2.0, size / 2.0 - 1.0)
    } else {
        (0.0, size - 1.0)
    })
}
