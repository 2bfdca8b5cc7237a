//! What a flight is, what a leg is, and the rule that makes one of the other.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

const KILOMETRES_PER_MILE: f64 = 1.609_344;

/// One scheduled departure, flown or not.
///
/// Times are whole minutes, as the Bureau of Transportation Statistics reports them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flight {
    /// Counts from 0 through all repeats of the data.
    pub id: u64,
    /// Two-letter code of the airline.
    pub carrier: String,
    /// Flight number.
    pub flight: u32,
    /// Registration of the aircraft; null when it was not reported.
    pub tailnum: Option<String>,
    /// Airport of departure.
    pub origin: String,
    /// Airport of destination.
    pub dest: String,
    /// Minutes the flight left late, negative when early; null when it never left.
    #[serde(default, deserialize_with = "whole_number")]
    pub dep_delay: Option<i32>,
    /// Minutes the flight arrived late, negative when early; null when cancelled or diverted.
    #[serde(default, deserialize_with = "whole_number")]
    pub arr_delay: Option<i32>,
    /// Minutes in the air; null when cancelled or diverted.
    #[serde(default, deserialize_with = "whole_number")]
    pub air_time: Option<i32>,
    /// Miles between the airports.
    pub distance: f64,
    /// The scheduled hour of departure, RFC 3339 in UTC.
    pub time_hour: String,
}

impl Flight {
    /// The record's key: the tail number keeps the flights of an aircraft in order; flights
    /// without one share the key `unknown`.
    #[must_use]
    pub fn key(&self) -> &str {
        self.tailnum.as_deref().unwrap_or("unknown")
    }
}

/// One flight that was flown to its destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Leg {
    /// The flight's `id`.
    pub id: u64,
    /// Registration of the aircraft.
    pub tailnum: String,
    /// Airport of departure.
    pub origin: String,
    /// Airport of destination.
    pub dest: String,
    /// Mean speed in the air, in km/h.
    pub speed_kmh: f64,
    /// Minutes of delay made up on the way, negative when more were lost.
    pub recovered_min: i64,
}

/// Why a flight is refused. Trying again cannot help: the record itself is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The aircraft is not known.
    #[error("flight {id} has no tail number")]
    NoTailNumber {
        /// The flight's `id`.
        id: u64,
    },
    /// A time in the air that gives no speed.
    #[error("flight {id} was {minutes} minutes in the air; a flown leg takes at least one")]
    AirTime {
        /// The flight's `id`.
        id: u64,
        /// What the record says.
        minutes: i32,
    },
    /// Flown, but when it left or arrived is missing. No such flight is in the data.
    #[error("flight {id} was flown but has no departure or arrival delay")]
    NoDelay {
        /// The flight's `id`.
        id: u64,
    },
}

/// The leg that was flown; `None` for a flight that was cancelled or diverted.
///
/// The tail number is looked at first: a flight without one is refused even if it was
/// cancelled.
///
/// # Errors
///
/// [`Refused`] when the tail number is missing, or the times of a flown flight make no leg.
pub fn leg(flight: &Flight) -> Result<Option<Leg>, Refused> {
    let id = flight.id;
    let tailnum = flight
        .tailnum
        .as_ref()
        .ok_or(Refused::NoTailNumber { id })?;
    let Some(minutes) = flight.air_time else {
        return Ok(None);
    };
    // Also keeps infinite speeds out: JSON has no number for them.
    if minutes <= 0 {
        return Err(Refused::AirTime { id, minutes });
    }
    let (Some(left_late), Some(arrived_late)) = (flight.dep_delay, flight.arr_delay) else {
        return Err(Refused::NoDelay { id });
    };
    Ok(Some(Leg {
        id,
        tailnum: tailnum.clone(),
        origin: flight.origin.clone(),
        dest: flight.dest.clone(),
        speed_kmh: flight.distance * KILOMETRES_PER_MILE / (f64::from(minutes) / 60.0),
        recovered_min: i64::from(left_late) - i64::from(arrived_late),
    }))
}

/// Takes `2.0` for 2, as JSON Schema's `integer` does: tools that hold a column with gaps as
/// floating point write all its numbers that way.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(deserializer)? else {
        return Ok(None);
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the comparison refuses what the cast would change"
    )]
    let whole = number as i32;
    if f64::from(whole) == number {
        Ok(Some(whole))
    } else {
        Err(de::Error::custom(format_args!(
            "{number} is not a whole number of minutes"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flown() -> Flight {
        Flight {
            id: 7,
            carrier: "UA".to_owned(),
            flight: 1545,
            tailnum: Some("N14228".to_owned()),
            origin: "EWR".to_owned(),
            dest: "IAH".to_owned(),
            dep_delay: Some(2),
            arr_delay: Some(11),
            air_time: Some(227),
            distance: 1400.0,
            time_hour: "2013-01-01T10:00:00Z".to_owned(),
        }
    }

    #[test]
    fn a_flown_flight_makes_a_leg() {
        let leg = leg(&flown()).unwrap().unwrap();
        assert_eq!((leg.id, leg.recovered_min), (7, -9));
        assert_eq!(
            (&*leg.tailnum, &*leg.origin, &*leg.dest),
            ("N14228", "EWR", "IAH")
        );
        // 2253.0816 km in 227 minutes.
        assert!((leg.speed_kmh - 595.528_176).abs() < 1e-6);
    }

    #[test]
    fn no_tail_number_is_refused_whatever_the_air_time() {
        for air_time in [None, Some(227)] {
            let flight = Flight {
                tailnum: None,
                air_time,
                ..flown()
            };
            assert_eq!(leg(&flight), Err(Refused::NoTailNumber { id: 7 }));
            assert_eq!(flight.key(), "unknown");
        }
    }

    #[test]
    fn a_diverted_flight_makes_no_leg_and_no_error() {
        let flight = Flight {
            air_time: None,
            arr_delay: None,
            ..flown()
        };
        assert_eq!(leg(&flight), Ok(None));
    }

    #[test]
    fn a_flown_flight_without_a_delay_is_refused() {
        for (dep_delay, arr_delay) in [(None, Some(1)), (Some(1), None)] {
            let flight = Flight {
                dep_delay,
                arr_delay,
                ..flown()
            };
            assert_eq!(leg(&flight), Err(Refused::NoDelay { id: 7 }));
        }
    }

    #[test]
    fn no_minutes_in_the_air_is_refused() {
        for minutes in [0, -1] {
            let flight = Flight {
                air_time: Some(minutes),
                ..flown()
            };
            assert_eq!(leg(&flight), Err(Refused::AirTime { id: 7, minutes }));
        }
    }

    #[test]
    fn gaps_are_nulls_and_other_fields_may_follow() {
        let json = r#"{"id":7,"carrier":"UA","flight":1545,"tailnum":null,"origin":"EWR",
            "dest":"IAH","dep_delay":null,"arr_delay":null,"air_time":null,"distance":1400,
            "time_hour":"2013-01-01T10:00:00Z","gate":"C12"}"#;
        let flight = Flight {
            tailnum: None,
            dep_delay: None,
            arr_delay: None,
            air_time: None,
            ..flown()
        };
        assert_eq!(serde_json::from_str::<Flight>(json).unwrap(), flight);
        let written = serde_json::to_value(&flight).unwrap();
        assert!(written["tailnum"].is_null() && written["air_time"].is_null());
    }

    #[test]
    fn minutes_may_be_written_as_floating_point_but_not_broken() {
        let mut json = serde_json::to_value(flown()).unwrap();
        json["dep_delay"] = serde_json::json!(2.0);
        assert_eq!(
            serde_json::from_value::<Flight>(json.clone()).unwrap(),
            flown()
        );
        for wrong in [2.5, 4e9] {
            json["dep_delay"] = serde_json::json!(wrong);
            let error = serde_json::from_value::<Flight>(json.clone()).unwrap_err();
            assert!(error.to_string().contains("not a whole number"), "{error}");
        }
    }
}
