//! Sets of the characters that names are made of.

/// A set of ASCII characters: a bit each.
pub(super) type Characters = u128;

/// Before the first character of a name, and behind its last: what `^` and `$` stand for. No name has them.
pub(super) const START: Characters = 1 << 1;
pub(super) const END: Characters = 1 << 2;

/// All that a name may have.
pub(super) const OF_NAMES: Characters = {
    let mut all = one(b'.') | one(b'_') | one(b'-');
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            all |= one(byte);
        }
        byte += 1;
    }
    all
};

pub(super) const fn one(byte: u8) -> Characters {
    1 << byte
}

/// The set of this one character of a name; none if names do not have it.
pub(super) fn of_name(byte: u8) -> Option<Characters> {
    Some(byte)
        .filter(u8::is_ascii)
        .map(one)
        .filter(|c| c & OF_NAMES != 0)
}

/// The characters in order.
pub(super) fn each(set: Characters) -> impl Iterator<Item = u8> {
    (0..128).filter(move |byte| set & one(*byte) != 0)
}

/// Those of a class of POSIX.
pub(super) fn class(name: &str) -> Option<Characters> {
    let is: fn(&u8) -> bool = match name {
        "alpha" => u8::is_ascii_alphabetic,
        "digit" => u8::is_ascii_digit,
        "alnum" => u8::is_ascii_alphanumeric,
        "upper" => u8::is_ascii_uppercase,
        "lower" => u8::is_ascii_lowercase,
        "xdigit" => u8::is_ascii_hexdigit,
        "punct" => u8::is_ascii_punctuation,
        "graph" | "print" => u8::is_ascii_graphic,
        "space" | "blank" | "cntrl" => |_| false,
        _ => return None,
    };
    let all = (0..128).filter(is).fold(0, |all, byte| all | one(byte));
    Some(all & OF_NAMES)
}
