//! Reconciliation: finds what phone and town do not have alike (see [`yaoguan_wire::reconcile`]).
//!
//! Sans-I/O like the rest: [`Reconciliation::start`] gives the first request, each answer the next. What
//! the phone lacks is fetched and applied page by page; what the town lacks is offered with the next
//! pushes. Nothing is lost when it is broken off: it starts again.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use yaoguan_model::{Record, RecordId, canonical};
use yaoguan_wire::packing::unpack;
use yaoguan_wire::reconcile::{MAX_ROUNDS, MAX_WANTED, MESSAGE_BYTES, RecordHash};
use yaoguan_wire::{Epoch, PROTOCOL, ReconcileRequest, ReconcileResponse};

use crate::apply::{Applied, pull};
use crate::error::SyncError;
use crate::fork::settle_returned;
use crate::store::Tx;

/// What follows an answer.
#[derive(Debug)]
pub enum Step {
    Request(ReconcileRequest),
    /// Everything that the phone lacked is here, what the town lacks is offered.
    Done,
    /// The town's epoch is another: the next sync learns of it.
    OtherEpoch,
}

/// A reconciliation under way.
pub struct Reconciliation {
    negentropy: Negentropy<'static, NegentropyStorageVector>,
    by_hash: BTreeMap<RecordHash, RecordId>,
    epoch: Option<Epoch>,
    scope_version: u64,
    rounds: u32,
    cursor: Option<String>,
    /// Hashes that the town lacks, and those that the phone lacks.
    have: Vec<Id>,
    need: Vec<RecordHash>,
    /// Hashes that the phone lacked and now has.
    fetched: BTreeSet<RecordHash>,
    pub applied: Applied,
}

fn bad<E: std::error::Error + 'static>(_: negentropy::Error) -> SyncError<E> {
    SyncError::Protocol("the town's reconciliation message cannot be read")
}

impl Reconciliation {
    /// The first request.
    pub fn start<T: Tx>(tx: &mut T) -> Result<(Self, ReconcileRequest), SyncError<T::Error>> {
        let state = tx.state()?;
        let hashes = tx.hashes()?;
        let mut items = NegentropyStorageVector::with_capacity(hashes.len());
        for (hash, _) in &hashes {
            items.insert(0, Id::from_byte_array(*hash)).map_err(bad)?;
        }
        items.seal().map_err(bad)?;
        let mut negentropy = Negentropy::owned(items, MESSAGE_BYTES as u64).map_err(bad)?;
        let first = negentropy.initiate().map_err(bad)?;
        let this = Self {
            negentropy,
            by_hash: hashes.into_iter().collect(),
            epoch: state.epoch,
            scope_version: state.scope_version,
            rounds: 0,
            cursor: None,
            have: Vec::new(),
            need: Vec::new(),
            fetched: BTreeSet::new(),
            applied: Applied::default(),
        };
        let request = this.request(Some(first));
        Ok((this, request))
    }

    fn request(&self, message: Option<Vec<u8>>) -> ReconcileRequest {
        let wanted = match &message {
            Some(_) => Vec::new(),
            None => self.need.iter().take(MAX_WANTED).map(|hash| B64.encode(hash)).collect(),
        };
        ReconcileRequest {
            protocol: PROTOCOL,
            epoch: self.epoch,
            scope_version: self.scope_version,
            message: message.map(|bytes| B64.encode(bytes)),
            wanted,
        }
    }

    /// Applies an answer in one transaction.
    pub fn on_response<T: Tx>(
        &mut self,
        tx: &mut T,
        response: &ReconcileResponse,
    ) -> Result<Step, SyncError<T::Error>> {
        if self.epoch != Some(response.epoch) {
            return Ok(Step::OtherEpoch);
        }
        self.rounds += 1;
        if let Some(message) = &response.message {
            let unreadable =
                SyncError::Protocol("the town's reconciliation message is no base64url");
            let bytes = B64.decode(message).map_err(|_| unreadable)?;
            // The first one: what changes from there on comes with the feed.
            self.cursor.get_or_insert_with(|| response.cursor.clone());
            let mut need = Vec::new();
            let next = self.negentropy.reconcile_with_ids(&bytes, &mut self.have, &mut need);
            // They come in no order: that of a hash map.
            let mut need: Vec<_> = need.into_iter().map(Id::to_bytes).collect();
            need.sort_unstable();
            self.need.extend(need);
            if let Some(next) = next.map_err(bad)? {
                if self.rounds >= MAX_ROUNDS {
                    return Err(SyncError::Protocol("the reconciliation does not come to an end"));
                }
                return Ok(Step::Request(self.request(Some(next))));
            }
        } else {
            if response.answered == 0 || response.answered > self.need.len() {
                return Err(SyncError::Protocol("the town answers other hashes than asked for"));
            }
            for packed in &response.records {
                let record =
                    unpack(&response.replicas, packed.clone()).map_err(SyncError::Record)?;
                pull(tx, record, &mut self.applied)?;
            }
            self.fetched.extend(self.need.drain(..response.answered));
        }
        if self.need.is_empty() {
            self.finish(tx)?;
            return Ok(Step::Done);
        }
        Ok(Step::Request(self.request(None)))
    }

    /// Offers what the town lacks; the feed goes on from where the comparison began.
    fn finish<T: Tx>(&mut self, tx: &mut T) -> Result<(), SyncError<T::Error>> {
        let mut have: Vec<_> = self.have.iter().map(|hash| hash.to_bytes()).collect();
        have.sort_unstable();
        for hash in have {
            let Some(id) = self.by_hash.get(&hash).copied() else { continue };
            match tx.load(id)? {
                // The town's state has covered it.
                Some(local) if self.fetched.contains(&hash_of(&local.record)) => {}
                Some(_) => tx.offer(id)?,
                // Of a stub only the hash is left: the town's record has changed, or is gone.
                None => tx.drop_stub(id)?,
            }
        }
        let mut state = tx.state()?;
        if state.cursor.is_none() {
            state.cursor = self.cursor.take();
        }
        state.reconcile = false;
        state.evict_owed = true;
        settle_returned(tx, &mut state)?;
        tx.set_state(&state)?;
        Ok(())
    }
}

pub(crate) fn hash_of(record: &Record) -> RecordHash {
    canonical::hash(&canonical::encode(record))
}
