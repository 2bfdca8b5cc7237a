//! Batch consuming: one call for many records. `docs/guide/batch-consuming.md` tells about it.

use fastkafka::{App, EventMetadata, ProduceError, State, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Visit {
    page: String,
}

/// A database: a round trip costs the same for one row and for a hundred.
#[derive(Clone, Default)]
struct Database(Arc<Mutex<Vec<Visit>>>);

impl Database {
    async fn insert(&self, visits: &[Visit]) -> usize {
        let mut rows = self.0.lock().expect("nobody panics with it");
        rows.extend_from_slice(visits);
        rows.len()
    }
}

/// One insert for all visits that are there.
#[consumes(
    topic = "visits",
    auto_offset_reset = "earliest",
    max_poll_records = 100
)]
async fn on_visits(
    visits: Vec<Visit>,
    metas: Vec<EventMetadata>,
    State(database): State<Database>,
) -> Result<(), ProduceError> {
    let rows = database.insert(&visits).await;
    let (first, last) = (metas[0].offset(), metas[metas.len() - 1].offset());
    println!("one insert for offsets {first} to {last}, {rows} rows now");
    to_pages(&visits).await?;
    Ok(())
}

/// A batch goes out as well: each element is a record.
#[produces(topic = "pages")]
async fn to_pages(visits: &[Visit]) -> Result<Vec<String>, ProduceError> {
    Ok(visits.iter().map(|visit| visit.page.clone()).collect())
}

fn app() -> App {
    App::builder()
        .title("Visits")
        .default_broker("embedded")
        .state(Database::default())
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "visits")]
async fn to_visits(page: &str) -> Result<Visit, ProduceError> {
    let page = page.to_owned();
    Ok(Visit { page })
}

fn main() -> ExitCode {
    guide::main(app, 6, async |app| {
        // What is sent meanwhile is there at once when the handler begins.
        app.handle().pause("visits").await?;
        for page in ["/", "/tea", "/cups"] {
            to_visits(page).await?;
        }
        app.handle().resume("visits").await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    fn visit(page: &str) -> Visit {
        Visit {
            page: page.to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_there_is_inserted_at_once() {
        let tester = Tester::start(app()).await.unwrap();
        let visits = vec![visit("/"), visit("/tea"), visit("/cups")];
        tester.mirror::<on_visits>().send_all(visits.clone()).await;
        tester.spy::<on_visits>().assert_called_once_with(&visits);
        assert_eq!(tester.on_pages().messages(), ["/", "/tea", "/cups"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_mirror_of_a_batch_sends_one_element() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_visits(visit("/")).await;
        tester
            .spy::<on_visits>()
            .assert_called_once_with(&vec![visit("/")]);
    }
}
