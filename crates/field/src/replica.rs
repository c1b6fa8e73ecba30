//! Whether this phone alone writes under its replica id: see [`crate::marker`].

use yaoguan_model::faults::{Fault, is_broken};
use yaoguan_store::{SqliteTx, StoreError};
use yaoguan_sync::{PhoneStore as _, brought_back, rewrite_after_fork};
use yaoguan_wire::{Push, PushToken};

use crate::error::FieldError;
use crate::marker::Mark;
use crate::phone::Phone;

impl Phone {
    /// Every write of this phone: one transaction, under a replica id that is its own.
    pub(crate) fn transact<R, E: From<StoreError> + From<FieldError>>(
        &mut self,
        work: impl FnOnce(&mut SqliteTx<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        if !self.is_own {
            self.store.check_writable()?;
            let mark = self.fresh_mark();
            // Without a marker the next start takes a new id again; nothing is sent until then.
            _ = self.marker.write(mark);
            self.take_new_id(mark, None)?;
        }
        self.store.transact(work)
    }

    /// At start: compares the store with the marker. What cannot be done now is done before the first
    /// write, so that a phone whose disk is full or read-only still opens.
    pub(crate) fn compare_with_marker(&mut self) -> Result<(), FieldError> {
        let (install, counter) = (self.store.install_id()?, self.store.state()?.counter);
        let here = self.marker.read().filter(|mark| mark.install == install);
        self.is_own = here.is_some_and(|mark| mark.counter <= counter);
        self.is_own |= is_broken(Fault::CloneKeepsReplicaId);
        // An older state of this very folder: what it holds unsent may have been sent since.
        let last_push = here.map(|mark| PushToken::new(mark.last_push));
        if self.is_own || self.store.check_writable().is_err() {
            return Ok(());
        }
        let mark = self.fresh_mark();
        if self.marker.write(mark).is_ok() && self.take_new_id(mark, last_push).is_err() {
            // Marker and store disagree: the next start, or the first write, tries again.
            self.is_own = false;
        }
        Ok(())
    }

    /// A store that was made just now is its own.
    pub(crate) fn mark_new_store(&mut self) -> Result<(), FieldError> {
        let install = self.store.install_id()?;
        _ = self.marker.write(Mark { install, ..Mark::default() });
        self.is_own = true;
        Ok(())
    }

    /// Before a push: whatever becomes of this folder, the counters that go out now are never used again.
    pub(crate) fn mark_before_push(&self, push: &Push) -> Result<(), FieldError> {
        let install = self.store.install_id()?;
        let last_push = push.next.map(|token| *token.as_bytes()).unwrap_or_default();
        let mark = Mark { install, counter: push.counter, last_push };
        if self.marker.read() == Some(mark) {
            return Ok(());
        }
        let failed = |source| FieldError::Marker { path: self.marker.place(), source };
        self.marker.write(mark).map_err(failed)
    }

    fn fresh_mark(&self) -> Mark {
        Mark { install: self.env.random_16(), ..Mark::default() }
    }

    /// The marker names the new installation already: when this fails, the two disagree and it is tried
    /// again.
    fn take_new_id(&mut self, mark: Mark, last_push: Option<PushToken>) -> Result<(), FieldError> {
        let env = self.env.clone();
        self.store.transact(|tx| -> Result<(), FieldError> {
            tx.set_install_id(mark.install)?;
            match last_push {
                Some(last_push) => brought_back(tx, env.as_ref(), last_push)?,
                None => _ = rewrite_after_fork(tx, env.as_ref())?,
            }
            Ok(())
        })?;
        self.is_own = true;
        Ok(())
    }
}
