//! Python's libraries beside ours: each reads what the other wrote.

use apache_avro::AvroSchema;
use codecs::{Everything, samples};
use fastkafka::{Avro, Msgpack, Reads, Writes};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const PACKAGES: &[&str] = &["fastavro==1.12.1", "msgpack==1.1.2"];

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let byte = |i| u8::from_str_radix(&text[i..i + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Python checks what it reads against values of its own; what it writes of them is checked here.
fn cross<C: Reads<Everything> + Writes<Everything>>(codec: &str, schema: &Value) {
    let samples = samples();
    let ours: Vec<_> = samples
        .iter()
        .map(|sample| to_hex(&C::write(sample).unwrap()))
        .collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/cross.py");
    let mut python = Command::new(kafka_lab::python(PACKAGES).unwrap())
        .args([script, codec])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let request = json!({ "samples": ours, "schema": schema }).to_string();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(request.as_bytes()).unwrap();
    drop(stdin);
    let answer = python.wait_with_output().unwrap();
    assert!(answer.status.success(), "{codec}: {}", answer.status);
    let theirs: Vec<String> = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(theirs.len(), samples.len());
    for (sample, theirs) in samples.iter().zip(theirs) {
        let read = C::read(&from_hex(&theirs)).unwrap();
        assert_eq!(&read, sample);
        assert_eq!(
            read.double.is_sign_negative(),
            sample.double.is_sign_negative()
        );
    }
}

#[test]
fn python_and_rust_read_each_others_messagepack() {
    cross::<Msgpack>("msgpack", &Value::Null);
}

#[test]
fn python_and_rust_read_each_others_avro() {
    let schema = serde_json::to_value(Everything::get_schema()).unwrap();
    cross::<Avro>("avro", &schema);
}
