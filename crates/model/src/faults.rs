//! Rules broken on purpose, so that a test can show that breaking them is noticed.
//!
//! Only with the feature `faults`, which no program for people is built with: without it every question is
//! answered with no when the program is compiled.

/// A rule that a test breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// A copied or put-back phone goes on under its replica id, and the town does not ask for the push chain.
    CloneKeepsReplicaId = 1,
    /// The feed leaves a field out, under the whole context.
    PartialRecord,
    /// The town forgets context entries under which nothing stands any more.
    PrunedContext,
    /// A held save is released by merging it as it was pushed.
    ReleaseByMerge,
    /// A save replaces what stands there now, not what was in view when its form was opened.
    ReplacesAtSave,
    /// The cursor is saved in a transaction before that of its page.
    CursorBeforePage,
    /// A feed position can be seen before a lower one, as with a bare sequence.
    BareSequence,
    /// A verdict counts for the record as it is, not for the state that was sent.
    SentById,
    /// Context entries of other people's replicas are taken.
    ForeignContext,
    /// `synchronous=NORMAL`.
    SynchronousNormal,
    /// `synchronous=OFF`.
    SynchronousOff,
}

#[cfg(feature = "faults")]
static BROKEN: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Breaks one rule in the whole process, or none.
#[cfg(feature = "faults")]
pub fn break_rule(fault: Option<Fault>) {
    let fault = fault.map_or(0, |fault| fault as u8);
    BROKEN.store(fault, std::sync::atomic::Ordering::SeqCst);
}

/// Whether a test broke this rule.
#[cfg(feature = "faults")]
pub fn is_broken(fault: Fault) -> bool {
    BROKEN.load(std::sync::atomic::Ordering::SeqCst) == fault as u8
}

/// Nobody breaks rules here.
#[cfg(not(feature = "faults"))]
pub const fn is_broken(_: Fault) -> bool {
    false
}

/// What databases that people trust are opened with.
pub const FULL: &str = "FULL";

/// `FULL`, unless a test shows what becomes of less.
pub fn synchronous() -> &'static str {
    if is_broken(Fault::SynchronousNormal) {
        "NORMAL"
    } else if is_broken(Fault::SynchronousOff) {
        "OFF"
    } else {
        FULL
    }
}
