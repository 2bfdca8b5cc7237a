#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces, run_in_background};
use fastkafka::*;

#[run_in_background]
async fn refresh() {
    let shared = std::rc::Rc::new(5);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {}
