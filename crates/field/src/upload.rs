//! Sends photos and tracks, after all records: thumbnails first. Each goes in chunks, and goes on where the
//! town's count of its bytes says, whatever broke in between.
//!
//! A save that comes meanwhile interrupts at the end of a chunk. A file that the town will not have is not
//! sent again until the person asks; one that it fails over comes after all others, and a few times only.

use std::collections::BTreeSet;

use yaoguan_model::{BlobHash, blob};
use yaoguan_store::{FileKind, MediaFile};
use yaoguan_transport::{TownClient, TransportError};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_FILES_ASKED;

use crate::error::FieldError;
use crate::phone::Phone;
use crate::sync::SyncSummary;

/// The town fails over one file this often before it is given up.
pub const MAX_TRIES: u32 = 10;
/// A file's upload is looked up, or begun anew, this often in one run.
const MAX_RESUMES: u32 = 8;

/// Bytes of the first chunk, and the least and most of one: what a break costs is small beside what went.
pub const CHUNK_BYTES: u64 = 32 * 1024;
pub const MIN_CHUNK_BYTES: u64 = 32 * 1024;
pub const MAX_CHUNK_BYTES: u64 = 4 * 1024 * 1024;
/// So many chunks in a row that took less than this make the next ones twice as large, one that took more
/// half as large.
const GROWS_AFTER: u32 = 32;
const QUICK_MS: i64 = 2_000;
const SLOW_MS: i64 = 8_000;

/// How a round of sending ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Nothing is left that may go now.
    All,
    /// Something was saved: records go first.
    Interrupted,
}

/// How sending one file ended.
enum End {
    Received,
    Interrupted,
    /// Not sent any more.
    Refused,
}

/// As much in one chunk as the line carries in a few seconds.
struct Pace {
    bytes: u64,
    /// Quick chunks in a row.
    quick: u32,
}

impl Pace {
    fn took(&mut self, ms: i64) {
        if ms > SLOW_MS {
            self.bytes = (self.bytes / 2).max(MIN_CHUNK_BYTES);
            self.quick = 0;
        } else if ms < QUICK_MS {
            self.quick += 1;
            if self.quick >= GROWS_AFTER {
                self.bytes = (self.bytes * 2).min(MAX_CHUNK_BYTES);
                self.quick = 0;
            }
        }
    }
}

/// One round of sending.
struct Round<'a, P> {
    client: &'a mut TownClient,
    summary: &'a mut SyncSummary,
    progress: &'a mut P,
    pace: Pace,
    /// The phone's commit counter when all records had been sent.
    counter: u64,
}

impl Phone {
    /// Files that go on this line now, in the order they go.
    pub(crate) fn files_to_go(&self) -> Result<Vec<MediaFile>, FieldError> {
        let rules = self.sending()?;
        let mut files = self.store.files_to_send(rules.epoch)?;
        if files.is_empty() {
            return Ok(files);
        }
        let held = self.held_files()?;
        files.retain(|file| (file.is_referred || held.contains(&file.hash)) && rules.goes(file));
        Ok(files)
    }

    /// What saves refer to that the town holds: it keeps these files too.
    fn held_files(&self) -> Result<BTreeSet<BlobHash>, FieldError> {
        let saves = self.store.quarantined()?.into_iter().map(|entry| entry.save);
        let held = saves.filter(|save| save.hold.is_some()).flat_map(|save| {
            blob::references_of_changes(&save.kept.about.kind, &save.kept.changes)
        });
        Ok(held.collect())
    }

    /// Asks the town which of the files here it has lost, also of those that came from there: whoever holds one
    /// sends it again. Each file is asked about once in an epoch.
    async fn confirm_files(&mut self, client: &mut TownClient) -> Result<(), FieldError> {
        let env = self.env.clone();
        loop {
            let state = self.store.state()?;
            let Some(epoch) = state.epoch.filter(|_| !state.reconcile) else { return Ok(()) };
            let files = self.store.files_to_confirm(epoch, MAX_FILES_ASKED)?;
            if files.is_empty() {
                return Ok(());
            }
            let names = files.iter().map(|file| file.hash).collect();
            let missing: BTreeSet<BlobHash> = match client.missing_files(names, env.as_ref()).await
            {
                Ok(missing) => missing.into_iter().collect(),
                // An older town; what is this phone's own is asked about one by one.
                Err(error) if error.code() == Some(&ErrorCode::NotFound) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let at = state.town_now_s(env.as_ref());
            self.transact(|tx| -> Result<(), FieldError> {
                for file in &files {
                    match missing.contains(&file.hash) {
                        true => tx.take_over(file.hash)?,
                        false => tx.set_received(file.hash, epoch, at)?,
                    }
                }
                Ok(())
            })?;
        }
    }

    /// Sends until nothing may go any more, or a save comes.
    pub(crate) async fn send_files(
        &mut self,
        client: &mut TownClient,
        summary: &mut SyncSummary,
        progress: &mut impl FnMut(&SyncSummary),
    ) -> Result<Sent, FieldError> {
        self.confirm_files(client).await?;
        let counter = self.store.state()?.counter;
        let pace = Pace { bytes: CHUNK_BYTES, quick: 0 };
        let mut round = Round { client, summary, progress, pace, counter };
        let mut failed: Option<FieldError> = None;
        let mut left: BTreeSet<BlobHash> = BTreeSet::new();
        loop {
            let files = self.files_to_go()?;
            round.summary.files_waiting = files.len() as u64;
            let Some(file) = files.into_iter().find(|file| !left.contains(&file.hash)) else {
                break;
            };
            match self.send_file(&mut round, &file).await {
                Ok(End::Received) => {}
                Ok(End::Interrupted) => return Ok(Sent::Interrupted),
                Ok(End::Refused) => round.summary.files_refused += 1,
                Err(FieldError::Transport(TransportError::Refused(body)))
                    if is_of_file(&body.code) =>
                {
                    self.count_try(&file, body.code.as_str())?;
                    left.insert(file.hash);
                    failed = Some(TransportError::Refused(body).into());
                }
                Err(error) => return Err(error),
            }
        }
        failed.map_or(Ok(Sent::All), Err)
    }

    async fn send_file<P: FnMut(&SyncSummary)>(
        &mut self,
        round: &mut Round<'_, P>,
        file: &MediaFile,
    ) -> Result<End, FieldError> {
        let env = self.env.clone();
        if !self.is_sendable(file)? {
            return Ok(End::Refused);
        }
        if file.epoch.is_some() {
            // Received by another line of the town's history: does this one have it?
            if round.client.has_file(file.hash, env.as_ref()).await? {
                self.receive(file)?;
                round.summary.files_sent += 1;
                return Ok(End::Received);
            }
            self.transact(|tx| Ok::<_, FieldError>(tx.void_receipt(file.hash)?))?;
        }
        let mut upload = file.upload.clone();
        for _ in 0..MAX_RESUMES {
            let goes_on = match upload.take() {
                Some(path) => match round.client.upload_offset(&path, env.as_ref()).await {
                    Ok(at) => Some((path, at)),
                    // Forgotten by the town: begin anew.
                    Err(error) if error.code() == Some(&ErrorCode::NotFound) => None,
                    Err(error) => return Err(error.into()),
                },
                None => None,
            };
            let (path, at) = match goes_on {
                Some(known) => known,
                None => (round.client.begin_upload(file.hash, file.size, env.as_ref()).await?, 0),
            };
            self.note_sent(file, &path, at)?;
            match self.send_chunks(round, file, &path, at).await {
                Err(FieldError::Transport(TransportError::Refused(body))) => {
                    use ErrorCode::{BlobRefused, NotFound, OffsetMismatch, Timeout, TooLarge};
                    if matches!(body.code, BlobRefused | TooLarge) {
                        return self.refuse(file, body.code.as_str());
                    }
                    if !matches!(body.code, OffsetMismatch | Timeout | NotFound) {
                        return Err(TransportError::Refused(body).into());
                    }
                    upload = Some(path);
                }
                ended => return ended,
            }
        }
        Err(FieldError::Protocol(format!("the upload of {} does not go on", file.hash)))
    }

    async fn send_chunks<P: FnMut(&SyncSummary)>(
        &mut self,
        round: &mut Round<'_, P>,
        file: &MediaFile,
        path: &str,
        mut at: u64,
    ) -> Result<End, FieldError> {
        let env = self.env.clone();
        while at < file.size {
            let chunk = match self.files.read(file.hash, at..at + round.pace.bytes) {
                Ok(Some(chunk)) if !chunk.is_empty() => chunk,
                Ok(_) => return self.refuse(file, "file_missing"),
                Err(FieldError::FileBroken(_)) => return self.refuse(file, "file_broken"),
                Err(error) => return Err(error),
            };
            let begun_ms = env.boot_elapsed_ms();
            let bytes = chunk.len() as u64;
            let sent = round.client.append(path, at, chunk, env.as_ref()).await;
            round.pace.took(env.boot_elapsed_ms().saturating_sub(begun_ms));
            at = sent?;
            round.summary.file_bytes += bytes;
            self.note_sent(file, path, at)?;
            round.summary.count(round.client.traffic);
            (round.progress)(round.summary);
            if at < file.size && self.has_new_saves(round.counter)? {
                return Ok(End::Interrupted);
            }
        }
        self.receive(file)?;
        round.summary.files_sent += 1;
        Ok(if self.has_new_saves(round.counter)? { End::Interrupted } else { End::Received })
    }

    /// Something was saved since all records had been sent.
    fn has_new_saves(&mut self, counter: u64) -> Result<bool, FieldError> {
        Ok(self.store.state()?.counter != counter && self.sendable()? > 0)
    }

    /// A file that cannot be read here any more is said to be so.
    fn is_sendable(&mut self, file: &MediaFile) -> Result<bool, FieldError> {
        match self.files.read(file.hash, 0..1) {
            Ok(Some(_)) => Ok(true),
            Ok(None) => self.refuse(file, "file_missing").map(|_| false),
            Err(FieldError::FileBroken(_)) => self.refuse(file, "file_broken").map(|_| false),
            Err(error) => Err(error),
        }
    }

    fn note_sent(&mut self, file: &MediaFile, path: &str, at: u64) -> Result<(), FieldError> {
        self.transact(|tx| Ok::<_, FieldError>(tx.set_upload(file.hash, Some(path), at)?))
    }

    fn receive(&mut self, file: &MediaFile) -> Result<(), FieldError> {
        let state = self.store.state()?;
        let Some(epoch) = state.epoch else { return Ok(()) };
        let at = state.town_now_s(self.env.as_ref());
        self.transact(|tx| Ok::<_, FieldError>(tx.set_received(file.hash, epoch, at)?))
    }

    fn refuse(&mut self, file: &MediaFile, code: &str) -> Result<End, FieldError> {
        self.transact(|tx| Ok::<_, FieldError>(tx.refuse_file(file.hash, code)?))?;
        Ok(End::Refused)
    }

    fn count_try(&mut self, file: &MediaFile, code: &str) -> Result<(), FieldError> {
        if file.tries + 1 >= MAX_TRIES {
            return self.refuse(file, code).map(|_| ());
        }
        self.transact(|tx| Ok::<_, FieldError>(tx.count_try(file.hash)?))
    }

    /// Photos and tracks that go with the next sync, and their bytes that are not at the town yet.
    pub(crate) fn files_waiting(&self) -> Result<(u64, u64), FieldError> {
        let files = self.files_to_go()?;
        let bytes = files.iter().map(|file| file.size.saturating_sub(file.sent)).sum();
        // Thumbnails count when there is nothing else: a person counts photos.
        let counted = files.iter().filter(|file| file.kind != FileKind::Thumb).count();
        Ok((counted.max(usize::from(!files.is_empty())) as u64, bytes))
    }
}

/// Whether an answer is about this file rather than about this phone, the line or the town as a whole.
fn is_of_file(code: &ErrorCode) -> bool {
    !matches!(
        code,
        ErrorCode::Unauthorised
            | ErrorCode::ClockSkew
            | ErrorCode::DeviceRevoked
            | ErrorCode::AccountDisabled
            | ErrorCode::RateLimited
            | ErrorCode::Busy
            | ErrorCode::StorageFull
            | ErrorCode::UnsupportedProtocol
    )
}
