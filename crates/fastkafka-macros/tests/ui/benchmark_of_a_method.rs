#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{benchmark, consumes, produces, run_in_background};
use fastkafka::*;

struct Cache;

impl Cache {
    #[benchmark]
    async fn refresh(&self) {}
}

fn main() {}
