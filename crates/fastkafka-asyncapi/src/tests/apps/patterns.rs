//! Topics by pattern: what a pattern is made of has a meaning in references.

use crate::tests::apps::{document, golden};
use crate::{check, parse};
use fastkafka_macros::consumes;

pub(crate) struct Patterns;

#[consumes(app = Patterns, pattern = "^orders\\..*", dead_letter = "dead")]
async fn on_orders(_order: u64) {}

/// Its key in the document is that of the one before, but for the number.
#[consumes(app = Patterns, pattern = "^orders[.].*", group_id = "other")]
async fn on_orders_too(_order: u64) {}

#[consumes(app = Patterns, pattern = "^~a/b?#%(x|y){2}ü$", group_id = "third")]
async fn on_anything(_order: u64) {}

#[test]
fn a_pattern_has_a_channel_that_references_lead_to() {
    let document = document::<Patterns>("Patterns");
    let findings = check(&parse(&document.to_yaml()).unwrap());
    assert!(findings.is_empty(), "{findings:#?}");
    golden("patterns", &document);
    for (id, pattern) in [
        ("on_orders", "^orders\\..*"),
        ("on_orders_too", "^orders[.].*"),
        ("on_anything", "^~a/b?#%(x|y){2}ü$"),
    ] {
        let channel = &document.channels[document.operations[id].channel.name()];
        assert_eq!(channel.topic(), Some(pattern));
        assert_eq!(channel.address, None);
    }
}
