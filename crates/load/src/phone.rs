//! One phone: a key, a line of its own, a store in memory, and the engine that every phone syncs by.

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::{Context as _, Result, bail};
use yaoguan_model::authorise::Actor;
use yaoguan_model::env::System;
use yaoguan_model::{AccountId, Env as _, GridCode, RecordId};
use yaoguan_sync::{PhoneStore as _, SyncError, Tx as _, apply, plan, rewrite_after_fork};
use yaoguan_testkit::memory::MemoryStore;
use yaoguan_transport::{Connections, TownClient, TransportError};
use yaoguan_wire::proof::DeviceKey;
use yaoguan_wire::{ErrorCode, Invite};

use crate::work::now_ms;

/// Rounds of one run; a phone that needs more never comes to an end.
const MAX_ROUNDS: usize = 1_000;
/// Tries of a phone that wants to come to the end, with the engine's waits between them.
const MAX_TRIES: u32 = 8;

/// What the town has to have of a record once it has acknowledged all that the phone wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgeable {
    pub title: String,
    pub description: Option<String>,
    pub deleted: bool,
}

/// One run of syncing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub took_ms: i64,
    pub sent: u64,
    pub received: u64,
    pub requests: u64,
    pub bytes_up: u64,
    pub bytes_down: u64,
    /// Why it ended, when it failed.
    pub failed: Option<String>,
}

pub struct Phone {
    pub number: u32,
    pub store: MemoryStore,
    /// Runs since they were last taken.
    pub runs: Vec<Run>,
    client: TownClient,
    account: AccountId,
    grids: Vec<GridCode>,
    marks: u32,
    known: BTreeMap<RecordId, Acknowledgeable>,
    saves: u64,
}

impl Phone {
    /// Uses an invite up.
    pub async fn enrol(number: u32, invite: &str) -> Result<Self> {
        let invite: Invite = invite.parse().context("the town's own invite")?;
        let key = DeviceKey::generate(&System);
        let name = format!("load {number}");
        let enrolled =
            yaoguan_transport::enrol(&invite, key.public_pem()?, &name, None, "en").await?;
        let response = enrolled.response;
        let (ca_pem, device) = (&enrolled.ca_pem, response.device);
        let connections = Connections::default();
        let client = TownClient::new(&invite.town, ca_pem, device, key, "en", &connections)?;
        let mut store = MemoryStore::new(System.new_replica_id());
        let grids: Vec<GridCode> = response.grids.into_iter().collect();
        store.person = Some(Actor {
            account: response.account,
            role: response.role,
            grids: grids.iter().cloned().collect(),
        });
        Ok(Self {
            number,
            store,
            runs: Vec::new(),
            client,
            account: response.account,
            grids,
            marks: 0,
            known: BTreeMap::new(),
            saves: 0,
        })
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    pub fn grid(&self) -> Option<&GridCode> {
        self.grids.first()
    }

    /// A word that no other save in this town has.
    pub fn next_mark(&mut self) -> String {
        self.marks += 1;
        format!("load {} {}", self.number, self.marks)
    }

    /// Own records that are not deleted.
    pub fn living(&self) -> Vec<RecordId> {
        self.known.iter().filter(|(_, known)| !known.deleted).map(|(id, _)| *id).collect()
    }

    pub fn note(&mut self, id: RecordId, what: Acknowledgeable) {
        self.saves += 1;
        self.known.insert(id, what);
    }

    pub fn alter(&mut self, id: RecordId, how: impl FnOnce(&mut Acknowledgeable)) {
        self.saves += 1;
        if let Some(known) = self.known.get_mut(&id) {
            how(known);
        }
    }

    pub fn known(&self) -> &BTreeMap<RecordId, Acknowledgeable> {
        &self.known
    }

    /// Saves of this person so far.
    pub fn saves(&self) -> u64 {
        self.saves
    }

    pub fn unsent(&mut self) -> u64 {
        self.on_store(|tx| tx.unsent_count())
    }

    /// Something of it is not at the town and is not going there.
    pub fn is_stuck(&self) -> bool {
        let mut store = self.store.clone();
        let unsent = match store.unsent_count() {
            Ok(unsent) => unsent,
            Err(never) => match never {},
        };
        unsent > 0 || !self.store.quarantined.is_empty()
    }

    /// One run, until everything is sent and the feed is at its head. `Ok` or why not, with the seconds that
    /// the town asks for.
    pub async fn sync(&mut self) -> Result<(), TransportError> {
        let (began, before) = (now_ms(), self.client.traffic);
        let (mut sent, mut received) = (0, 0);
        let ended = self.rounds(&mut sent, &mut received).await;
        let traffic = self.client.traffic;
        let failed = ended.as_ref().err().map(|error| match error.code() {
            Some(code) => code.to_string(),
            None => error.to_string(),
        });
        self.runs.push(Run {
            took_ms: now_ms() - began,
            sent,
            received,
            requests: traffic.requests - before.requests,
            bytes_up: traffic.bytes_up - before.bytes_up,
            bytes_down: traffic.bytes_down - before.bytes_down,
            failed,
        });
        ended
    }

    async fn rounds(&mut self, sent: &mut u64, received: &mut u64) -> Result<(), TransportError> {
        for _ in 0..MAX_ROUNDS {
            let request = self.on_engine(|tx| plan(tx, &System))?;
            let response = match self.client.sync(&request, &System).await {
                Err(TransportError::Refused(body)) if body.code == ErrorCode::ReplicaForked => {
                    self.on_engine(|tx| rewrite_after_fork(tx, &System))?;
                    continue;
                }
                other => other?,
            };
            let applied = self.on_engine(|tx| apply(tx, &System, &request, &response))?;
            *sent += applied.taken;
            *received += applied.received;
            if !applied.more && self.on_store(|tx| tx.outbox()).is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Syncs with the engine's own waits until it succeeds.
    pub async fn sync_to_the_end(&mut self) -> Result<()> {
        let mut last = None;
        for attempt in 0..MAX_TRIES {
            match self.sync().await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let asked = error.retry_after_s().unwrap_or(1 << attempt.min(5));
                    last = Some(error);
                    tokio::time::sleep(std::time::Duration::from_secs(asked.into())).await;
                }
            }
        }
        bail!("phone {} does not come to the end: {last:?}", self.number)
    }

    fn on_store<T>(&mut self, with: impl FnOnce(&mut MemoryStore) -> Result<T, Infallible>) -> T {
        match self.store.transact(with) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    fn on_engine<T>(
        &mut self,
        with: impl FnOnce(&mut MemoryStore) -> Result<T, SyncError<Infallible>>,
    ) -> Result<T, TransportError> {
        self.store.transact(with).map_err(|e| TransportError::NotAnAnswer(e.to_string()))
    }
}
