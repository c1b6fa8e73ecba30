//! What the town knows of files: uploads under way, files received whole, and who may read which.

use std::collections::BTreeSet;

use async_trait::async_trait;
use uuid::Uuid;
use yaoguan_media::MediaType;
use yaoguan_model::cells::Cell;
use yaoguan_model::{AccountId, BlobHash, Record, RecordId};

use crate::error::TownError;

/// An upload that begins.
#[derive(Debug, Clone)]
pub struct NewUpload {
    pub id: Uuid,
    pub account: AccountId,
    pub hash: BlobHash,
    pub size: u64,
    pub expires_at: i64,
}

/// An upload as it stands.
#[derive(Debug, Clone)]
pub struct Upload {
    pub id: Uuid,
    pub account: AccountId,
    pub hash: BlobHash,
    pub size: u64,
    pub received: u64,
    /// Checked and kept.
    pub done: bool,
    pub expires_at: i64,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// So many bytes are there now.
    Upto(u64),
    /// It does not begin where the upload ends.
    OtherOffset,
    /// There is no such upload any more.
    Gone,
}

/// A file that the asker may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readable {
    pub media_type: MediaType,
    pub size: u64,
    /// A check of a household refers to it: reading it is a read of the household.
    pub of_household: bool,
}

/// Files. Each method is one transaction.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// False when the account has as many unfinished uploads as it may have.
    async fn begin_upload(&self, upload: NewUpload) -> Result<bool, TownError>;
    /// An upload of this account.
    async fn upload(
        &self,
        id: Uuid,
        account: AccountId,
        now: i64,
    ) -> Result<Option<Upload>, TownError>;
    async fn append(&self, id: Uuid, start: u64, bytes: Vec<u8>) -> Result<Appended, TownError>;
    /// All bytes of an upload so far.
    async fn upload_bytes(&self, id: Uuid) -> Result<Vec<u8>, TownError>;
    /// Forgets an upload and its bytes.
    async fn end_upload(&self, id: Uuid) -> Result<(), TownError>;
    /// The bytes of an upload are in the blob store.
    async fn keep_blob(
        &self,
        upload: Upload,
        media_type: MediaType,
        now: i64,
    ) -> Result<(), TownError>;
    /// The file, if a reader of these cells, or this account, may read it.
    async fn readable_blob(
        &self,
        hash: BlobHash,
        cells: Vec<Cell>,
        account: AccountId,
    ) -> Result<Option<Readable>, TownError>;
    /// Of these files, in their order, those that [`Self::readable_blob`] does not give.
    async fn unreadable_blobs(
        &self,
        hashes: Vec<BlobHash>,
        cells: Vec<Cell>,
        account: AccountId,
    ) -> Result<Vec<BlobHash>, TownError>;
    /// A record within these cells, and which of the files that it refers to have arrived.
    async fn with_files(
        &self,
        cells: Vec<Cell>,
        id: RecordId,
    ) -> Result<Option<(Record, BTreeSet<BlobHash>)>, TownError>;
    /// Every file, by name, with its size.
    async fn blobs(&self) -> Result<Vec<(BlobHash, u64)>, TownError>;
    /// The bytes of these files are gone: they have not been received, as far as anybody asks.
    async fn lose_blobs(&self, hashes: Vec<BlobHash>) -> Result<(), TownError>;
    /// Ends uploads whose time is over, and forgets files that nothing has referred to for long; their names
    /// are returned, so that the bytes go too.
    async fn forget_blobs(&self, now: i64) -> Result<Vec<BlobHash>, TownError>;
}
