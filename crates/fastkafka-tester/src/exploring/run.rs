//! One run: a fresh tokio runtime, a fresh tester, and the faults of a schedule beside the scenario.

use crate::apps;
use crate::chaos::Invariants;
use crate::schedule::choice::{Choice, Deviation, Schedule};
use crate::schedule::steps::Steps;
use crate::schedule::turns::{Due, Step};
use crate::tester::Tester;
use crate::tester::builder::TesterBuilder;
use crate::watching::transcript::{Event, Transcript};
use fastkafka::App;
use fastkafka_core::panic_text;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// How long brokers are away.
const OUTAGE: Duration = Duration::from_secs(5);

/// More turns than there are tasks after a stop.
const TURNS: usize = 32;

/// What all runs of an exploration have in common.
pub(super) struct Runs<'r> {
    pub(super) make: Rc<dyn Fn(u64) -> Vec<App>>,
    pub(super) allowed: BTreeSet<Deviation>,
    pub(super) builder: TesterBuilder,
    pub(super) scenario: &'r dyn Play,
    pub(super) check: &'r dyn Play,
}

/// A run that is over.
pub(super) struct Run {
    pub(super) schedule: Schedule,
    pub(super) steps: Vec<Step>,
    pub(super) transcript: Transcript,
    /// Why it has failed, if it has.
    pub(super) failure: Option<String>,
    /// Why it says nothing.
    pub(super) refused: Option<String>,
    /// Why the schedule does not fit.
    pub(super) misfit: Option<String>,
}

/// A scenario, or a check.
pub(super) trait Play {
    fn play<'t>(&'t self, tester: &'t Tester) -> Pin<Box<dyn Future<Output = ()> + 't>>;
}

impl<F: AsyncFn(&Tester)> Play for F {
    fn play<'t>(&'t self, tester: &'t Tester) -> Pin<Box<dyn Future<Output = ()> + 't>> {
        Box::pin(self(tester))
    }
}

impl Runs<'_> {
    /// The run of this number.
    pub(super) fn run(&self, number: u64, schedule: &Schedule) -> Run {
        let steps = Steps::new(schedule, &self.allowed);
        // Without the means for sockets: what they do cannot be repeated.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime of one thread needs nothing that may be missing");
        let transcript = {
            let _entered = runtime.enter();
            Transcript::new(steps.clone())
        };
        let played = || runtime.block_on(self.play(number, &transcript));
        let played = catch_unwind(AssertUnwindSafe(played));
        // What is left of the run ends before the next one begins.
        drop(runtime);
        let failure = match played {
            Ok(played) => played.err(),
            Err(panic) => Some(panic_text(&*panic).to_owned()),
        };
        Run {
            schedule: schedule.clone(),
            refused: steps.refused(),
            misfit: steps.misfit(),
            steps: steps.taken(),
            transcript,
            failure,
        }
    }

    async fn play(&self, number: u64, transcript: &Transcript) -> Result<(), String> {
        let make = self.make.clone();
        let builder = self.builder.clone().explored(transcript.clone());
        let tester = builder.start_with(move || make(number)).await;
        let tester = tester.map_err(|error| format!("the apps do not start: {error}"))?;
        tester.watcher().set_limited(apps::limited(&tester.apps()));
        let mut invariants = Invariants::new(&tester);
        let steps = transcript.steps();
        steps.begin(tester.topology().clusters().len());
        let settled = async || tester.settle().await.map_err(|open| open.to_string());
        let scenario = async {
            self.scenario.play(&tester).await;
            settled().await
        };
        let played = beside(&tester, steps, scenario).await;
        steps.end();
        played?;
        // Again, after a fault that came last.
        settled().await?;
        invariants.check()?;
        self.check.play(&tester).await;
        drop(invariants);
        tester.stop().await;
        // What was told to end does so when it is polled.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        match &*steps.left() {
            [] => Ok(()),
            left => Err(format!("after the stop goes on: {}", left.join(", "))),
        }
    }
}

/// Plays the scenario, and performs the faults that are due. While one is under way the scenario stands still.
async fn beside(
    tester: &Tester,
    steps: &Steps,
    scenario: impl Future<Output = Result<(), String>>,
) -> Result<(), String> {
    let mut scenario = pin!(scenario);
    // More than one when a process crashes that is about to start.
    let mut performing = Vec::new();
    let mut over = false;
    poll_fn(|cx| {
        steps.perform_by(cx.waker());
        loop {
            if let Some(due) = steps.due() {
                let mut fault = Box::pin(perform(tester, due));
                let begun = fault.as_mut().poll(cx)?;
                // Not before it has begun.
                steps.go_on();
                if begun.is_pending() {
                    performing.push(fault);
                }
                continue;
            }
            let mut failed = None;
            performing.retain_mut(|fault| match fault.as_mut().poll(cx) {
                Poll::Pending => true,
                Poll::Ready(performed) => {
                    failed = failed.take().or(performed.err());
                    false
                }
            });
            if let Some(why) = failed {
                return Poll::Ready(Err(why));
            }
            // What was polled may have made a task ready, and that a fault due.
            if steps.due().is_some() {
                continue;
            }
            if !performing.is_empty() {
                return Poll::Pending;
            }
            if over {
                return Poll::Ready(Ok(()));
            }
            if scenario.as_mut().poll(cx)?.is_pending() {
                return Poll::Pending;
            }
            over = true;
        }
    })
    .await
}

async fn perform(tester: &Tester, due: Due) -> Result<(), String> {
    let before = due.before;
    match due.choice {
        Choice::Rebalance => {
            tester.note(Event::Deviation(format!("rebalance, before {before}")));
            let rebalanced = tester.rebalance().await;
            rebalanced.map_err(|open| format!("the rebalance does not end: {open}"))
        }
        Choice::Outage(number) => {
            let _held = tester.steps().hold();
            let cluster = tester.cluster(tester.topology().clusters()[number]);
            tester.note(Event::Deviation(format!("outage, before {before}")));
            cluster.broker_down();
            tokio::time::sleep(OUTAGE).await;
            cluster.broker_up();
            Ok(())
        }
        // All others happen in the call that they meet.
        _ => {
            let process = due.process;
            tester.note(Event::Deviation(format!(
                "crash of process {process}, before {before}"
            )));
            let crashed = tester.crash(process).await;
            crashed.map_err(|error| format!("the process does not start again: {error}"))
        }
    }
}
