//! The page of any document of this crate's making: `cargo run --example page -- FILE > page.html`.

use fastkafka_asyncapi::Document;
use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: page FILE")?;
    let document = Document::parse(&std::fs::read_to_string(path)?)?;
    std::io::stdout().write_all(document.to_html().as_bytes())?;
    Ok(())
}
