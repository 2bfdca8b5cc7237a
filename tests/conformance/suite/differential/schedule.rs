//! Random schedules. Numbers are taken modulo what there is, so that any steps may be left out.

use fastrand::Rng;

/// How many members a group has at most. There are always as many partitions: otherwise nobody could
/// tell by its assignments whether a group has taken a new member in.
pub(crate) const MEMBERS: usize = 3;
/// How many partitions a topic starts with, and how many it grows to.
pub(crate) const PARTITIONS: (usize, usize) = (4, 6);

/// Something that is done to a group, or by one of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Join,
    /// Somebody joins while a member takes its time to give back: it may store where it is and
    /// commit one partition before it answers.
    JoinWhileBusy {
        member: usize,
        store: bool,
        commit: bool,
    },
    Leave(usize),
    Kill(usize),
    /// A member is frozen until the others have taken over. When it goes on it tries to commit.
    Expel(usize),
    Grow,
    Append {
        partition: usize,
        records: usize,
    },
    /// Records of a transaction that is aborted.
    Abort {
        partition: usize,
        records: usize,
    },
    /// The owner of a partition takes so many records, or what there is.
    Fetch {
        partition: usize,
        records: usize,
    },
    /// The owner stores where it is.
    Store(usize),
    /// The owner commits what it has stored.
    Commit(usize),
    /// The owner commits another offset.
    CommitAt {
        partition: usize,
        offset: usize,
    },
    Pause {
        partition: usize,
        pause: bool,
    },
    Seek {
        partition: usize,
        offset: usize,
    },
}

/// So many steps, after a first member and some records.
pub(crate) fn random(seed: u64, steps: usize) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let mut schedule = vec![Step::Join];
    for partition in 0..PARTITIONS.0 {
        let records = rng.usize(5..20);
        schedule.push(Step::Append { partition, records });
    }
    schedule.extend((0..steps).map(|_| step(&mut rng)));
    schedule
}

/// A session of a member has to end in some: these are rare.
fn step(rng: &mut Rng) -> Step {
    let partition = rng.usize(..60);
    let member = rng.usize(..60);
    match rng.u32(..100) {
        0..8 => Step::Join,
        8..18 => Step::JoinWhileBusy {
            member,
            store: rng.bool(),
            commit: rng.bool(),
        },
        18..26 => Step::Leave(member),
        26..28 => Step::Kill(member),
        28..31 => Step::Expel(member),
        31..33 => Step::Grow,
        33..43 => Step::Append {
            partition,
            records: rng.usize(1..6),
        },
        43..46 => Step::Abort {
            partition,
            records: rng.usize(1..4),
        },
        46..66 => Step::Fetch {
            partition,
            records: rng.usize(1..10),
        },
        66..78 => Step::Store(partition),
        78..86 => Step::Commit(partition),
        86..90 => Step::CommitAt {
            partition,
            offset: rng.usize(..1_000),
        },
        90..95 => Step::Pause {
            partition,
            pause: rng.bool(),
        },
        _ => Step::Seek {
            partition,
            offset: rng.usize(..1_000),
        },
    }
}
