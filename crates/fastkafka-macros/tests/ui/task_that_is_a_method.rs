#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces, run_in_background};
use fastkafka::*;

struct Cache;

impl Cache {
    #[run_in_background]
    async fn refresh(&self) {}
}

fn main() {}
