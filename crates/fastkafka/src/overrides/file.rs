//! A file in TOML: a table for each section, and in those of functions a table for each function.

use super::{Overrides, Place, is_of_functions, sections, target};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use toml::{Table, Value};

/// More than all settings of all functions are. What is larger is another file.
const LARGEST: u64 = 1 << 20;

impl Overrides {
    pub(super) fn read_file(&mut self, path: &Path) {
        let found = match read(path) {
            Ok(found) => found,
            Err(why) => {
                self.unreadable.push(format!("{}: {why}", path.display()));
                return;
            }
        };
        self.read_sections(path, found);
    }

    pub(super) fn read_sections(&mut self, path: &Path, found: Table) {
        for (section, value) in found {
            let place = format!("{} [{section}", path.display());
            let (Some(target), Value::Table(table)) = (target(&section), value) else {
                self.unreadable.push(format!(
                    "{place}]: there is no section of that name; there are {}",
                    sections()
                ));
                continue;
            };
            if !is_of_functions(target) {
                let place = Place {
                    name: format!("{place}]"),
                    target,
                    function: Vec::new(),
                };
                self.read_table(&place, table);
                continue;
            }
            for (function, value) in table {
                let place = Place {
                    name: format!("{place}.{function}]"),
                    target,
                    function: function.split("::").collect(),
                };
                match value {
                    Value::Table(table) => self.read_table(&place, table),
                    _ => self
                        .unreadable
                        .push(format!("{}: is a function, and takes keys", place.name)),
                }
            }
        }
    }

    /// Keys and values; `config` holds properties of the client.
    fn read_table(&mut self, place: &Place<'_>, table: Table) {
        for (key, value) in table {
            match value {
                Value::Table(properties) if key == "config" => {
                    for (property, value) in properties {
                        let name = format!("config.{property}");
                        match text(value) {
                            Some(text) => self.add(place, name, text),
                            None => self.unreadable.push(format!(
                                "{}: `{name}` is not a value; a name with dots stands in quotes",
                                place.name
                            )),
                        }
                    }
                }
                value => match list(value) {
                    Some(text) => self.add(place, key, text),
                    None => self
                        .unreadable
                        .push(format!("{}: `{key}` is not a value", place.name)),
                },
            }
        }
    }
}

/// One value, or several joined by commas.
fn list(value: Value) -> Option<String> {
    match value {
        Value::Array(values) => {
            let texts: Option<Vec<_>> = values.into_iter().map(text).collect();
            texts.map(|texts| texts.join(","))
        }
        value => text(value),
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(is) => Some(is.to_string()),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

/// Looks before it reads: a pipe may never end, and a large file takes long.
fn read(path: &Path) -> Result<Table, String> {
    let failed = |error: std::io::Error| format!("cannot be read: {error}");
    let metadata = path.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err("is a directory, not a file of settings".to_owned());
    }
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
    if read.map_err(failed)? as u64 > LARGEST {
        return Err(format!(
            "is larger than a file of settings may be, {LARGEST} bytes"
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text")?;
    if text.contains('\0') {
        return Err("has NULs in it: it is no text".to_owned());
    }
    text.parse::<Table>()
        .map_err(|error| mistake(&text, &error))
}

/// Its place and the reason, without the line: there may be a secret on it.
fn mistake(text: &str, error: &toml::de::Error) -> String {
    let before = error
        .span()
        .and_then(|span| text.get(..span.start))
        .unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("line {line}, column {column}: {}", error.message())
}
