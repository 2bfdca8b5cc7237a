//! A member without partitions, of a group whose broker assigns: librdkafka tells an assign only when
//! there is something in it.

use std::time::Duration;

/// Between two looks whether the group is joined.
const LOOK: Duration = Duration::from_secs(1);
/// A member that was given nothing for so long has no partition to wait for: a join takes two heartbeats, of
/// 5 s each unless the broker says otherwise.
const PATIENCE: Duration = Duration::from_secs(12);

/// Whether a member waits for its first assign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Idle {
    /// The next look whether the group is joined.
    LookAt(Duration),
    JoinedAt(Duration),
    /// It was given partitions, or it was told that there are none, or that is told otherwise.
    Over,
}

impl Idle {
    pub(crate) fn new(broker_assigns: bool) -> Self {
        if broker_assigns {
            Self::LookAt(LOOK)
        } else {
            Self::Over
        }
    }

    pub(crate) fn end(&mut self) {
        *self = Self::Over;
    }

    /// True when it is to be told that the member has no partitions: once.
    pub(crate) fn has_lasted(&mut self, now: Duration, joined: impl FnOnce() -> bool) -> bool {
        match *self {
            Self::LookAt(at) if at <= now => {
                *self = if joined() {
                    Self::JoinedAt(now)
                } else {
                    Self::LookAt(now + LOOK)
                };
                false
            }
            Self::JoinedAt(at) if at + PATIENCE <= now => {
                self.end();
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_given_nothing_is_told_so_once() {
        let mut idle = Idle::new(true);
        assert!(!idle.has_lasted(LOOK, || false));
        assert!(!idle.has_lasted(LOOK * 2, || true));
        assert!(!idle.has_lasted(PATIENCE, || true));
        assert!(idle.has_lasted(LOOK * 2 + PATIENCE, || true));
        assert!(!idle.has_lasted(PATIENCE * 9, || true));
        let mut given = Idle::new(true);
        given.end();
        assert!(!given.has_lasted(PATIENCE * 9, || true));
    }
}
