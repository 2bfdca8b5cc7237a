//! Extended expressions of POSIX, in the part that all of Kafka's clients read alike.

use super::characters::{Characters, END, OF_NAMES, START, class, of_name, one};
use super::expression::Expression;
use std::iter::Peekable;
use std::str::Chars;

/// The most repetitions that POSIX has.
const MOST: u32 = 255;
/// Parts of an expression; repetitions multiply them.
const LARGEST: usize = 40_000;

struct Parser<'a> {
    chars: Peekable<Chars<'a>>,
    depth: usize,
}

/// An expression that matches a part of a name.
pub(super) fn parse(pattern: &str) -> Result<Expression, String> {
    let mut parser = Parser {
        chars: pattern.chars().peekable(),
        depth: 0,
    };
    let all = parser.either()?;
    match parser.chars.next() {
        Some(_) => Err("a `)` without its `(`".to_owned()),
        None => Ok(all),
    }
}

/// The part of a sequence before the next character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing that can be repeated.
    Nothing,
    Atom,
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Expression, String> {
        let mut all = vec![self.sequence()?];
        while self.chars.next_if_eq(&'|').is_some() {
            all.push(self.sequence()?);
        }
        Ok(Expression::any_of(all))
    }

    fn sequence(&mut self) -> Result<Expression, String> {
        // The last part apart: it may be repeated.
        let (mut all, mut last) = (Expression::empty(), Expression::empty());
        let mut before = Before::Nothing;
        while let Some(&c) = self.chars.peek() {
            if matches!(c, '|' | ')') {
                break;
            }
            self.chars.next();
            if matches!(c, '*' | '+' | '?' | '{') {
                if before != Before::Atom {
                    return Err(format!(
                        "`{c}` stands where there is nothing to repeat in POSIX's extended expressions"
                    ));
                }
                last = self.repetition(c, last)?;
                before = Before::Nothing;
                continue;
            }
            all = all.then(std::mem::replace(&mut last, self.atom(c)?));
            before = match c {
                '^' | '$' => Before::Nothing,
                _ => Before::Atom,
            };
        }
        let all = all.then(last);
        no_larger(all.size())?;
        Ok(all)
    }

    fn atom(&mut self, c: char) -> Result<Expression, String> {
        Ok(match c {
            '^' => Expression::One(START),
            '$' => Expression::One(END),
            '.' => Expression::One(OF_NAMES),
            '[' => Expression::One(self.list()?),
            '(' => self.group()?,
            '\\' => {
                let escaped = self.chars.next().ok_or("a lone `\\` at its end")?;
                if escaped.is_ascii_alphanumeric() || "<>`'".contains(escaped) {
                    return Err(format!(
                        "`\\{escaped}` is not in POSIX's extended expressions, by which Kafka's client matches; write a list of characters, such as `[0-9]` or `[[:alnum:]]`"
                    ));
                }
                literal(escaped)
            }
            c => literal(c),
        })
    }

    fn group(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > 100 {
            return Err("its groups are nested too deep".to_owned());
        }
        let inside = self.either()?;
        self.depth -= 1;
        let closed = self.chars.next().is_some();
        closed
            .then_some(inside)
            .ok_or("a `(` without its `)`".to_owned())
    }

    fn repetition(&mut self, c: char, part: Expression) -> Result<Expression, String> {
        Ok(match c {
            '*' => part.repeated(),
            '+' => part.clone().then(part.repeated()),
            '?' => Expression::empty().or(part),
            _ => {
                let (least, most) = self.interval()?;
                no_larger(part.size().saturating_mul(least as usize))?;
                let mut all = Expression::empty();
                for _ in 0..least {
                    all = all.then(part.clone());
                }
                let Some(most) = most else {
                    return Ok(all.then(part.repeated()));
                };
                // (a(a(a)?)?)?
                let mut more = Expression::empty();
                for _ in least..most {
                    more = Expression::empty().or(part.clone().then(more));
                    no_larger(more.size())?;
                }
                all.then(more)
            }
        })
    }

    /// Behind `{`: the least and the most repetitions.
    fn interval(&mut self) -> Result<(u32, Option<u32>), String> {
        let text: String = self.chars.by_ref().take_while(|c| *c != '}').collect();
        let number = |text: &str| text.parse().ok().filter(|n| *n <= MOST);
        let read = match text.split_once(',') {
            Some((least, "")) => number(least).map(|least| (least, None)),
            Some((least, most)) => number(least).zip(number(most).map(Some)),
            None => number(&text).map(|times| (times, Some(times))),
        };
        let in_order = read.filter(|(least, most)| most.is_none_or(|most| *least <= most));
        in_order.ok_or_else(|| {
            format!("`{{{text}}}` is no number of repetitions; there are 0 to {MOST}, and a brace itself is `\\{{`")
        })
    }

    /// Behind `[`. `\` stands for itself.
    fn list(&mut self) -> Result<Characters, String> {
        let open = || "a `[` without its `]`".to_owned();
        let is_not = self.chars.next_if_eq(&'^').is_some();
        let mut set: Characters = 0;
        let mut is_first = true;
        loop {
            let c = self.chars.next().ok_or_else(open)?;
            if c == ']' && !is_first {
                break;
            }
            is_first = false;
            if c == '[' {
                match self.chars.peek() {
                    Some(':') => {
                        set |= self.class()?;
                        continue;
                    }
                    Some('.' | '=') => {
                        return Err("collating elements are not supported".to_owned());
                    }
                    _ => {}
                }
            }
            // A `-` at the end stands for itself.
            let mut ahead = self.chars.clone();
            let last = match (ahead.next(), ahead.next()) {
                (Some('-'), Some(last)) if last != ']' => {
                    self.chars = ahead;
                    last
                }
                _ => c,
            };
            if last == '[' && last != c {
                return Err("a range that ends with `[`".to_owned());
            }
            if last < c {
                return Err(format!("`{c}-{last}` is a range that is not in order"));
            }
            set |= (0..128_u8)
                .filter(|byte| (c..=last).contains(&char::from(*byte)))
                .fold(0, |all, byte| all | one(byte));
        }
        Ok(OF_NAMES & if is_not { !set } else { set })
    }

    /// Behind `[` in a list: `:alpha:]`.
    fn class(&mut self) -> Result<Characters, String> {
        let text: String = self.chars.by_ref().take_while(|c| *c != ']').collect();
        let name = text
            .strip_prefix(':')
            .and_then(|name| name.strip_suffix(':'));
        let known = name.and_then(class);
        known.ok_or_else(|| format!("`[{text}]` is no class of characters"))
    }
}

/// Said of an expression that is read well and cannot be worked with.
pub(super) const TOO_LARGE: &str = "it is too large; make it simpler";

fn no_larger(size: usize) -> Result<(), String> {
    (size <= LARGEST).then_some(()).ok_or(TOO_LARGE.to_owned())
}

/// No name has other characters.
fn literal(c: char) -> Expression {
    let byte = u8::try_from(c).ok();
    Expression::One(byte.and_then(of_name).unwrap_or(0))
}
