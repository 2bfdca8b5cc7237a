//! Known bugs, planted on purpose: the search of `proof` has to find each of them.

/// A bug that an engine of this kind was seen to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "proof"), allow(dead_code, unreachable_pub))]
#[allow(missing_docs)] // Each name says what is wrong; `docs/proof.md` has the table.
pub enum Mutant {
    WatermarkHighestSeen,
    ResultMatchedByOffset,
    LockFreedOnRevoke,
    HoldBackNotRecomputed,
    ReplayOnlyTheFailed,
    ReplayForgetsTheRunning,
    ReplayForgetsTheSettled,
    StoredAtShutdown,
    BufferSurvivesRevoke,
    SettledWhenHandled,
    DeadLetterNotAwaited,
    DeadLetterFailureIgnored,
    DeadLetterOvertakes,
    StoreAfterRelease,
    InFlightNotBounded,
    RetryTimerLost,
    RetryOvertaken,
    RetryTooEarly,
    OneAttemptMore,
    FailureForgotten,
    BrokenForgotten,
    BrokenNotAlone,
    StoreOffByOne,
    ReleaseBeforeDrain,
    StartWhileRevoking,
    RunNotCutOnRevoke,
    RestForgotten,
    FreedTooEarly,
    SeekKeepsTheOld,
    StartWhilePaused,
}

#[cfg(feature = "proof")]
impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 30] = [
        Mutant::WatermarkHighestSeen,
        Mutant::ResultMatchedByOffset,
        Mutant::LockFreedOnRevoke,
        Mutant::HoldBackNotRecomputed,
        Mutant::ReplayOnlyTheFailed,
        Mutant::ReplayForgetsTheRunning,
        Mutant::ReplayForgetsTheSettled,
        Mutant::StoredAtShutdown,
        Mutant::BufferSurvivesRevoke,
        Mutant::SettledWhenHandled,
        Mutant::DeadLetterNotAwaited,
        Mutant::DeadLetterFailureIgnored,
        Mutant::DeadLetterOvertakes,
        Mutant::StoreAfterRelease,
        Mutant::InFlightNotBounded,
        Mutant::RetryTimerLost,
        Mutant::RetryOvertaken,
        Mutant::RetryTooEarly,
        Mutant::OneAttemptMore,
        Mutant::FailureForgotten,
        Mutant::BrokenForgotten,
        Mutant::BrokenNotAlone,
        Mutant::StoreOffByOne,
        Mutant::ReleaseBeforeDrain,
        Mutant::StartWhileRevoking,
        Mutant::RunNotCutOnRevoke,
        Mutant::RestForgotten,
        Mutant::FreedTooEarly,
        Mutant::SeekKeepsTheOld,
        Mutant::StartWhilePaused,
    ];
}

/// Whether a bug is planted. Without the feature `proof` none is, and the compiler knows it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Planted(#[cfg(feature = "proof")] pub(crate) Option<Mutant>);

impl Planted {
    #[inline]
    pub(crate) fn is(self, mutant: Mutant) -> bool {
        #[cfg(feature = "proof")]
        return self.0 == Some(mutant);
        #[cfg(not(feature = "proof"))]
        {
            let _ = mutant;
            false
        }
    }
}
