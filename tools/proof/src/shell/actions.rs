//! The choices: which there are, and which are possible.

use super::handler::End;
use super::part::Owner;
use super::scope::{Fault, Scope};
use super::world::{ALL, World};
use fastkafka_kafka::proof::{Late, When};

/// Something that the client tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// The group gives what is owed, or what another member has.
    Give,
    /// The group takes a partition; where it cannot take one it takes all.
    Take(i32),
    /// The group has gone on without the member, and this is why.
    Kick(Kick),
    /// No broker is reached.
    Away,
    /// The client can do nothing any more.
    Fatal,
}

/// Why the group goes on without the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kick {
    /// Its session is over. It joins again.
    Late,
    /// The same, and it does not find its coordinator.
    Astray,
    /// The same, and its client knows no broker any more.
    Alone,
}

impl Kick {
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Late => Fault::Kick,
            Self::Astray => Fault::Astray,
            Self::Alone => Fault::Alone,
        }
    }
}

/// A choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The driver takes a turn.
    Turn,
    /// Time passes until the driver would wake.
    Pass,
    /// The client tells something. Unless it is told before the turn, the turn is a part of it.
    Tells(Tells, When),
    /// The first request is answered, as things are.
    Answer,
    /// The periodic commit is due.
    Commit,
    /// The same, and it is lost on its way.
    LoseCommit,
    /// Commits without an answer are sent again.
    CommitAgain,
    /// A handler returns.
    Returns(i32, End),
    /// A handler never will.
    Hangs(i32),
    /// An `Ack` that was kept is used.
    Settle(i32),
    /// A broker is reached again.
    Back,
    /// The coordinator is found again.
    Finds,
    /// The leader of a partition goes away, or comes back.
    Leader(i32, bool),
    /// A batch of a partition cannot be read, or can again.
    Batch(i32, bool),
    /// The topic may not be read, or may again.
    Topic(bool),
    /// The broker begins to refuse commits, or ends that.
    Commits(bool),
    /// The next call that resumes a partition fails.
    ResumeFails,
    /// An error of the position that a partition has left comes now.
    Late(i32, Late),
    /// The user pauses a partition, or resumes it.
    Pause(i32, bool),
    /// The user moves a partition.
    Seek(i32, i64),
    /// The user ends the app.
    Shutdown,
}

impl Action {
    /// Whether it goes wrong, or need not happen.
    pub(super) fn is_fault(self) -> bool {
        !matches!(
            self,
            Self::Turn
                | Self::Answer
                | Self::Commit
                | Self::CommitAgain
                | Self::Returns(_, End::Done)
                | Self::Tells(Tells::Give, _)
        )
    }
}

/// Everything that is possible, in an order of its own.
pub(super) fn possible(scope: &Scope, world: &World, out: &mut Vec<Action>) {
    if world.driver.over.is_some() {
        return;
    }
    let left = &world.left;
    if world.is_woken() {
        out.push(Action::Turn);
    }
    if world.driver.client().asked().is_some() {
        out.push(Action::Answer);
    }
    if world.driver.client().has_stored() && !world.is_away() && !world.told_refused {
        out.push(Action::Commit);
        if left.has(Fault::Unanswered) {
            out.push(Action::LoseCommit);
        }
    }
    if !world.unanswered.is_empty() {
        out.push(Action::CommitAgain);
    }
    for (partition, _) in world.calls.at_work() {
        let part = &world.parts[usize::try_from(partition).expect("a partition's number")];
        if part.hung {
            continue;
        }
        out.push(Action::Returns(partition, End::Done));
        let others = [
            (Fault::Handler, Action::Returns(partition, End::Fail)),
            (Fault::Keep, Action::Returns(partition, End::Keep)),
            (Fault::Hang, Action::Hangs(partition)),
        ];
        // Of an assignment that is over, or before a seek, it counts for nothing: then it may as well end.
        let counts = part.owner == Owner::Us
            && part.next.is_some()
            && world.seek.is_none()
            && !world.is_stale(partition);
        let others = others.into_iter();
        let others = others.filter(|(fault, _)| counts && left.has(*fault));
        out.extend(others.map(|(_, action)| action));
    }
    let mut kept: Vec<_> = world.calls.kept().iter().map(|kept| kept.0).collect();
    kept.dedup();
    out.extend(kept.into_iter().map(Action::Settle));
    tells(scope, world, out);
    conditions(world, out);
    user(world, out);
    if left.has(Fault::Slow) {
        out.push(Action::Pass);
    }
}

fn tells(scope: &Scope, world: &World, out: &mut Vec<Action>) {
    let left = &world.left;
    let ending = world.driver.is_leaving();
    let quiet = world.pending.is_none() && !world.driver.client().is_rebalancing();
    let mut told = Vec::new();
    if quiet && !ending && !world.fatal && !world.away {
        let others = ALL.iter().zip(&world.parts);
        // Where all move together nothing comes back but what is owed.
        let comes_back = scope.cooperative && world.parts.iter().any(|p| p.owner == Owner::Other);
        if !world.is_out() && (!world.owed.is_empty() || comes_back) {
            told.push(Tells::Give);
        }
        let all_ours = world.owed.is_empty();
        if left.has(Fault::Rebalance) && all_ours {
            for (partition, part) in others {
                if part.owner == Owner::Us {
                    told.push(Tells::Take(*partition));
                }
            }
        }
        if all_ours && world.parts.iter().any(|p| p.owner == Owner::Us) {
            let kicks = [Kick::Late, Kick::Astray, Kick::Alone].into_iter();
            let kicks = kicks.filter(|kick| left.has(kick.fault()));
            told.extend(kicks.map(Tells::Kick));
        }
    }
    if left.has(Fault::Away) && !world.away {
        told.push(Tells::Away);
    }
    if left.has(Fault::Fatal) && !world.fatal {
        told.push(Tells::Fatal);
    }
    for tells in told {
        let moves = matches!(tells, Tells::Give | Tells::Take(_) | Tells::Kick(_));
        if !(moves && scope.within_calls) {
            out.push(Action::Tells(tells, When::Now));
        }
        if moves {
            out.push(Action::Tells(
                tells,
                match scope.within_calls {
                    true => When::InCall,
                    false => When::AfterPoll,
                },
            ));
        }
    }
}

fn conditions(world: &World, out: &mut Vec<Action>) {
    let left = &world.left;
    if world.away {
        out.push(Action::Back);
    }
    if world.astray {
        out.push(Action::Finds);
    }
    for (partition, part) in ALL.iter().zip(&world.parts) {
        if part.leaderless {
            out.push(Action::Leader(*partition, true));
        } else if left.has(Fault::Leaderless) {
            out.push(Action::Leader(*partition, false));
        }
    }
    for (partition, part) in ALL.iter().zip(&world.parts) {
        if part.unreadable {
            out.push(Action::Batch(*partition, true));
        } else if left.has(Fault::Unreadable) {
            out.push(Action::Batch(*partition, false));
        }
    }
    // Before the start it would end the app, and so it should.
    if world.refused {
        out.push(Action::Topic(true));
    } else if left.has(Fault::Refused) && world.driver.is_started() {
        out.push(Action::Topic(false));
    }
    if world.refuses_commits {
        out.push(Action::Commits(true));
    } else if left.has(Fault::Commit) {
        out.push(Action::Commits(false));
    }
    if left.has(Fault::Resume) {
        out.push(Action::ResumeFails);
    }
    for partition in ALL {
        if left.has(Fault::Late) && world.driver.client().has_left(partition) {
            let out_of_range = [false, true].map(|stops| Late::OutOfRange { stops });
            let all = out_of_range.into_iter().chain([Late::Truncated]);
            out.extend(all.map(|late| Action::Late(partition, late)));
        }
    }
}

fn user(world: &World, out: &mut Vec<Action>) {
    let left = &world.left;
    if world.driver.is_leaving() {
        return;
    }
    for (partition, part) in ALL.iter().zip(&world.parts) {
        if part.paused || part.failed {
            out.push(Action::Pause(*partition, false));
        } else if left.has(Fault::Pause) {
            out.push(Action::Pause(*partition, true));
        }
        if left.has(Fault::Seek) && world.seek.is_none() && part.high > 0 {
            out.push(Action::Seek(*partition, 0));
            if part.high > 1 {
                out.push(Action::Seek(*partition, part.high - 1));
            }
        }
    }
    if left.has(Fault::Shutdown) {
        out.push(Action::Shutdown);
    }
}
