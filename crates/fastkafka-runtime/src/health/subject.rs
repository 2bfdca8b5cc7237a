//! The thing that a problem is of, and how a line names it.

/// The subject of a problem: its fields are those of [`Problem`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) group: Option<&'a str>,
    pub(crate) topic: Option<&'a str>,
    pub(crate) partition: Option<i32>,
    pub(crate) offset: Option<i64>,
    pub(crate) function: Option<&'a str>,
    /// The functions that a client of producers is for; empty for dead letters.
    pub(crate) producer: Option<&'a str>,
}

impl Subject<'_> {
    /// As a line begins.
    pub(super) fn named(&self) -> String {
        let on = on(self.cluster);
        match *self {
            Subject {
                topic: Some(topic),
                partition: Some(partition),
                ..
            } => {
                let offset = self.offset.map(|offset| format!(" offset {offset}"));
                format!("{topic}[{partition}]{on}{}", offset.unwrap_or_default())
            }
            Subject {
                topic: Some(topic), ..
            } => format!("topic `{topic}`{on}"),
            Subject {
                group: Some(group), ..
            } => format!("group `{group}`{on}"),
            Subject {
                function: Some(task),
                ..
            } => format!("background task `{task}`"),
            _ => producer(self.producer.unwrap_or_default(), &on),
        }
    }
}

/// A client as a line begins: by the functions that it is for.
fn producer(functions: &str, on: &str) -> String {
    match functions {
        "" => format!("producer of dead letters{on}"),
        names => format!("producer `{}`{on}", names.replace(", ", "`, `")),
    }
}

/// Names the cluster behind a topic or group. The app's own goes without saying.
pub(super) fn on(cluster: &str) -> String {
    match cluster {
        "" => String::new(),
        cluster => format!(" on `{cluster}`"),
    }
}
