//! Photos of forms and records: attached, taken off, listed, shown.
//!
//! [`prepare_photo`] does the heavy work and needs no phone, so that the screens go on meanwhile. A photo's
//! bytes are on the disk before a draft or record refers to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};
pub use yaoguan_media::PhotoError;
pub use yaoguan_media::limits::MAX_SOURCE_BYTES;
use yaoguan_media::limits::{LARGE_PHOTO_PX, PHOTO_PX};
use yaoguan_media::{Photo, Watermark};
use yaoguan_model::blob::PHOTOS;
use yaoguan_model::limits::MAX_PHOTOS;
use yaoguan_model::schema::{Invalid, Problem};
use yaoguan_model::{BlobHash, FieldPath, Kind, Position, Record, RecordId, Value};
use yaoguan_store::draft::Draft;
use yaoguan_store::{FileKind, MediaFile, NewFile};

use crate::edit::{Changed, Edit};
use crate::error::FieldError;
use crate::folder::io;
use crate::phone::Phone;
use crate::settings::Settings;

/// A look at a file is noted at most this often, in milliseconds: an hour.
const USE_NOTED_MS: i64 = 60 * 60 * 1000;

/// How a picture becomes a photo of this form or record.
#[derive(Debug, Clone)]
pub struct PhotoHow(yaoguan_media::Settings);

/// A photo that was attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Attached {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub hash: BlobHash,
    /// Set when it was attached to a saved record.
    pub changed: Option<Changed>,
}

/// Which bytes of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoSize {
    Thumb,
    Full,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoPart {
    pub bytes: Vec<u8>,
    /// Length of the whole.
    pub len: u64,
}

/// Where a file stands; the screen has words for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub enum FileState {
    /// On this phone alone, and goes with the next sync.
    OnPhone,
    /// A part of it is at the town.
    Sending,
    /// Waits for a line that costs nothing.
    WaitsForWifi,
    /// Waits for the person to send it.
    WaitsForHand,
    Received,
    /// Not sent any more: see its refusal.
    Refused,
    /// Not on this phone; fetched when it is looked at.
    AtTown,
}

/// A photo, or a track, as a screen shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct FileView {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub hash: BlobHash,
    pub caption: String,
    /// Seconds, by the clock of the phone that took it.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub taken_at: Option<i64>,
    pub state: FileState,
    /// Of it that the town has, while it is being sent.
    pub percent: u8,
    /// Why it is not sent any more: `file_broken`, `file_missing`, or as the town gave it.
    pub refused: String,
    /// All of it can be shown without a line.
    pub here: bool,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes: u64,
}

/// Makes a photo and its thumbnail of a picture. Takes its time: not for the thread of the screens.
pub fn prepare_photo(picture: &[u8], how: &PhotoHow) -> Result<Photo, FieldError> {
    Ok(yaoguan_media::prepare(picture, &how.0)?)
}

impl Phone {
    /// How pictures become photos here: size and watermark, as the person has set.
    pub fn photo_how(&self, target: RecordId) -> Result<PhotoHow, FieldError> {
        let settings = self.settings()?;
        let longest_px = if settings.large_photos { LARGE_PHOTO_PX } else { PHOTO_PX };
        let watermark = match settings.watermark {
            true => Some(self.watermark(target)?),
            false => None,
        };
        Ok(PhotoHow(yaoguan_media::Settings { longest_px, watermark }))
    }

    fn watermark(&self, target: RecordId) -> Result<Watermark, FieldError> {
        let (draft, record) = (self.store.draft(target.0)?, self.store.get(target)?);
        let value = |path: &str| {
            let typed = draft.as_ref().and_then(|draft| draft.values.get(path).cloned().flatten());
            typed.or_else(|| record.as_ref()?.record.shown(path).cloned())
        };
        let position = value("position").as_ref().and_then(Position::of);
        let grid = match value("grid").as_ref().and_then(Value::as_text) {
            Some(code) => code.parse().ok(),
            None => match position {
                Some(position) => self.boundaries()?.find(position).cloned(),
                None => None,
            },
        };
        Ok(Watermark { at: self.env.now_s(), grid, position })
    }

    /// Attaches a picture that lies in a file: all at once, for programs without a screen.
    pub fn attach_file(&mut self, target: RecordId, path: &Path) -> Result<Attached, FieldError> {
        let size = std::fs::metadata(path).map_err(|e| io(path, e))?.len();
        if size > MAX_SOURCE_BYTES as u64 {
            return Err(PhotoError::TooLarge.into());
        }
        let picture = std::fs::read(path).map_err(|e| io(path, e))?;
        let photo = prepare_photo(&picture, &self.photo_how(target)?)?;
        self.attach_photo(target, &photo)
    }

    /// Attaches a photo to a form that is open, or to a record, which is saved. Attached twice it is there
    /// once.
    pub fn attach_photo(
        &mut self,
        target: RecordId,
        photo: &Photo,
    ) -> Result<Attached, FieldError> {
        let hash = photo.full.hash;
        if self.photo_set(target)?.contains(&hash) {
            return Ok(Attached { hash, changed: None });
        }
        self.check_room(target)?;
        let _gate = self.files.hold_gate()?;
        let env = self.env.clone();
        self.files.keep(photo.thumbnail.hash, &photo.thumbnail.jpeg, env.as_ref())?;
        self.files.keep(hash, &photo.full.jpeg, env.as_ref())?;
        let at_ms = env.now_ms();
        let new = |picture: &yaoguan_media::Picture, kind, thumb| NewFile {
            hash: picture.hash,
            kind,
            size: picture.jpeg.len() as u64,
            is_own: true,
            thumb,
            at_ms,
        };
        let thumb = photo.thumbnail.hash;
        let files = [
            new(&photo.thumbnail, FileKind::Thumb, None),
            new(&photo.full, FileKind::Photo, Some(thumb)),
        ];
        let value = Value::map([
            ("taken_at", Value::Int(env.now_s())),
            ("thumb", Value::text(thumb.to_string())),
        ]);
        let path = photo_path(hash)?;
        match self.store.draft(target.0)? {
            Some(mut draft) => {
                draft.values.insert(path, Some(value));
                draft.updated_at = at_ms;
                self.transact(|tx| -> Result<(), FieldError> {
                    files.iter().try_for_each(|file| tx.add_file(file))?;
                    Ok(tx.put_draft(&draft)?)
                })?;
                Ok(Attached { hash, changed: None })
            }
            None => {
                let form = self.open_form(target)?;
                self.transact(|tx| -> Result<(), FieldError> {
                    Ok(files.iter().try_for_each(|file| tx.add_file(file))?)
                })?;
                let changed = self.save(&form, Edit::from([(path, Some(value))]))?;
                Ok(Attached { hash, changed: Some(changed) })
            }
        }
    }

    /// Takes a photo off a form or a record. Its bytes go with the next sweep, if nothing else shows it.
    pub fn remove_photo(
        &mut self,
        target: RecordId,
        hash: BlobHash,
    ) -> Result<Option<Changed>, FieldError> {
        let path = photo_path(hash)?;
        let Some(mut draft) = self.store.draft(target.0)? else {
            let form = self.open_form(target)?;
            return self.save(&form, Edit::from([(path, None)])).map(Some);
        };
        let stands = match draft.record {
            Some(id) => !self.find(id)?.siblings(path.as_str()).is_empty(),
            None => false,
        };
        if stands {
            draft.values.insert(path, None);
        } else {
            draft.values.remove(&path);
        }
        draft.updated_at = self.env.now_ms();
        self.put_draft(&draft)?;
        Ok(None)
    }

    /// Photos of a form that is open, or of a record; first taken first.
    pub fn photos(&self, target: RecordId) -> Result<Vec<FileView>, FieldError> {
        let rules = self.sending()?;
        let mut views = Vec::new();
        for (hash, value) in self.photo_values(target)? {
            let mut view = self.file_view(hash, &rules)?;
            view.caption =
                value.get("caption").and_then(Value::as_text).unwrap_or_default().to_owned();
            view.taken_at = value.get("taken_at").and_then(Value::as_int);
            views.push(view);
        }
        views.sort_by_key(|view| (view.taken_at, view.hash));
        Ok(views)
    }

    /// The track of a patrol, if it has one.
    pub fn track_of(&self, record: &Record) -> Result<Option<FileView>, FieldError> {
        let Some(hash) = track_hash(record) else { return Ok(None) };
        Ok(Some(self.file_view(hash, &self.sending()?)?))
    }

    /// The person asks for the photos and the track of a record to be sent, whatever was set or refused.
    pub fn send_files_of(&mut self, record: RecordId) -> Result<(), FieldError> {
        let files = self.store.references(record)?;
        self.transact(|tx| -> Result<(), FieldError> {
            Ok(files.iter().try_for_each(|file| tx.send_by_hand(file.hash))?)
        })
    }

    /// Bytes of a photo on this phone, decrypted; a thumbnail where there is one.
    pub fn photo_bytes(
        &mut self,
        hash: BlobHash,
        size: PhotoSize,
        range: Range<u64>,
    ) -> Result<PhotoPart, FieldError> {
        let hash = self.sized(hash, size)?;
        let not_here = || FieldError::NotHere(hash.to_string());
        let bytes = self.files.read(hash, range)?.ok_or_else(not_here)?;
        let len = self.files.len(hash).ok_or_else(not_here)?;
        let now = self.env.now_ms();
        if self.store.media_last_used(hash)?.is_some_and(|at| at.saturating_add(USE_NOTED_MS) < now)
        {
            // What cannot be noted is shown all the same.
            _ = self.transact(|tx| Ok::<_, FieldError>(tx.use_file(hash, now)?));
        }
        Ok(PhotoPart { bytes, len })
    }

    /// The file that is shown for a photo in this size.
    pub(crate) fn sized(&self, hash: BlobHash, size: PhotoSize) -> Result<BlobHash, FieldError> {
        Ok(match size {
            PhotoSize::Full => hash,
            PhotoSize::Thumb => self.store.thumb_of(hash)?.unwrap_or(hash),
        })
    }

    fn file_view(&self, hash: BlobHash, rules: &Sending) -> Result<FileView, FieldError> {
        let file = self.store.media_file(hash)?;
        let percent = |file: &MediaFile| 100 * file.sent / file.size.max(1);
        Ok(FileView {
            hash,
            caption: String::new(),
            taken_at: None,
            state: file.as_ref().map_or(FileState::AtTown, |file| rules.state(file)),
            percent: file.as_ref().map_or(0, |file| u8::try_from(percent(file)).unwrap_or(100)),
            refused: file.as_ref().and_then(|file| file.refused.clone()).unwrap_or_default(),
            here: file.as_ref().is_some_and(|file| file.is_here),
            bytes: file.map_or(0, |file| file.size),
        })
    }

    /// Photos and what stands with them: of a form as it would be saved.
    fn photo_values(&self, target: RecordId) -> Result<BTreeMap<BlobHash, Value>, FieldError> {
        let mut values = BTreeMap::new();
        let draft = self.store.draft(target.0)?;
        let record = match &draft {
            Some(Draft { record: None, .. }) => None,
            Some(_) | None => Some(self.find(target)?),
        };
        let of_path = |path: &FieldPath| -> Option<BlobHash> {
            path.key().filter(|_| path.head() == PHOTOS)?.parse().ok()
        };
        for path in record.iter().flat_map(|record| record.fields.keys()) {
            let shown = record.as_ref().and_then(|record| record.shown(path.as_str()));
            if let (Some(hash), Some(value)) = (of_path(path), shown) {
                values.insert(hash, value.clone());
            }
        }
        for (path, value) in draft.into_iter().flat_map(|draft| draft.values) {
            match (of_path(&path), value) {
                (Some(hash), Some(value)) => _ = values.insert(hash, value),
                (Some(hash), None) => _ = values.remove(&hash),
                (None, _) => {}
            }
        }
        Ok(values)
    }

    fn photo_set(&self, target: RecordId) -> Result<BTreeSet<BlobHash>, FieldError> {
        Ok(self.photo_values(target)?.into_keys().collect())
    }

    /// A form that is full says so before the picture is worked on any further.
    fn check_room(&self, target: RecordId) -> Result<(), FieldError> {
        if self.photo_set(target)?.len() < MAX_PHOTOS {
            return Ok(());
        }
        let path = PHOTOS.parse().map_err(bad_path)?;
        Err(Invalid { path, problem: Problem::TooMany(MAX_PHOTOS) }.into())
    }

    /// What is sent now, and what waits for what.
    pub(crate) fn sending(&self) -> Result<Sending, FieldError> {
        let state = self.store.state()?;
        Ok(Sending { epoch: state.epoch, settings: self.settings()?, metered: self.metered })
    }
}

/// Photos up to this size go on any line, unless the person has set something else: 1 MiB.
pub const ANY_LINE_BYTES: u64 = 1 << 20;

/// What decides whether a file is sent now.
#[derive(Debug, Clone)]
pub(crate) struct Sending {
    pub(crate) epoch: Option<yaoguan_wire::Epoch>,
    settings: Settings,
    metered: bool,
}

impl Sending {
    /// The town has it, in this epoch.
    pub(crate) fn is_received(&self, file: &MediaFile) -> bool {
        file.epoch.is_some() && file.epoch == self.epoch
    }

    pub(crate) fn state(&self, file: &MediaFile) -> FileState {
        if self.is_received(file) {
            return FileState::Received;
        }
        if !file.is_own {
            return if file.is_here { FileState::Received } else { FileState::AtTown };
        }
        if file.refused.is_some() {
            return FileState::Refused;
        }
        let waits = match (file.kind, file.by_hand, self.settings.originals.as_str(), self.metered)
        {
            (FileKind::Thumb | FileKind::Track, ..) | (_, true, ..) | (_, _, "always", _) => None,
            (FileKind::Photo, false, "by_hand", _) => Some(FileState::WaitsForHand),
            (FileKind::Photo, false, _, false) => None,
            (FileKind::Photo, false, "wifi", true) => Some(FileState::WaitsForWifi),
            (FileKind::Photo, false, _, true) => {
                (file.size > ANY_LINE_BYTES).then_some(FileState::WaitsForWifi)
            }
        };
        let under_way = if file.sent > 0 { FileState::Sending } else { FileState::OnPhone };
        waits.unwrap_or(under_way)
    }

    /// It goes now.
    pub(crate) fn goes(&self, file: &MediaFile) -> bool {
        matches!(self.state(file), FileState::OnPhone | FileState::Sending)
    }
}

pub(crate) fn track_hash(record: &Record) -> Option<BlobHash> {
    let text = record.shown_text("track").filter(|_| record.kind == Kind::Patrol)?;
    text.parse().ok()
}

fn photo_path(hash: BlobHash) -> Result<FieldPath, FieldError> {
    format!("{PHOTOS}.{hash}").parse().map_err(bad_path)
}

fn bad_path(error: yaoguan_model::path::BadPath) -> FieldError {
    FieldError::Protocol(error.to_string())
}
