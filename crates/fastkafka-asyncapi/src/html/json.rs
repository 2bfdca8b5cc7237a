//! JSON with its parts marked, so that styles can tell names from values.

use maud::{Markup, PreEscaped, Render, html};
use serde_json::Value;
use std::fmt::Write;

pub(super) fn json(value: &Value) -> Markup {
    let mut out = String::new();
    write(value, 0, &mut out);
    PreEscaped(out)
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let fields = fields.iter().map(|(name, value)| (Some(name), value));
            block(("{", "}"), fields, depth, out);
        }
        Value::Array(items) if !items.is_empty() => {
            block(
                ("[", "]"),
                items.iter().map(|item| (None, item)),
                depth,
                out,
            );
        }
        Value::String(_) => mark("s", &value.to_string(), out),
        Value::Number(_) => mark("n", &value.to_string(), out),
        Value::Bool(_) | Value::Null => mark("l", &value.to_string(), out),
        empty => out.push_str(&empty.to_string()),
    }
}

fn block<'a>(
    (open, close): (&str, &str),
    parts: impl Iterator<Item = (Option<&'a String>, &'a Value)>,
    depth: usize,
    out: &mut String,
) {
    out.push_str(open);
    for (i, (name, value)) in parts.enumerate() {
        if i > 0 {
            out.push(',');
        }
        let _ = write!(out, "\n{:1$}", "", 2 * (depth + 1));
        if let Some(name) = name {
            mark("k", &Value::from(&**name).to_string(), out);
            out.push_str(": ");
        }
        write(value, depth + 1, out);
    }
    let _ = write!(out, "\n{:1$}{close}", "", 2 * depth);
}

fn mark(class: &str, text: &str, out: &mut String) {
    html! { span class=(class) { (text) } }.render_to(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_shown_is_json_and_nothing_in_it_is_html() {
        let value = json!({ "<b>": ["</pre>&", 1.5, null, {}, []] });
        let PreEscaped(shown) = json(&value);
        assert!(!shown.contains("<b>") && !shown.contains("</pre>"));
        let unmarked: String = shown
            .split('<')
            .map(|part| part.split_once('>').map_or(part, |(_, text)| text))
            .collect();
        let text = unmarked
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&");
        assert_eq!(text, serde_json::to_string_pretty(&value).unwrap());
    }
}
