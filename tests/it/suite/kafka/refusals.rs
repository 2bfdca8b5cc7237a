//! What a broker refuses is told until there is evidence that it is over.

use crate::kafka::fixture::{AppFixture, kafka, order};
use crate::kafka::process::eventually;
use crate::kafka::sources::{create, send};

#[test]
fn a_deleted_topic_is_told_until_it_is_there_again_however_much_the_others_commit() {
    let fixture = AppFixture::named(kafka(), "vanishing");
    create(kafka(), &["vanishing.a", "vanishing.b", &fixture.out]);
    let mut app = fixture.app();
    app.is_started();
    send(kafka(), "vanishing.b", 0, &order(0));
    fixture.await_count(1);
    kafka().delete_topic("vanishing.b").unwrap();
    let refused = vec!["topic-refused vanishing.b".to_owned()];
    eventually("the topic is told", || {
        (app.problems() == refused).then_some(())
    });
    for id in 1..4 {
        send(kafka(), "vanishing.a", 0, &order(id));
        eventually("it is committed", || {
            let committed = kafka().committed("vanishing", "vanishing.a").unwrap();
            let next = i64::try_from(id).unwrap();
            (committed.get(&0) == Some(&next)).then_some(())
        });
        assert_eq!(app.problems(), refused);
    }
    create(kafka(), &["vanishing.b"]);
    eventually("it is ready again", || {
        app.problems().is_empty().then_some(())
    });
    app.stop();
}

#[test]
fn a_topic_that_is_written_in_transactions_is_committed_to_its_end() {
    let fixture = AppFixture::new("transacted", 1);
    let records = |ids: std::ops::Range<u64>| -> Vec<_> {
        ids.map(|id| crate::kafka::fixture::record(&order(id)))
            .collect()
    };
    let produce = |ids, commit| {
        let written = kafka().produce_in_transaction(&fixture.topic, &records(ids), commit);
        written.unwrap();
    };
    produce(0..2, true);
    produce(90..92, false);
    let mut app = fixture.app();
    app.is_started();
    fixture.await_committed();
    produce(2..4, true);
    fixture.await_committed();
    produce(92..93, false);
    fixture.await_committed();
    assert_eq!(fixture.count(), 4);
    app.stop();
}
