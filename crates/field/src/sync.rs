//! One run of syncing: until everything is sent and the feed is at its head.

use std::fs::File;

use serde::Serialize;
use yaoguan_store::Identity;
use yaoguan_sync::{Applied, PhoneStore as _, apply, plan, rewrite_after_fork};
use yaoguan_transport::{TownClient, TransportError};
use yaoguan_wire::proof::DeviceKey;
use yaoguan_wire::{ErrorCode, SyncRequest, SyncResponse};

use crate::error::FieldError;
use crate::phone::Phone;

/// A run that does not come to an end by itself is ended here: 1,000 pages are 9 million records.
const MAX_ROUNDS: u32 = 1_000;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SyncSummary {
    /// Records that the town took.
    pub sent: u64,
    /// Records that were new or changed here.
    pub received: u64,
    pub refused: u64,
    pub held: u64,
    /// Records taken off the phone because they left its scope.
    pub evicted: u64,
    pub requests: u64,
    /// Bodies, in bytes.
    pub bytes_up: u64,
    pub bytes_down: u64,
    /// Records that still wait.
    pub pending: u64,
    /// The town has more to send.
    pub more: bool,
}

impl Phone {
    /// Sends what waits and fetches what is new. `progress` hears of each round. What was exchanged
    /// before an error stays exchanged.
    pub async fn sync(
        &mut self,
        mut progress: impl FnMut(&SyncSummary),
    ) -> Result<SyncSummary, FieldError> {
        let _lock: File = self.folder.lock()?;
        let mut client = self.client()?;
        let mut summary = SyncSummary::default();
        for _ in 0..MAX_ROUNDS {
            let before = self.pending()?;
            let goes_on = self.round(&mut client, &mut summary).await?;
            summary.pending = self.pending()?;
            let traffic = client.traffic;
            summary.requests = traffic.requests;
            summary.bytes_up = traffic.bytes_up;
            summary.bytes_down = traffic.bytes_down;
            progress(&summary);
            let stuck = summary.pending > 0 && summary.pending >= before && !summary.more;
            if !goes_on && (summary.pending == 0 || stuck) {
                break;
            }
        }
        Ok(summary)
    }

    /// Asks the town's API as this phone; needs a line.
    pub async fn ask(&self, path: &str) -> Result<serde_json::Value, FieldError> {
        Ok(self.client()?.get(path, self.env.as_ref()).await?)
    }

    fn client(&self) -> Result<TownClient, FieldError> {
        let identity = self.identity()?;
        let key = DeviceKey::from_pem(&identity.private_key)
            .map_err(|e| FieldError::Protocol(e.to_string()))?;
        let Identity { town, ca_pem, device, .. } = identity;
        let mut client = TownClient::new(&town, &ca_pem, device, key, self.lang)?;
        client.set_clock_offset(self.store.state()?.clock_offset_s);
        Ok(client)
    }

    /// One request and its answer. True when another must follow.
    async fn round(
        &mut self,
        client: &mut TownClient,
        summary: &mut SyncSummary,
    ) -> Result<bool, FieldError> {
        let env = self.env.clone();
        let request = self.store.transact(|tx| plan(tx, env.as_ref()))?;
        match client.sync(&request, env.as_ref()).await {
            Ok(response) => {
                let applied = self.apply(&request, &response)?;
                summary.sent += applied.taken;
                summary.received += applied.received;
                summary.refused += applied.refused;
                summary.held += applied.held;
                summary.evicted += applied.evicted;
                summary.more = applied.more;
                Ok(applied.more)
            }
            Err(TransportError::Refused(body)) if body.code == ErrorCode::ReplicaForked => {
                self.store.transact(|tx| rewrite_after_fork(tx, env.as_ref()))?;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The answer in one transaction, with the person's role and grids when they changed.
    fn apply(
        &mut self,
        request: &SyncRequest,
        response: &SyncResponse,
    ) -> Result<Applied, FieldError> {
        let env = self.env.clone();
        self.store.transact(|tx| -> Result<Applied, FieldError> {
            let applied = apply(tx, env.as_ref(), request, response)?;
            let scope = &response.scope;
            if let (Some(role), Some(grids)) = (scope.role, &scope.grids) {
                let identity = tx.identity()?.ok_or(FieldError::NotEnrolled)?;
                tx.set_identity(&Identity { role, grids: grids.clone(), ..identity })?;
            }
            Ok(applied)
        })
    }
}
