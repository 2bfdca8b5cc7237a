//! Questions to the apps under test: their functions, their subscriptions, their failures.

use crate::function::Function;
use crate::subscription::Subscription;
use crate::topology::{ClusterName, intern};
use fastkafka::App;
use fastkafka_core::{Def, Group, Plan};
use fastkafka_runtime::Runtime;
use fastkafka_runtime::platform::Offsets;
use std::collections::BTreeSet;

/// A handler with its subscription.
pub(crate) struct Reader {
    pub(crate) function: Function,
    pub(crate) cluster: ClusterName,
    pub(crate) group: String,
    pub(crate) reads: Subscription,
}

/// Panics if no app has the function: a test would wait for it in vain.
#[track_caller]
pub(crate) fn must_have(apps: &[App], function: Function) {
    let defs = apps.iter().flat_map(|app| app.parts().spec.registry.defs());
    let mut functions = defs.filter_map(|def| match def {
        Def::Consumer(def) => Some(Function::from(*def)),
        Def::Producer(def) => Some(Function::from(*def)),
        Def::Background(_) => None,
    });
    assert!(
        functions.any(|known| known == function),
        "{function} ({}) belongs to no app of this tester; start it with the app that has it",
        function.location()
    );
}

/// The plans of all apps. An app whose plan has problems did not start and has none. Not as
/// [`App::check`]: an app that could not reach its brokers in production runs here all the same.
pub(crate) fn plans(apps: &[App]) -> impl Iterator<Item = Plan> {
    apps.iter()
        .filter_map(|app| Plan::new(app.parts().spec).ok())
}

/// The consumer groups of all apps.
pub(crate) fn groups(apps: &[App]) -> impl Iterator<Item = Group> {
    plans(apps).flat_map(|plan| plan.groups)
}

/// The handlers of all apps.
pub(crate) fn readers(apps: &[App]) -> Vec<Reader> {
    let mut readers = Vec::new();
    for group in groups(apps) {
        for handler in &group.handlers {
            let names: Vec<_> = handler.def.subscription().collect();
            // A pattern that cannot be read has kept the app from starting.
            if let Ok(reads) = Subscription::new(&names, &handler.settings, &group.left_out) {
                readers.push(Reader {
                    function: handler.def.into(),
                    cluster: intern(&group.cluster),
                    group: group.id.clone(),
                    reads,
                });
            }
        }
    }
    readers
}

/// The subscription of a handler.
pub(crate) fn subscription(apps: &[App], function: Function) -> Option<Subscription> {
    let mut readers = readers(apps).into_iter();
    let reader = readers.find(|reader| reader.function == function)?;
    Some(reader.reads)
}

/// Stopped partitions, and reasons for which an app has to end.
pub(crate) fn stopped(apps: &[App]) -> Vec<String> {
    let mut stopped = Vec::new();
    for app in apps {
        let runtime = app.parts().runtime;
        stopped.extend(runtime.and_then(Runtime::failure));
        for group in app.health().groups {
            stopped.extend(group.stopped.iter().map(ToString::to_string));
            if group.more_stopped > 0 {
                stopped.push(format!("{} more records stand still", group.more_stopped));
            }
        }
    }
    stopped
}

/// Of each consumer without a group, by cluster and name: the offsets below which everything is settled.
pub(crate) fn settled(apps: &[App]) -> impl Iterator<Item = (String, String, Offsets)> {
    let runtimes = apps.iter().filter_map(|app| app.parts().runtime);
    runtimes.flat_map(Runtime::settled)
}

/// The handlers with a time limit.
pub(crate) fn limited(apps: &[App]) -> BTreeSet<Function> {
    let handlers = groups(apps).flat_map(|group| group.handlers);
    let limited = handlers.filter(|handler| handler.settings.handler_timeout.is_some());
    limited.map(|handler| handler.def.into()).collect()
}
