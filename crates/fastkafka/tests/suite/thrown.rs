//! Values at random that code gives a producer, by its attribute and by the builder: each arrives as it was
//! written, or the check refuses it by name. Those of files and variables are in `src/overrides/thrown.rs`.

use super::start::Order;
use fastkafka::settings::ProducerSettings;
use fastkafka::{App, produces};
use fastrand::Rng;
use std::cell::RefCell;

/// As many as are checked; the others are only explained, since a check makes clients.
const CHECKED: usize = 100;
const TIMES: usize = 2_000;

#[derive(Clone, Default)]
struct Thrown {
    number: u64,
    small: u32,
    text: String,
}

thread_local! {
    static THROWN: RefCell<Thrown> = RefCell::default();
}

fn thrown() -> Thrown {
    THROWN.with_borrow(Thrown::clone)
}

/// Also the app.
#[produces(
    app = Thrown,
    topic = "thrown",
    linger_ms = thrown().number,
    request_timeout_ms = thrown().number,
    max_batch_size = thrown().small,
    client_id = thrown().text,
    sasl_plain_username = thrown().text
)]
async fn to_thrown(order: Order) -> Result<Order, fastkafka::ProduceError> {
    Ok(order)
}

fn of_builder(thrown: &Thrown) -> ProducerSettings {
    ProducerSettings::default()
        .delivery_timeout_ms(thrown.number)
        .retry_backoff_ms(thrown.number)
        .max_request_size(thrown.small)
        .bootstrap_servers(thrown.text.clone())
        // The attribute comes before it.
        .linger_ms(5u64)
}

fn of_attribute(thrown: &Thrown) -> ProducerSettings {
    ProducerSettings::default()
        .linger_ms(thrown.number)
        .request_timeout_ms(thrown.number)
        .max_batch_size(thrown.small)
        .client_id(thrown.text.clone())
        .sasl_plain_username(thrown.text.clone())
}

fn throw(random: &mut Rng) -> Thrown {
    const TEXTS: [&str; 12] = [
        "",
        "a",
        " a",
        "a ",
        "a b",
        "x:y",
        "h:1",
        "u:hush@h:1",
        "a\0b",
        "\n",
        "ü",
        "[::1]:1",
    ];
    let number = match random.u8(..3) {
        0 => random.u64(..3),
        1 => (1 << 31) - 2 + random.u64(..4),
        _ => random.u64(..) >> random.u32(..64),
    };
    Thrown {
        number,
        small: u32::try_from(number).unwrap_or(u32::MAX),
        text: TEXTS[random.usize(..12)].to_owned(),
    }
}

#[test]
fn values_of_code_for_a_producer_arrive_or_are_refused_by_name() {
    let mut random = Rng::with_seed(44);
    for i in 0..TIMES {
        let thrown = throw(&mut random);
        THROWN.set(thrown.clone());
        let app = App::scoped::<Thrown>()
            .title("Thrown")
            .producer_defaults(of_builder(&thrown))
            .build();
        let explained = app.explain().remove(0);
        for (settings, from) in [
            (of_attribute(&thrown), "`#[produces]`"),
            (of_builder(&thrown), "the app's builder"),
        ] {
            for (key, value) in settings.shown() {
                let row = explained.rows.iter().find(|row| row.key == key).unwrap();
                let lost = row.losers.iter().any(|(_, lost)| *lost == value);
                let arrived = row.value == value && row.from.contains(from);
                assert!(arrived || lost, "{key} = {value:?} in {row:?}");
            }
        }
        if i >= CHECKED {
            continue;
        }
        let told = match app.check() {
            Ok(_) => String::new(),
            Err(problems) => problems.to_string(),
        };
        assert!(!told.contains("hush"), "{told}");
        for settings in [of_attribute(&thrown), of_builder(&thrown)] {
            for wrong in settings.wrong() {
                assert!(told.contains(&wrong), "{wrong} in {told}");
            }
        }
    }
}
