//! The search on models whose answers are known.

mod mutants;

use super::exhaustive::{breadth_first, depth_first};
use super::model::{Model, Seen, Violation, fingerprint};
use super::{Limits, parallel, report, shrink, trace, walk};

/// Counters that each go up to a bound, one at a time.
#[derive(Clone, Debug)]
struct Counters {
    bounds: Vec<u8>,
    /// Equal counters are one.
    symmetry: bool,
    /// Counters may start again.
    restart: bool,
    /// Violated where counter `.0` is at least `.1` and counter `.2` is `.3`.
    forbidden: Option<(usize, u8, usize, u8)>,
    /// Violated at an end.
    bad_end: bool,
    /// Panics where the sum is this.
    panics: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Step {
    Up(usize),
    Restart,
}

impl Counters {
    fn new(bounds: &[u8]) -> Self {
        Self {
            bounds: bounds.to_vec(),
            symmetry: false,
            restart: false,
            forbidden: None,
            bad_end: false,
            panics: None,
        }
    }
}

impl Model for Counters {
    type State = Vec<u8>;
    type Action = Step;

    fn name(&self) -> &str {
        "counters"
    }

    fn start(&self) -> Vec<u8> {
        vec![0; self.bounds.len()]
    }

    fn actions(&self, state: &Vec<u8>, out: &mut Vec<Step>) {
        let open = |&i: &usize| state[i] < self.bounds[i];
        out.extend((0..state.len()).filter(open).map(Step::Up));
        if self.restart && state.iter().all(|&n| n > 0) {
            out.push(Step::Restart);
        }
    }

    fn apply(
        &self,
        state: &mut Vec<u8>,
        action: Step,
        seen: &mut Seen<'_>,
    ) -> Result<(), Violation> {
        match action {
            Step::Up(i) => {
                state[i] += 1;
                seen.reach(usize::from(state[i] > 1));
                seen.effect(|| format!("counter {i} is {}", state[i]));
            }
            Step::Restart => state.fill(0),
        }
        assert!(
            self.panics != Some(state.iter().sum()),
            "the sum is reached"
        );
        match self.forbidden {
            Some((a, at_least, b, exactly)) if state[a] >= at_least && state[b] == exactly => {
                Err(Violation::new("S1", "forbidden"))
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&self, _: &Vec<u8>, actions: &[Step]) -> Result<(), Violation> {
        if self.bad_end && actions.is_empty() {
            return Err(Violation::new("L1", "nothing is possible"));
        }
        Ok(())
    }

    fn fingerprint(&self, state: &Vec<u8>) -> u64 {
        let mut state = state.clone();
        if self.symmetry {
            state.sort_unstable();
        }
        fingerprint(&state)
    }

    fn sometimes() -> Vec<String> {
        vec!["first".into(), "second".into(), "never".into()]
    }

    fn say(&self, state: &Vec<u8>, action: Step) -> String {
        match action {
            Step::Up(i) => format!("up {i} from {}", state[i]),
            Step::Restart => "restart".into(),
        }
    }

    fn titles() -> &'static [&'static str] {
        &["counters"]
    }

    fn columns(&self, state: &Vec<u8>) -> Vec<String> {
        vec![format!("{state:?}")]
    }
}

fn limits() -> Limits {
    Limits::default()
}

#[test]
fn every_state_and_every_transition_is_visited_once() {
    let model = Counters::new(&[2, 3, 4]);
    for found in [
        depth_first(&model, &limits()),
        breadth_first(&model, &limits()),
    ] {
        assert_eq!(found.states, 3 * 4 * 5);
        // Per counter: its steps times the values of the others.
        assert_eq!(found.transitions, 2 * 4 * 5 + 3 * 3 * 5 + 4 * 3 * 4);
        assert_eq!(found.depth, 9);
        assert!(found.complete);
        assert_eq!(found.failure, None);
    }
}

#[test]
fn more_states_than_the_first_table_of_fingerprints_has_places_are_counted() {
    let model = Counters::new(&[30, 30, 30]);
    assert_eq!(depth_first(&model, &limits()).states, 31 * 31 * 31);
}

#[test]
fn symmetry_halves_the_states() {
    let mut model = Counters::new(&[9, 9]);
    assert_eq!(depth_first(&model, &limits()).states, 100);
    model.symmetry = true;
    assert_eq!(depth_first(&model, &limits()).states, 55);
}

#[test]
fn a_state_met_again_on_its_way_is_a_cycle() {
    let mut model = Counters::new(&[1, 1]);
    model.restart = true;
    let found = depth_first(&model, &limits());
    let (violation, trace) = found.failure.expect("there is a cycle");
    assert_eq!(violation.invariant, "cycle");
    assert_eq!(trace, [Step::Up(0), Step::Up(1), Step::Restart]);
    assert!(!found.complete);
}

#[test]
fn a_state_met_on_two_ways_is_no_cycle() {
    assert_eq!(
        depth_first(&Counters::new(&[1, 1]), &limits()).failure,
        None
    );
}

#[test]
fn breadth_first_finds_a_shortest_trace() {
    let mut model = Counters::new(&[6, 6, 6]);
    model.forbidden = Some((1, 3, 2, 2));
    let (violation, trace) = breadth_first(&model, &limits()).failure.expect("found");
    assert_eq!(violation.invariant, "S1");
    assert_eq!(trace.len(), 5);
    let (_, longer) = depth_first(&model, &limits()).failure.expect("found");
    assert!(longer.len() > 5);
}

#[test]
fn each_end_is_looked_at() {
    let mut model = Counters::new(&[2, 2]);
    model.bad_end = true;
    for found in [
        depth_first(&model, &limits()),
        breadth_first(&model, &limits()),
    ] {
        let (violation, trace) = found.failure.expect("the end is bad");
        assert_eq!(violation.invariant, "L1");
        assert_eq!(trace.len(), 4);
    }
}

#[test]
fn a_start_that_is_an_end_is_looked_at() {
    let mut model = Counters::new(&[]);
    model.bad_end = true;
    for found in [
        depth_first(&model, &limits()),
        breadth_first(&model, &limits()),
    ] {
        assert_eq!(found.failure.expect("the end is bad").1, []);
    }
}

#[test]
fn a_panic_is_a_violation_with_a_trace() {
    let mut model = Counters::new(&[3, 3]);
    model.panics = Some(4);
    let (violation, trace) = depth_first(&model, &limits()).failure.expect("it panics");
    assert_eq!(violation, Violation::new("panic", "the sum is reached"));
    assert_eq!(trace.len(), 4);
}

#[test]
fn a_search_that_is_cut_is_not_complete() {
    let model = Counters::new(&[30, 30, 30]);
    let few = Limits {
        states: 100,
        ..limits()
    };
    for found in [depth_first(&model, &few), breadth_first(&model, &few)] {
        assert!(!found.complete);
        assert_eq!(found.failure, None);
    }
    let searched = report::search("list", &[&model], 1, &few, |_| ());
    assert!(!searched.passed());
    assert!(searched.to_string().contains("not shown"));
}

#[test]
fn a_walk_is_its_seed_and_is_shrunk_to_what_it_needs() {
    let mut model = Counters::new(&[9, 9, 9]);
    model.forbidden = Some((0, 4, 1, 2));
    let walked = walk(&model, 1, 1000, &limits());
    let (violation, trace) = walked.failure.clone().expect("found");
    assert_eq!(walk(&model, 1, 1000, &limits()).failure, walked.failure);
    let alone = walk(&model, walked.walks, 1, &limits());
    assert_eq!(alone.failure, walked.failure);
    let mut short = shrink(&model, &violation, &trace);
    short.sort_by_key(|step| matches!(step, Step::Up(1)));
    let expected = [vec![Step::Up(0); 4], vec![Step::Up(1); 2]].concat();
    assert_eq!(short, expected);
}

#[test]
fn a_walk_that_does_not_end_fails() {
    let walked = walk(&Endless, 0, 1, &limits());
    assert_eq!(walked.failure.expect("endless").0.invariant, "cycle");
}

#[test]
fn what_was_never_reached_is_named() {
    let coverage = depth_first(&Counters::new(&[1]), &limits()).coverage;
    assert_eq!(
        coverage.missing(&Counters::sometimes()),
        ["second", "never"]
    );
    let more = depth_first(&Counters::new(&[2]), &limits()).coverage;
    for (mut both, other) in [(coverage, more), (more, coverage)] {
        both.merge(&other);
        assert_eq!(both.missing(&Counters::sometimes()), ["never"]);
    }
}

#[test]
fn a_counterexample_is_a_table_that_can_be_replayed() {
    let mut model = Counters::new(&[2, 2]);
    model.forbidden = Some((0, 1, 1, 1));
    let (violation, found) = breadth_first(&model, &limits()).failure.expect("found");
    let table = trace::table(&model, &found);
    let expected = "\
scope: counters
| # | what happens | what the engine answers | counters |
|---|--------------|-------------------------|----------|
| 1 | up 0 from 0  | counter 0 is 1          | [1, 0]   |
| 2 | up 1 from 0  | counter 1 is 1          | [1, 1]   |
    S1: forbidden
";
    assert_eq!(table, expected);
    assert_eq!(trace::scope_of(&table), Some("counters"));
    assert_eq!(trace::parse(&model, &table), Ok(found.clone()));
    assert_eq!(trace::violation(&model, &found), Some(violation));
}

#[test]
fn a_table_of_another_model_is_refused_by_its_line() {
    let model = Counters::new(&[1]);
    let refused = trace::parse(&model, "| 1 | up 0 from 0 |\n| 2 | up 0 from 1 |");
    let message = refused.expect_err("the counter ends at 1").to_string();
    assert_eq!(
        message,
        "line 2: `up 0 from 1` is not possible there; possible are: "
    );
}

#[test]
fn results_keep_the_order_of_the_list() {
    let items: Vec<u64> = (0..50).collect();
    let results = parallel::each(&items, 4, |&n| n % 7, |&n| n * 2);
    assert_eq!(results, items.iter().map(|n| n * 2).collect::<Vec<_>>());
}

/// Goes round in two states.
struct Endless;

impl Model for Endless {
    type State = bool;
    type Action = ();

    fn name(&self) -> &str {
        "endless"
    }

    fn start(&self) -> bool {
        false
    }

    fn actions(&self, _: &bool, out: &mut Vec<()>) {
        out.push(());
    }

    fn apply(&self, state: &mut bool, (): (), _: &mut Seen<'_>) -> Result<(), Violation> {
        *state = !*state;
        Ok(())
    }

    fn at_rest(&self, _: &bool, _: &[()]) -> Result<(), Violation> {
        Ok(())
    }

    fn fingerprint(&self, state: &bool) -> u64 {
        fingerprint(state)
    }

    fn sometimes() -> Vec<String> {
        Vec::new()
    }

    fn say(&self, _: &bool, (): ()) -> String {
        "turn".into()
    }

    fn titles() -> &'static [&'static str] {
        &[]
    }

    fn columns(&self, _: &bool) -> Vec<String> {
        Vec::new()
    }
}
