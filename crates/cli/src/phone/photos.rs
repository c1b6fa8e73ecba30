//! Photos and tracks of records.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::json;
use yaoguan_field::{FieldError, FileState, FileView, Phone, PhotoSize};
use yaoguan_model::{BlobHash, RecordId};

use super::arguments::{Photos, TrackDo};
use super::exchange::failed;
use super::records::changed;
use crate::output::{Failure, Output};

pub(super) fn attach(
    phone: &mut Phone,
    output: &Output<'_>,
    id: RecordId,
    file: &Path,
) -> Result<(), Failure> {
    let bar = output.progress("rows");
    let attached = phone.attach_file(id, file)?;
    drop(bar);
    output.result(&json!({ "hash": attached.hash }), || vec![attached.hash.to_string()])
}

pub(super) async fn run(
    phone: &mut Phone,
    output: &Output<'_>,
    what: Photos,
) -> Result<(), Failure> {
    match what {
        Photos::List { id } => {
            let photos = phone.photos(id)?;
            output.result(&photos, || photos.iter().map(|photo| line(output, photo)).collect())
        }
        Photos::Save { hash, thumb, out } => {
            let size = if thumb { PhotoSize::Thumb } else { PhotoSize::Full };
            let bytes = fetched(phone, hash, size).await?;
            std::fs::write(&out, &bytes).map_err(failed(&out))?;
            let file = out.display().to_string();
            let value = json!({ "file": file, "bytes": bytes.len() });
            output.result(&value, || vec![file.clone()])
        }
        Photos::Remove { id, hash } => {
            phone.remove_photo(id, hash)?;
            output.result(&json!({ "id": id }), || vec![id.to_string()])
        }
        Photos::Send { id } => {
            phone.send_files_of(id)?;
            output.result(&json!({ "id": id }), || vec![output.words.say("say", "photos_go", &[])])
        }
        Photos::Free => {
            let freed = phone.free_photos(None)?;
            let (n, bytes) = (freed.files.to_string(), freed.bytes.to_string());
            let values = [("n", n.as_str()), ("bytes", &bytes)];
            output.result(&freed, || vec![output.words.say("say", "photos_freed", &values)])
        }
    }
}

pub(super) async fn track(
    phone: &mut Phone,
    output: &Output<'_>,
    what: TrackDo,
) -> Result<(), Failure> {
    match what {
        TrackDo::Drop { id } => changed(output, &phone.drop_track(id)?),
        TrackDo::Export { id, format, out } => {
            let mut bytes = Vec::new();
            let fixes = match phone.export_track(id, format, &mut bytes) {
                Err(FieldError::NotHere(name)) => {
                    let hash: BlobHash = name.parse().map_err(|_| FieldError::NotHere(name))?;
                    phone.fetch_photo(hash, PhotoSize::Full).await?;
                    phone.export_track(id, format, &mut bytes)?
                }
                exported => exported?,
            };
            let mut file = BufWriter::new(File::create(&out).map_err(failed(&out))?);
            file.write_all(&bytes).and_then(|()| file.flush()).map_err(failed(&out))?;
            let (n, name) = (fixes.to_string(), out.display().to_string());
            let values = [("n", n.as_str()), ("file", &name)];
            output.result(&json!({ "fixes": fixes, "file": name }), || {
                vec![output.words.say("say", "track_exported", &values)]
            })
        }
    }
}

/// The bytes of a photo, from the town if they are not here.
async fn fetched(
    phone: &mut Phone,
    hash: BlobHash,
    size: PhotoSize,
) -> Result<Vec<u8>, FieldError> {
    match phone.photo_bytes(hash, size, 0..u64::MAX) {
        Err(FieldError::NotHere(_)) => {
            phone.fetch_photo(hash, size).await?;
            Ok(phone.photo_bytes(hash, size, 0..u64::MAX)?.bytes)
        }
        read => Ok(read?.bytes),
    }
}

fn line(output: &Output<'_>, photo: &FileView) -> String {
    let key = match photo.state {
        FileState::OnPhone => "file_on_phone",
        FileState::Sending => "file_sending",
        FileState::WaitsForWifi => "file_waits_for_wifi",
        FileState::WaitsForHand => "file_waits_for_hand",
        FileState::Received => "file_received",
        FileState::Refused => "file_refused",
        FileState::AtTown => "file_at_town",
    };
    let percent = photo.percent.to_string();
    let values = [("percent", percent.as_str()), ("code", &photo.refused)];
    format!("{}  {} B  {}", photo.hash, photo.bytes, output.words.say("say", key, &values))
}
