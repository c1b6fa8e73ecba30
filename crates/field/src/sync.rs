//! One run of syncing: until everything is sent and the feed is at its head.

use std::fs::File;

use serde::Serialize;
use yaoguan_model::faults::{Fault, is_broken};
use yaoguan_model::limits::MAX_INTEGER;
use yaoguan_store::Identity;
use yaoguan_sync::{
    Applied, PhoneStore as _, Reconciliation, Returned, Step, Tx as _, apply, apply_verdicts_alone,
    plan, rewrite_after_fork,
};
use yaoguan_transport::{Connections, TownClient, Traffic, TransportError};
use yaoguan_wire::proof::DeviceKey;
use yaoguan_wire::{ErrorCode, SyncRequest, Waiting};

use crate::error::FieldError;
use crate::phone::Phone;
use crate::upload::Sent;

/// A run that does not come to an end by itself is ended here: 1,000 pages are 9 million records.
const MAX_ROUNDS: u32 = 1_000;

/// Reconciliations in one run: a fork or a new epoch may ask for one in the middle of it.
const MAX_RECONCILIATIONS: u32 = 3;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SyncSummary {
    /// Records that the town took.
    pub sent: u64,
    /// Records that were new or changed here.
    pub received: u64,
    pub refused: u64,
    pub held: u64,
    /// Records that rest on what the town has lost; it keeps them for an administrator.
    pub recovered: u64,
    /// Records taken off the phone because they left its scope.
    pub evicted: u64,
    /// Finished records that the town has had for long enough, and this phone gave up.
    pub given_up: u64,
    pub requests: u64,
    /// Bodies, in bytes.
    pub bytes_up: u64,
    pub bytes_down: u64,
    /// Records that still wait.
    pub pending: u64,
    /// Photos, thumbnails and tracks that the town has received.
    pub files_sent: u64,
    /// Their bytes that went out.
    pub file_bytes: u64,
    /// Those that were to go when the last one began.
    pub files_waiting: u64,
    /// Those that are not sent any more.
    pub files_refused: u64,
    /// Thumbnails that came from the town.
    pub files_fetched: u64,
    /// The town has more to send.
    pub more: bool,
    /// Phone and town were compared as a whole.
    pub reconciled: bool,
    /// The phone's clock minus the town's, in seconds.
    pub clock_off_s: i64,
}

impl Phone {
    /// Sends what waits and fetches what is new, records first and then files, then tends the store.
    /// `progress` hears of each round. What was exchanged before an error stays exchanged.
    pub async fn sync(
        &mut self,
        mut progress: impl FnMut(&SyncSummary),
    ) -> Result<SyncSummary, FieldError> {
        let mut summary = SyncSummary::default();
        let exchanged = self.exchange_all(&mut summary, &mut progress).await;
        if summary.requests == 0 {
            exchanged?;
            return Ok(summary);
        }
        match self.tend() {
            Ok(given_up) => summary.given_up = given_up,
            // What was exchanged is; the next sync tends again, and the next start looks at the file.
            Err(error) => _ = Self::suspect(&self.folder.0, &error),
        }
        exchanged.map(|()| summary)
    }

    /// One run. When a connection of an earlier run turns out to be dead, that is no reason to fail: the same
    /// is asked once more by a new one, which the push chain makes harmless.
    async fn exchange_all(
        &mut self,
        summary: &mut SyncSummary,
        progress: &mut impl FnMut(&SyncSummary),
    ) -> Result<(), FieldError> {
        let _lock: File = self.folder.lock()?;
        let was_kept = self.connections.is_kept();
        let ended = self.exchange_by(summary, progress).await;
        let Err(FieldError::Transport(TransportError::Unreachable(broke))) = &ended else {
            return ended;
        };
        self.connections.forget();
        // A line that was waited on for long is not waited on twice.
        if !was_kept || summary.requests > 0 || broke.is_timeout() {
            return ended;
        }
        let again = self.exchange_by(summary, progress).await;
        if again.is_err() {
            self.connections.forget();
        }
        again
    }

    /// Records, then files; a save that comes while files go is sent before the next of them.
    async fn exchange_by(
        &mut self,
        summary: &mut SyncSummary,
        progress: &mut impl FnMut(&SyncSummary),
    ) -> Result<(), FieldError> {
        let mut client = self.client_by(&self.connections)?;
        loop {
            self.exchange(&mut client, summary, progress).await?;
            if self.send_files(&mut client, summary, progress).await? == Sent::All {
                break;
            }
        }
        summary.count(client.traffic);
        // Pictures of others are no reason to say that the sync failed.
        match self.fetch_thumbs(&mut client, summary).await {
            Ok(()) | Err(FieldError::Transport(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn exchange(
        &mut self,
        client: &mut TownClient,
        summary: &mut SyncSummary,
        progress: &mut impl FnMut(&SyncSummary),
    ) -> Result<(), FieldError> {
        let mut reconciliations = 0;
        for _ in 0..MAX_ROUNDS {
            let state = self.store.state()?;
            // A store that was brought back first asks what its line had sent.
            let asks = matches!(state.returned, Some(Returned::Asking { .. }));
            if state.reconcile && !asks && reconciliations < MAX_RECONCILIATIONS {
                reconciliations += 1;
                self.reconcile(client, summary).await?;
            }
            let before = self.sendable()?;
            let goes_on = self.round(client, summary).await?;
            let waiting = self.sendable()?;
            summary.pending = self.pending()?;
            summary.clock_off_s = self.clock_off_s()?;
            summary.count(client.traffic);
            progress(summary);
            // What the town does not answer for is not sent again in the same run; what an answer made
            // sendable (a hold that the town has lost) is.
            if !goes_on && (waiting == 0 || (before > 0 && waiting >= before)) {
                break;
            }
        }
        Ok(())
    }

    /// Asks the town's API as this phone; needs a line.
    pub async fn ask(&self, path: &str) -> Result<serde_json::Value, FieldError> {
        Ok(self.client()?.get(path, self.env.as_ref()).await?)
    }

    pub(crate) fn client(&self) -> Result<TownClient, FieldError> {
        self.client_by(&Connections::default())
    }

    fn client_by(&self, connections: &Connections) -> Result<TownClient, FieldError> {
        let identity = self.identity()?;
        let key = DeviceKey::from_pem(&identity.private_key)
            .map_err(|e| FieldError::Protocol(e.to_string()))?;
        let Identity { town, ca_pem, device, .. } = identity;
        let mut client = TownClient::new(&town, &ca_pem, device, key, self.lang, connections)?;
        client.set_clock_offset(self.store.state()?.clock_offset_s);
        Ok(client)
    }

    /// The phone's clock minus the town's, as last learnt, in seconds.
    pub(crate) fn clock_off_s(&self) -> Result<i64, FieldError> {
        Ok(self.store.state()?.clock_offset_s.saturating_neg())
    }

    /// Records that the next request would carry.
    pub(crate) fn sendable(&mut self) -> Result<usize, FieldError> {
        self.store.transact(|tx| Ok(tx.outbox()?.len() + tx.offers()?.len()))
    }

    /// What the town is told of what waits here.
    fn what_waits(&mut self) -> Result<Option<Waiting>, FieldError> {
        let Some(made) = self.oldest_waiting()? else { return Ok(None) };
        let oldest_s = self.env.now_s().saturating_sub(made).clamp(0, MAX_INTEGER);
        Ok(Some(Waiting { records: self.pending()?, oldest_s }))
    }

    /// One request and its answer. True when another must follow.
    async fn round(
        &mut self,
        client: &mut TownClient,
        summary: &mut SyncSummary,
    ) -> Result<bool, FieldError> {
        let env = self.env.clone();
        let request = self.transact(|tx| Ok::<_, FieldError>(plan(tx, env.as_ref())?))?;
        let request = SyncRequest { waiting: self.what_waits()?, ..request };
        if !request.records.is_empty() {
            self.mark_before_push(&request.push)?;
        }
        match client.sync(&request, env.as_ref()).await {
            Ok(response) => {
                if is_broken(Fault::CursorBeforePage) {
                    self.store.transact(|tx| -> Result<(), FieldError> {
                        let mut state = tx.state()?;
                        state.cursor = Some(response.cursor.clone());
                        Ok(tx.set_state(&state)?)
                    })?;
                }
                let applied =
                    self.store.transact(|tx| apply(tx, env.as_ref(), &request, &response))?;
                summary.add(&applied);
                summary.more = applied.more;
                Ok(applied.more)
            }
            // The same for a store that was brought back, when the town will not compare: it sends what it has.
            Err(TransportError::Refused(body))
                if body.code == ErrorCode::ReplicaForked
                    || (!body.retriable && self.store.state()?.returned.is_some()) =>
            {
                self.store.transact(|tx| rewrite_after_fork(tx, env.as_ref()))?;
                Ok(true)
            }
            // The town gives nothing any more, but says what became of what was sent.
            Err(TransportError::Refused(body)) if !body.verdicts.is_empty() => {
                let answered = (body.verdicts.as_slice(), body.replicas.as_slice());
                let applied = self
                    .store
                    .transact(|tx| apply_verdicts_alone(tx, env.as_ref(), &request, answered))?;
                summary.add(&applied);
                if self.sendable()? > 0 {
                    return Ok(true);
                }
                Err(TransportError::Refused(body).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Finds out what phone and town do not have alike, and fetches what is missing here. A town that
    /// cannot do that does not keep the phone from syncing.
    async fn reconcile(
        &mut self,
        client: &mut TownClient,
        summary: &mut SyncSummary,
    ) -> Result<(), FieldError> {
        let env = self.env.clone();
        let (mut reconciliation, mut request) =
            self.store.transact(|tx| Reconciliation::start(tx))?;
        loop {
            let response = match client.reconcile(&request, env.as_ref()).await {
                Ok(response) => response,
                Err(TransportError::Refused(_)) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let step = self.store.transact(|tx| reconciliation.on_response(tx, &response))?;
            match step {
                Step::Request(next) => request = next,
                Step::Done => {
                    summary.add(&reconciliation.applied);
                    summary.reconciled = true;
                    return Ok(());
                }
                Step::OtherEpoch => return Ok(()),
            }
        }
    }
}

impl SyncSummary {
    fn add(&mut self, applied: &Applied) {
        self.sent += applied.taken;
        self.received += applied.received;
        self.refused += applied.refused;
        self.held += applied.held;
        self.recovered += applied.recovered;
        self.evicted += applied.evicted;
    }

    pub(crate) fn count(&mut self, traffic: Traffic) {
        self.requests = traffic.requests;
        self.bytes_up = traffic.bytes_up;
        self.bytes_down = traffic.bytes_down;
    }
}
