//! Batch producing: one call, many records. `docs/guide/batch-producing.md` tells about it.

use fastkafka::{App, KafkaEvent, ProduceError, Topic, consumes, produces};
use std::process::ExitCode;

/// A text comes in, its words go out.
#[consumes(topic = "texts", auto_offset_reset = "earliest")]
async fn on_texts(text: String) -> Result<(), ProduceError> {
    let words = to_words(&text).await?;
    println!("sent {} words", words.len());
    to_lengths(&words).await?;
    Ok(())
}

/// Each element is a record of its own, in this order.
#[produces(topic = "words")]
async fn to_words(text: &str) -> Result<Vec<String>, ProduceError> {
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

/// Each with a key: here all with one, so that they stay in order.
#[produces(topic = "lengths")]
async fn to_lengths(words: &[String]) -> Result<Vec<KafkaEvent<usize>>, ProduceError> {
    let length = |word: &String| KafkaEvent::new(word.len()).key("lengths");
    Ok(words.iter().map(length).collect())
}

fn app() -> App {
    App::builder()
        .title("Words")
        .default_broker("embedded")
        .topic("lengths", Topic::new().partitions(3))
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "texts")]
async fn to_texts(text: &str) -> Result<String, ProduceError> {
    Ok(text.to_owned())
}

fn main() -> ExitCode {
    guide::main(app, 7, async |_| {
        to_texts("tea for two").await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    #[tokio::test(start_paused = true)]
    async fn a_text_is_sent_word_by_word() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_texts("tea for two".to_owned()).await;
        assert_eq!(tester.on_words().messages(), ["tea", "for", "two"]);
        assert_eq!(tester.on_lengths().messages(), [3, 3, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_text_sends_nothing() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_texts(String::new()).await;
        tester.on_words().assert_not_called();
    }
}
