//! How often each operation and each fault of the network struck. One that never does proves nothing.

/// Everything that a run may meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Struck {
    Written,
    SeveralFields,
    Removed,
    StaleForm,
    Deleted,
    Undeleted,
    Settled,
    SavedInFlight,
    Contested,
    Pushed,
    PartOfThePush,
    RequestLost,
    AnswerLost,
    Delayed,
    DeliveredLate,
    Duplicated,
    Crashed,
    Evicted,
    TakenAndEvicted,
    GivenUp,
    Salvaged,
    Refetched,
    Restored,
    ClonedWithMarker,
    ClonedWithout,
    NewIdAtStart,
    BroughtBack,
    BroughtBackKnown,
    Forked,
    RebasedUnsent,
    TownRestored,
    NewEpochSeen,
    Recovered,
    RecoveredTaken,
    Refused,
    Held,
    AnsweredAfterUnanswered,
    Entangled,
    Mended,
    MendedAnew,
    Released,
    TownWrote,
    Packed,
}

pub const KINDS: usize = Struck::Packed as usize + 1;

/// All of them, in order.
pub const ALL: [Struck; KINDS] = [
    Struck::Written,
    Struck::SeveralFields,
    Struck::Removed,
    Struck::StaleForm,
    Struck::Deleted,
    Struck::Undeleted,
    Struck::Settled,
    Struck::SavedInFlight,
    Struck::Contested,
    Struck::Pushed,
    Struck::PartOfThePush,
    Struck::RequestLost,
    Struck::AnswerLost,
    Struck::Delayed,
    Struck::DeliveredLate,
    Struck::Duplicated,
    Struck::Crashed,
    Struck::Evicted,
    Struck::TakenAndEvicted,
    Struck::GivenUp,
    Struck::Salvaged,
    Struck::Refetched,
    Struck::Restored,
    Struck::ClonedWithMarker,
    Struck::ClonedWithout,
    Struck::NewIdAtStart,
    Struck::BroughtBack,
    Struck::BroughtBackKnown,
    Struck::Forked,
    Struck::RebasedUnsent,
    Struck::TownRestored,
    Struck::NewEpochSeen,
    Struck::Recovered,
    Struck::RecoveredTaken,
    Struck::Refused,
    Struck::Held,
    Struck::AnsweredAfterUnanswered,
    Struck::Entangled,
    Struck::Mended,
    Struck::MendedAnew,
    Struck::Released,
    Struck::TownWrote,
    Struck::Packed,
];

#[derive(Debug, Clone, Copy)]
pub struct Counts(pub [u64; KINDS]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; KINDS])
    }
}

impl Counts {
    pub fn add(&mut self, what: Struck) {
        self.0[what as usize] += 1;
    }

    pub fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a += b);
    }

    pub fn of(&self, what: Struck) -> u64 {
        self.0[what as usize]
    }
}
