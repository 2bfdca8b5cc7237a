//! A file in TOML: a table for each section, and in those of functions a table for each function.

use super::{Overrides, Place, is_of_functions, sections, target};
use config::{File, FileFormat, Map, Source, Value, ValueKind};
use std::path::Path;

impl Overrides {
    pub(super) fn read_file(&mut self, path: &Path) {
        let source = File::from(path).format(FileFormat::Toml);
        let found = match source.collect() {
            Ok(found) => found,
            Err(error) => {
                self.unreadable.push(format!("{}: {error}", path.display()));
                return;
            }
        };
        for (section, value) in sorted(found) {
            let place = format!("{} [{section}", path.display());
            let (Some(target), ValueKind::Table(table)) = (target(&section), value.kind) else {
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
            for (function, value) in sorted(table) {
                let place = Place {
                    name: format!("{place}.{function}]"),
                    target,
                    function: function.split("::").collect(),
                };
                match value.kind {
                    ValueKind::Table(table) => self.read_table(&place, table),
                    _ => self
                        .unreadable
                        .push(format!("{}: is a function, and takes keys", place.name)),
                }
            }
        }
    }

    /// Keys and values; `config` holds properties of the client.
    fn read_table(&mut self, place: &Place<'_>, table: Map<String, Value>) {
        for (key, value) in sorted(table) {
            match value.kind {
                ValueKind::Table(properties) if key == "config" => {
                    for (property, value) in properties {
                        let text = value.into_string().unwrap_or_default();
                        self.add(place, format!("config.{property}"), text);
                    }
                }
                ValueKind::Array(values) => {
                    let texts = values
                        .into_iter()
                        .filter_map(|value| value.into_string().ok());
                    let text = texts.collect::<Vec<_>>().join(",");
                    self.add(place, key, text);
                }
                ValueKind::Table(_) | ValueKind::Nil => self
                    .unreadable
                    .push(format!("{}: `{key}` is not a value", place.name)),
                kind => {
                    let text = Value::new(None, kind).into_string().unwrap_or_default();
                    self.add(place, key, text);
                }
            }
        }
    }
}

/// In the order of the keys: a map of `config` has none.
fn sorted(table: Map<String, Value>) -> Vec<(String, Value)> {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries
}
