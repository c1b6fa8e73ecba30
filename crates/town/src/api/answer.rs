//! The answer to a sync as it grows: verdicts, then a page of the feed.

use yaoguan_model::{Record, RecordId, ReplicaId};
use yaoguan_wire::{FeedItem, HoldNews, ReplicaTable, Scope, SyncRequest, SyncResponse, Verdict};

use super::sync::bound_to;
use crate::cursor::{self, Cursor};
use crate::people::Account;
use crate::pull::{Page, Row};
use crate::storage::{Outcome, TownInfo};

pub struct Answer<'a> {
    info: &'a TownInfo,
    account: &'a Account,
    table: ReplicaTable,
    verdicts: Vec<Verdict>,
    asked_cursor: Option<String>,
    asked_scope: u64,
    now: i64,
    pub holds: Vec<HoldNews>,
    pub reconcile: bool,
    pub root: Option<String>,
}

/// A person's scope, in full when the phone's version is another.
pub fn scope_of(account: &Account, asked: u64) -> Scope {
    let other = account.scope_version != asked;
    Scope {
        version: account.scope_version,
        role: other.then_some(account.role),
        grids: other.then(|| account.grids.iter().cloned().collect()),
    }
}

impl<'a> Answer<'a> {
    pub fn new(info: &'a TownInfo, account: &'a Account, request: &SyncRequest, now: i64) -> Self {
        Self {
            info,
            account,
            table: ReplicaTable::default(),
            verdicts: Vec::new(),
            asked_cursor: request.cursor.clone(),
            asked_scope: request.scope_version,
            now,
            holds: Vec::new(),
            reconcile: false,
            root: None,
        }
    }

    /// Returns the records that need not go back.
    pub fn add_verdicts(&mut self, pushed: Vec<(Record, Outcome)>) -> Vec<RecordId> {
        let mut as_pushed = Vec::new();
        for (record, outcome) in pushed {
            if outcome.as_pushed {
                as_pushed.push(record.id);
            }
            let context = self.table.pack_context(&record.context);
            self.verdicts.push(Verdict { id: record.id, context, judgement: outcome.judgement });
        }
        as_pushed
    }

    /// The verdicts alone, with the table that they index.
    pub fn into_verdicts(self) -> (Vec<Verdict>, Vec<ReplicaId>) {
        (self.verdicts, self.table.into_ids())
    }

    /// The answer to a phone of another epoch: nothing merged, nothing sent.
    pub fn empty(self) -> SyncResponse {
        let cursor = self.asked_cursor.clone().unwrap_or_default();
        self.finish(Vec::new(), cursor, true, 0)
    }

    pub fn with_page(mut self, page: Page, next: Cursor, more: bool) -> SyncResponse {
        let bound_to = bound_to(&self.account.id, self.info);
        let cursor = cursor::seal(&self.info.cursor_secret, &bound_to, next);
        let item = |row: Row| match row {
            Row::Record(record) => {
                FeedItem { record: Some(self.table.pack_owned(*record)), ..FeedItem::default() }
            }
            Row::Left(id) => FeedItem { left: Some(id), ..FeedItem::default() },
            Row::Purged(id) => FeedItem { purged: Some(id), ..FeedItem::default() },
        };
        let feed = page.rows.into_iter().map(item).collect();
        self.finish(feed, cursor, more, page.head)
    }

    fn finish(self, feed: Vec<FeedItem>, cursor: String, more: bool, head: u64) -> SyncResponse {
        SyncResponse {
            epoch: self.info.epoch,
            verdicts: self.verdicts,
            replicas: self.table.into_ids(),
            feed,
            cursor,
            more,
            head,
            scope: scope_of(self.account, self.asked_scope),
            root: self.root,
            reconcile: self.reconcile,
            holds: self.holds,
            town_time: self.now,
        }
    }
}
