#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces, run_in_background};
use fastkafka::*;

use std::time::Duration;

#[run_in_background(backoff = Duration::from_secs(1))]
async fn refresh() {}

#[run_in_background(restart = "never", backoff_max = Duration::from_secs(1))]
async fn renew() {}

fn main() {}
