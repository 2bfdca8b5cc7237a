//! MessagePack, byte by byte.

use fastkafka::{Msgpack, Reads, Writes};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    note: Option<String>,
}

fn order() -> Order {
    Order { id: 7, note: None }
}

#[test]
fn a_struct_is_a_map_by_names() {
    let bytes = Msgpack::write(&order()).unwrap();
    assert_eq!(&bytes[..], b"\x82\xa2id\x07\xa4note\xc0");
    assert_eq!(Msgpack::read(&bytes), Ok(order()));
}

#[test]
fn fields_come_in_any_order_and_others_are_passed_over() {
    let bytes = b"\x83\xa5extra\x93\x01\x02\x03\xa4note\xa1x\xa2id\xcd\x01\x00";
    let read: Order = Msgpack::read(bytes).unwrap();
    assert_eq!((read.id, read.note.as_deref()), (256, Some("x")));
}

#[test]
fn a_struct_written_as_an_array_is_read_too() {
    assert_eq!(Msgpack::read(b"\x92\x07\xc0"), Ok(order()));
}

#[test]
fn a_value_ends_with_the_payload() {
    let bytes = Msgpack::write(&order()).unwrap();
    for more in [&b"\xc0"[..], b"\x07", b"\xd9", b"\x91"] {
        let read: Result<Order, _> = Msgpack::read(&[&bytes, more].concat());
        assert_eq!(read, Err("more bytes follow the value".to_owned()));
    }
    let short: Result<Order, _> = Msgpack::read(&bytes[..bytes.len() - 1]);
    assert!(short.is_err());
    let none: Result<Order, _> = Msgpack::read(b"");
    assert!(none.is_err());
}

#[test]
fn the_largest_unsigned_number_fits() {
    let bytes = Msgpack::write(&u64::MAX).unwrap();
    assert_eq!(bytes[0], 0xcf);
    assert_eq!(Msgpack::read(&bytes), Ok(u64::MAX));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Tree {
    children: Vec<Tree>,
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| b"\x81\xa8children\x91".repeat(depth);
    let tree: Tree = Msgpack::read(&[&nested(60)[..], b"\x81\xa8children\x90"].concat()).unwrap();
    assert_eq!(tree.children.len(), 1);
    let deep: Result<Tree, _> = Msgpack::read(&nested(100_000));
    assert_eq!(deep, Err("depth limit exceeded".to_owned()));
}
