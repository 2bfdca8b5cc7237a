//! The flights of January 2013, as they stand in `data/`.

use std::fmt::Display;
use std::str::FromStr;

use flate2::read::GzDecoder;
use serde::{Deserialize, Deserializer, de};

use crate::flight::Flight;

static JANUARY: &[u8] = include_bytes!("../data/flights-2013-01.csv.gz");

/// A line of the file; a gap is written `NA`.
#[derive(Deserialize)]
struct Row {
    carrier: String,
    flight: u32,
    #[serde(deserialize_with = "or_gap")]
    tailnum: Option<String>,
    origin: String,
    dest: String,
    #[serde(deserialize_with = "or_gap")]
    dep_delay: Option<i32>,
    #[serde(deserialize_with = "or_gap")]
    arr_delay: Option<i32>,
    #[serde(deserialize_with = "or_gap")]
    air_time: Option<i32>,
    distance: f64,
    time_hour: String,
}

impl Row {
    fn into_flight(self, id: u64) -> Flight {
        Flight {
            id,
            carrier: self.carrier,
            flight: self.flight,
            tailnum: self.tailnum,
            origin: self.origin,
            dest: self.dest,
            dep_delay: self.dep_delay,
            arr_delay: self.arr_delay,
            air_time: self.air_time,
            distance: self.distance,
            time_hour: self.time_hour,
        }
    }
}

/// Only `NA` is a gap: anything else that is no `T` is an error, not a null.
fn or_gap<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let field = String::deserialize(deserializer)?;
    if field == "NA" {
        return Ok(None);
    }
    field
        .parse()
        .map(Some)
        .map_err(|error| de::Error::custom(format_args!("`{field}`: {error}")))
}

/// The 27,004 flights of January, in the order of the file, `id` counting from 0.
///
/// # Panics
///
/// Never: the data is part of the program.
#[must_use]
pub fn january() -> Vec<Flight> {
    csv::Reader::from_reader(GzDecoder::new(JANUARY))
        .into_deserialize()
        .zip(0..)
        .map(|(row, id)| {
            row.map(|row: Row| row.into_flight(id))
                .expect("the data set of this crate is valid")
        })
        .collect()
}

/// January `times` over, one after another; `id` counts on through the repeats.
pub fn repeated(times: usize) -> impl Iterator<Item = Flight> {
    let january = january();
    let total = january.len() * times;
    january
        .into_iter()
        .cycle()
        .take(total)
        .zip(0..)
        .map(|(flight, id)| Flight { id, ..flight })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flight::{Refused, leg};

    #[test]
    fn january_has_26398_legs_155_refused_flights_and_451_without_a_leg() {
        let (mut legs, mut none, mut refused) = (0, 0, 0);
        for flight in january() {
            match leg(&flight) {
                Ok(Some(_)) => legs += 1,
                Ok(None) => none += 1,
                Err(error) => {
                    assert_eq!(error, Refused::NoTailNumber { id: flight.id });
                    refused += 1;
                }
            }
        }
        assert_eq!((legs, none, refused), (26_398, 451, 155));
    }

    #[test]
    fn the_first_flight_reads_as_it_stands_in_the_file() {
        let flight = serde_json::to_value(&january()[0]).unwrap();
        let expected = serde_json::json!({
            "id": 0, "carrier": "UA", "flight": 1545, "tailnum": "N14228", "origin": "EWR",
            "dest": "IAH", "dep_delay": 2, "arr_delay": 11, "air_time": 227,
            "distance": 1400.0, "time_hour": "2013-01-01T10:00:00Z",
        });
        assert_eq!(flight, expected);
    }

    #[test]
    fn ids_count_through_the_repeats() {
        let mut next = 0;
        for flight in repeated(2) {
            assert_eq!(flight.id, next);
            next += 1;
        }
        assert_eq!(next, 2 * 27_004);
    }

    #[test]
    fn a_field_that_is_neither_a_number_nor_a_gap_is_an_error() {
        let head =
            "carrier,flight,tailnum,origin,dest,dep_delay,arr_delay,air_time,distance,time_hour";
        let line = "UA,1,N1,EWR,IAH,late,1,1,1,2013-01-01T10:00:00Z";
        let text = format!("{head}\n{line}\n");
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let error = rows.deserialize::<Row>().next().unwrap().err().unwrap();
        assert!(error.to_string().contains("`late`"), "{error}");
    }
}
