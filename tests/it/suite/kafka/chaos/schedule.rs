//! What goes wrong and when, out of a seed.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use kafka_lab::Toxic;

use super::outages::Outage;

/// How many apps run all the time.
pub(super) const APPS: usize = 3;
/// The apps' session, as the example sets it.
const SESSION: Duration = Duration::from_secs(6);
/// Within it the faults of a round begin.
const SPREAD: Duration = Duration::from_secs(4);
/// What a round takes, all in all: only to tell how many fit into a time.
const ROUND: Duration = Duration::from_secs(15);
/// So many rounds are there with one more, at the end, whose only fault lasts longer than health may be silent.
const LONG_ONE_IN: usize = 4;
/// So many of these are there with one in which nobody but members come and go.
const GRACEFUL_ONE_IN: usize = 4;

/// For health: what lasts so long has to be named.
const LONG: [fn(&mut Rng, Duration) -> Fault; 6] = [
    |rng, lasts| Fault::Way {
        app: rng.usize(..APPS),
        toxic: Toxic::Silence { percent: 100 },
        lasts,
    },
    |rng, lasts| Fault::Way {
        app: rng.usize(..APPS),
        toxic: Toxic::Silence { percent: 50 },
        lasts,
    },
    |rng, lasts| Fault::Way {
        app: rng.usize(..APPS),
        toxic: Toxic::Cut,
        lasts,
    },
    |rng, lasts| Fault::Stop {
        app: rng.usize(..APPS),
        lasts,
    },
    |rng, down| Fault::Restart {
        down,
        killed: rng.bool(),
    },
    |_, lasts| Fault::Pause { lasts },
];

/// Rounds of faults. After each everything is repaired, and the apps have to catch up.
pub(super) struct Schedule {
    pub(super) seed: u64,
    pub(super) rounds: Vec<Vec<Planned>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    /// Since the round's begin.
    pub(super) at: Duration,
    pub(super) fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// SIGKILL, and a new process later.
    Kill { app: usize, down: Duration },
    /// SIGTERM, and a new process later.
    Terminate { app: usize, down: Duration },
    /// SIGSTOP and SIGCONT: beyond the session a zombie.
    Stop { app: usize, lasts: Duration },
    /// One more member, which leaves by SIGTERM or SIGKILL.
    Guest { lasts: Duration, killed: bool },
    /// The broker ends by SIGTERM or SIGKILL, and comes back.
    Restart { down: Duration, killed: bool },
    /// SIGSTOP and SIGCONT for the broker.
    Pause { lasts: Duration },
    /// The way between one app and the broker.
    Way {
        app: usize,
        toxic: Toxic,
        lasts: Duration,
    },
    /// What others than an app meet, for longer than health may be silent.
    Outage { outage: Outage, lasts: Duration },
    /// Another process takes the place of a static member.
    Fence { app: usize },
}

/// Who meets a fault; one meets them one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Actor {
    App(usize),
    Guest,
    Broker,
    Way(usize),
}

impl Fault {
    pub(super) fn actor(self) -> Actor {
        match self {
            Self::Kill { app, .. }
            | Self::Terminate { app, .. }
            | Self::Stop { app, .. }
            | Self::Fence { app } => Actor::App(app),
            Self::Guest { .. } => Actor::Guest,
            Self::Restart { .. } | Self::Pause { .. } | Self::Outage { .. } => Actor::Broker,
            Self::Way { app, .. } => Actor::Way(app),
        }
    }

    /// Repeats nothing by itself.
    pub(super) fn is_graceful(self) -> bool {
        matches!(
            self,
            Self::Terminate { .. } | Self::Guest { killed: false, .. }
        )
    }

    /// What was sent before may arrive after what somebody else sent meanwhile.
    pub(super) fn delays(self) -> bool {
        matches!(
            self,
            Self::Stop { .. }
                | Self::Restart { .. }
                | Self::Pause { .. }
                | Self::Way { .. }
                | Self::Outage { .. }
        )
    }
}

/// The kinds, each as often as it is dealt before the next deal.
const DECK: [fn(&mut Rng) -> Fault; 16] = [
    |rng| Fault::Kill {
        app: rng.usize(..APPS),
        down: tenths(rng, 0..20),
    },
    |rng| Fault::Kill {
        app: rng.usize(..APPS),
        down: tenths(rng, 20..90),
    },
    terminate,
    |rng| Fault::Stop {
        app: rng.usize(..APPS),
        lasts: tenths(rng, 5..40),
    },
    |rng| Fault::Stop {
        app: rng.usize(..APPS),
        lasts: SESSION + tenths(rng, 10..40),
    },
    guest,
    |rng| Fault::Guest {
        lasts: tenths(rng, 20..50),
        killed: true,
    },
    |rng| Fault::Restart {
        down: tenths(rng, 0..30),
        killed: true,
    },
    |rng| Fault::Restart {
        down: tenths(rng, 0..30),
        killed: false,
    },
    |rng| Fault::Pause {
        lasts: tenths(rng, 5..80),
    },
    |rng| {
        let delay = Duration::from_millis(rng.u64(20..150));
        let toxic = Toxic::Latency {
            delay,
            jitter: delay / 2,
        };
        way(rng, toxic)
    },
    |rng| {
        let rate = rng.u32(20..100);
        way(rng, Toxic::Bandwidth { rate })
    },
    |rng| way(rng, Toxic::Silence { percent: 100 }),
    // Outputs that wait while commits go through, answers that are lost, and the other way round.
    |rng| way(rng, Toxic::Silence { percent: 50 }),
    |rng| way(rng, Toxic::Reset),
    |rng| way(rng, Toxic::Cut),
];

fn terminate(rng: &mut Rng) -> Fault {
    Fault::Terminate {
        app: rng.usize(..APPS),
        down: tenths(rng, 0..30),
    }
}

fn guest(rng: &mut Rng) -> Fault {
    Fault::Guest {
        lasts: tenths(rng, 20..50),
        killed: false,
    }
}

fn way(rng: &mut Rng, toxic: Toxic) -> Fault {
    Fault::Way {
        app: rng.usize(..APPS),
        toxic,
        lasts: tenths(rng, 5..90),
    }
}

fn tenths(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(100 * rng.u64(range))
}

impl Schedule {
    /// As many rounds as fit into `time`, two at least, and the long ones.
    pub(super) fn draw(seed: u64, time: Duration) -> Self {
        let mut rng = Rng::with_seed(seed);
        let count = usize::try_from(time.as_secs() / ROUND.as_secs()).unwrap_or(usize::MAX);
        let mut deck = Vec::new();
        let mut graceful = 0;
        let rounds = (0..count.max(2)).map(|round| {
            if round % GRACEFUL_ONE_IN == 0 {
                graceful = round + rng.usize(..GRACEFUL_ONE_IN.min(count.max(2)));
            }
            let mut planned: Vec<_> = (0..rng.usize(3..6))
                .map(|_| {
                    let fault = if round == graceful {
                        rng.choice([terminate, guest]).expect("two")(&mut rng)
                    } else {
                        if deck.is_empty() {
                            deck.extend(DECK);
                            rng.shuffle(&mut deck);
                        }
                        deck.pop().expect("dealt")(&mut rng)
                    };
                    let spread = u64::try_from(SPREAD.as_millis() / 100).expect("seconds");
                    Planned {
                        at: tenths(&mut rng, 0..spread),
                        fault,
                    }
                })
                .collect();
            planned.sort_by_key(|planned| planned.at);
            planned
        });
        let mut rounds: Vec<_> = rounds.collect();
        for _ in 0..count / LONG_ONE_IN {
            let lasts = Duration::from_secs(rng.u64(45..55));
            let fault = rng.choice(LONG).expect("six")(&mut rng, lasts);
            let at = Duration::ZERO;
            rounds.push(vec![Planned { at, fault }]);
        }
        Self { seed, rounds }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "round | after | what goes wrong")?;
        for (round, planned) in (1..).zip(&self.rounds) {
            for Planned { at, fault } in planned {
                writeln!(f, "{round:5} | {:3.1} s | {fault}", at.as_secs_f32())?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signal = |killed| if killed { "SIGKILL" } else { "SIGTERM" };
        match self {
            Self::Kill { app, down } => write!(f, "app {app}: SIGKILL, back after {down:?}"),
            Self::Terminate { app, down } => write!(f, "app {app}: SIGTERM, back after {down:?}"),
            Self::Stop { app, lasts } => write!(f, "app {app}: SIGSTOP for {lasts:?}"),
            Self::Guest { lasts, killed } => {
                write!(f, "a guest joins, {} after {lasts:?}", signal(*killed))
            }
            Self::Restart { down, killed } => {
                write!(f, "broker: {}, back after {down:?}", signal(*killed))
            }
            Self::Pause { lasts } => write!(f, "broker: SIGSTOP for {lasts:?}"),
            Self::Way { app, toxic, lasts } => {
                write!(f, "way of app {app}: {toxic:?} for {lasts:?}")
            }
            Self::Outage { outage, lasts } => write!(f, "{outage:?} for {lasts:?}"),
            Self::Fence { app } => write!(f, "app {app}: another process takes its place"),
        }
    }
}

#[test]
fn a_seed_says_all_and_every_kind_is_dealt() {
    let minutes = |seed| Schedule::draw(seed, Duration::from_secs(180));
    assert_eq!(minutes(7).to_string(), minutes(7).to_string());
    assert_ne!(minutes(7).to_string(), minutes(8).to_string());
    let rounds = minutes(7).rounds;
    let kinds = |graceful| {
        let faults = rounds.iter().flatten().map(|planned| planned.fault);
        let kinds = faults.filter(|fault| fault.is_graceful() == graceful);
        let kinds = kinds.map(|fault| (std::mem::discriminant(&fault.actor()), fault.delays()));
        kinds.collect::<std::collections::HashSet<_>>().len()
    };
    // Of apps killed or stopped, guests, the broker and the ways; of apps and guests that leave.
    assert_eq!((kinds(false), kinds(true)), (5, 2));
    let graceful = |round: &&Vec<Planned>| round.iter().all(|planned| planned.fault.is_graceful());
    assert_eq!(rounds.iter().filter(graceful).count(), 3);
}
