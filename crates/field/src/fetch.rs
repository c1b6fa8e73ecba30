//! Files from the town: thumbnails after a sync on a line that costs nothing, originals when they are looked
//! at. What came is believed when its SHA-256 is its name.

use yaoguan_media::limits::MAX_BLOB_BYTES;
use yaoguan_model::BlobHash;
use yaoguan_store::{FileKind, NewFile};
use yaoguan_transport::{TownClient, TransportError};

use crate::error::FieldError;
use crate::media::PhotoSize;
use crate::phone::Phone;
use crate::sync::SyncSummary;

/// Thumbnails that one run fetches.
pub const THUMBS_PER_RUN: u32 = 300;
/// The town is asked again for a thumbnail that it had not after this long, in milliseconds: 5 minutes.
const ASK_AGAIN_MS: i64 = 5 * 60 * 1000;

impl Phone {
    /// Whether bytes cost money on the line that this phone is on, as the platform tells.
    pub fn set_metered(&mut self, metered: bool) {
        self.metered = metered;
    }

    /// Thumbnails of what this person may read and this phone has not.
    pub(crate) async fn fetch_thumbs(
        &mut self,
        client: &mut TownClient,
        summary: &mut SyncSummary,
    ) -> Result<(), FieldError> {
        if self.metered {
            return Ok(());
        }
        let since_ms = self.env.now_ms().saturating_sub(ASK_AGAIN_MS);
        for hash in self.store.missing_thumbs(since_ms, THUMBS_PER_RUN)? {
            summary.files_fetched += u64::from(self.fetch(client, hash, FileKind::Thumb).await?);
            summary.count(client.traffic);
        }
        self.keep_within_limit()?;
        Ok(())
    }

    /// Has a photo on this phone, from the town if need be.
    pub async fn fetch_photo(&mut self, hash: BlobHash, size: PhotoSize) -> Result<(), FieldError> {
        let hash = self.sized(hash, size)?;
        if self.files.len(hash).is_some() {
            return Ok(());
        }
        let kind = self.store.kind_by_reference(hash)?;
        // Nobody asks the town for what no record here refers to.
        let kind = kind.ok_or_else(|| FieldError::NotHere(hash.to_string()))?;
        let mut client = self.client()?;
        if self.fetch(&mut client, hash, kind).await? {
            self.keep_within_limit()?;
            return Ok(());
        }
        Err(FieldError::NotHere(hash.to_string()))
    }

    /// Fetches a file; false when the town has none of this name for this person.
    async fn fetch(
        &mut self,
        client: &mut TownClient,
        hash: BlobHash,
        kind: FileKind,
    ) -> Result<bool, FieldError> {
        let env = self.env.clone();
        let bytes = client.file(hash, MAX_BLOB_BYTES, env.as_ref()).await?;
        let at_ms = env.now_ms();
        let Some(bytes) = bytes else {
            self.transact(|tx| Ok::<_, FieldError>(tx.note_asked(hash, kind, at_ms)?))?;
            return Ok(false);
        };
        if BlobHash::of(&bytes) != hash {
            return Err(TransportError::NotAnAnswer(format!("other bytes than {hash}")).into());
        }
        let _gate = self.files.hold_gate()?;
        self.files.keep(hash, &bytes, env.as_ref())?;
        let size = bytes.len() as u64;
        let new = NewFile { hash, kind, size, is_own: false, thumb: None, at_ms };
        let state = self.store.state()?;
        let at = state.town_now_s(env.as_ref());
        self.transact(|tx| -> Result<(), FieldError> {
            tx.add_file(&new)?;
            // Whoever gives it has it.
            Ok(state.epoch.map_or(Ok(()), |epoch| tx.set_received(hash, epoch, at))?)
        })?;
        Ok(true)
    }
}
