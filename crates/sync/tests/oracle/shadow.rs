//! What the oracle says of one record on a phone: the same life as `Local`, told in sets of events.

use crate::events::Events;
use crate::history::{Diff, History, State};

#[derive(Debug, Clone, Copy)]
pub struct Shadow {
    pub record: State,
    pub unsent: Option<ShadowUnsent>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ShadowUnsent {
    pub base: Option<State>,
    pub sent: Option<State>,
}

/// Saves in quarantine.
#[derive(Debug, Clone, Copy)]
pub struct ShadowKept {
    pub diff: Diff,
    pub accounted: Events,
    /// Saves made while the push was under way stayed with it.
    pub entangled: bool,
}

impl Shadow {
    pub fn confirmed(record: State) -> Self {
        Self { record, unsent: None }
    }

    /// The record now differs from what is confirmed.
    pub fn touch(&mut self) {
        let base = Some(self.record);
        self.unsent.get_or_insert(ShadowUnsent { base, sent: None });
    }

    pub fn send(&mut self) {
        if let Some(unsent) = &mut self.unsent {
            unsent.sent = Some(self.record);
        }
    }

    pub fn taken(&mut self, pushed: &State) {
        let Some(unsent) = &mut self.unsent else { return };
        if unsent.sent.is_some_and(|sent| sent.known == pushed.known) {
            unsent.base = unsent.sent.take();
            self.settle();
        }
    }

    pub fn pulled(&mut self, incoming: &State) {
        self.record = self.record.or(incoming);
        if let Some(unsent) = &mut self.unsent {
            unsent.base = Some(unsent.base.map_or(*incoming, |base| base.or(incoming)));
        }
        self.settle();
    }

    /// (what stays, what goes into quarantine). Whatever is put again belongs to `line`.
    pub fn put_back(
        self,
        history: &mut History,
        pushed: &State,
        line: u32,
    ) -> (Option<Self>, Option<ShadowKept>) {
        let Some(ShadowUnsent { base, sent: Some(sent) }) = self.unsent else {
            return (Some(self), None);
        };
        if sent.known != pushed.known {
            return (Some(self), None);
        }
        let first = history.diff(base.as_ref(), &sent);
        let later = history.diff(Some(&sent), &self.record);
        let accounted = self.record.accounted;
        let Some(base) = base else {
            let (diff, entangled) = (first.then(&later), !later.is_empty());
            history.nothing_left(&diff, &accounted);
            history.nothing_left(&later, &accounted.minus(&sent.accounted));
            return (None, Some(ShadowKept { diff, accounted, entangled }));
        };
        let (free, entangled) = later.split(&first);
        let mut local = Self::confirmed(base);
        local.put_again(history, &free, &accounted.minus(&sent.accounted), line);
        let diff = first.then(&entangled);
        history.nothing_left(&diff, &sent.accounted.minus(&base.accounted));
        (Some(local), Some(ShadowKept { diff, accounted, entangled: !entangled.is_empty() }))
    }

    pub fn rebased(&self, history: &mut History, line: u32) -> Self {
        let Some(unsent) = &self.unsent else { return *self };
        let diff = history.diff(unsent.base.as_ref(), &self.record);
        let accounted = self.record.accounted;
        if let Some(base) = unsent.base {
            let mut local = Self::confirmed(base);
            local.put_again(history, &diff, &accounted, line);
            return local;
        }
        let mut record = State::default();
        history.put_again(&mut record, &diff, &accounted, line);
        Self { record, unsent: Some(ShadowUnsent::default()) }
    }

    pub fn put_again(&mut self, history: &mut History, diff: &Diff, accounted: &Events, line: u32) {
        if diff.is_empty() {
            history.put_again(&mut self.record, diff, accounted, line);
            return;
        }
        self.touch();
        history.put_again(&mut self.record, diff, accounted, line);
    }

    fn settle(&mut self) {
        let base = self.unsent.and_then(|unsent| unsent.base);
        if base.is_some_and(|base| self.record.known.within(&base.known)) {
            self.unsent = None;
        }
    }
}
