//! Random walks: worlds that are too large to be searched.

use super::model::{Model, Seen, Violation};
use super::{Coverage, Limits, take};
use std::time::Instant;

/// The result of a number of walks.
#[derive(Clone, Debug)]
pub struct Walked<A> {
    /// Walks begun.
    pub walks: u64,
    /// Choices taken in all.
    pub steps: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The violation, and the choices that lead there, not shrunk.
    pub failure: Option<(Violation, Vec<A>)>,
    /// The things that were reached on the way.
    pub coverage: Coverage,
}

/// A walk longer than this runs for ever: everything uses something up.
const LONGEST: usize = 100_000;
/// One step in so many is a fault, where there is a choice.
const FAULTS: usize = 8;

/// Walks to an end `count` times, or until one fails or the time is over. Walk `n` depends on the
/// model and `seed + n` alone.
pub fn walk<M: Model>(model: &M, seed: u64, count: u64, limits: &Limits) -> Walked<M::Action> {
    let since = Instant::now();
    let mut walked = Walked {
        walks: 0,
        steps: 0,
        seconds: 0.0,
        failure: None,
        coverage: Coverage::default(),
    };
    let mut path = Vec::new();
    while walked.walks < count && since.elapsed() < limits.time && walked.failure.is_none() {
        let random = Random(seed.wrapping_add(walked.walks));
        path.clear();
        let end = one(model, random, &mut path, &mut walked.coverage);
        walked.walks += 1;
        walked.steps += path.len() as u64;
        walked.failure = end.err().map(|violation| (violation, path.clone()));
    }
    walked.seconds = since.elapsed().as_secs_f64();
    walked
}

fn one<M: Model>(
    model: &M,
    mut random: Random,
    path: &mut Vec<M::Action>,
    reached: &mut Coverage,
) -> Result<(), Violation> {
    let mut state = model.start();
    let (mut actions, mut usual, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        actions.clear();
        model.actions(&state, &mut actions);
        model.at_rest(&state, &actions)?;
        if path.len() == LONGEST {
            return Err(Violation::new("cycle", "a walk does not end"));
        }
        faults.clear();
        usual.clear();
        for &action in &actions {
            let kind = if model.is_fault(action) {
                &mut faults
            } else {
                &mut usual
            };
            kind.push(action);
        }
        let fault = usual.is_empty() || (!faults.is_empty() && random.below(FAULTS) == 0);
        let choices = if fault { &faults } else { &usual };
        if choices.is_empty() {
            return Ok(());
        }
        let action = choices[random.below(choices.len())];
        path.push(action);
        let mut seen = Seen {
            reached: &mut *reached,
            effects: None,
        };
        take(model, &mut state, action, &mut seen)?;
    }
}

/// `SplitMix64`: a walk is its seed, on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        #[expect(clippy::cast_possible_truncation, reason = "below `bound`")]
        let chosen = (z % bound as u64) as usize;
        chosen
    }
}
