//! Photos between the screens and the phone. Bytes never travel with commands: the dev server has a route for
//! them, the shell a scheme; a camera's picture is a file, which the command does not even name.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::runtime::Handle;
use yaoguan_field::{Attached, FieldError, PhotoPart, PhotoSize, durable, prepare_photo};
use yaoguan_model::{BlobHash, RecordId};

use crate::commands::{Failure, give};
use crate::host::Host;

/// The camera's picture, until it is attached.
const TAKEN: &str = "camera.tmp";

/// A picture that is to be attached.
#[derive(Debug)]
pub enum Picture {
    Bytes(Vec<u8>),
    /// A file of the system's own dialog.
    File(PathBuf),
}

/// Attaches a picture to a form or record. The phone is free for others while the picture is worked on.
///
/// # Errors
/// What [`Failure`] names.
pub async fn attach(host: Arc<Host>, target: RecordId, picture: Picture) -> Result<Json, Failure> {
    let attached = aside(move || attach_now(&host, target, picture)).await??;
    give(attached)
}

fn attach_now(host: &Host, target: RecordId, picture: Picture) -> Result<Attached, FieldError> {
    let attached = match picture {
        Picture::File(path) => host.open_phone()?.attach_file(target, &path)?,
        Picture::Bytes(bytes) => {
            let how = host.phone(|phone| phone.photo_how(target))?;
            let photo = prepare_photo(&bytes, &how)?;
            host.phone(|phone| phone.attach_photo(target, &photo))?
        }
    };
    if let Some(changed) = &attached.changed {
        host.changed(changed);
    }
    Ok(attached)
}

/// Has the platform's camera take a picture, and attaches it; none when the person took none. Blocks.
pub(crate) fn take(host: &Host, target: RecordId) -> Result<Option<Attached>, FieldError> {
    let Some(camera) = &host.platform.photo_capture else { return Ok(None) };
    let path = host.dir.join(TAKEN);
    let failed = |source| FieldError::Io { path: path.display().to_string(), source };
    durable::remove(&path).and_then(|()| durable::create_private(&path, true)).map_err(failed)?;
    let attached = match camera.take(&path) {
        Ok(true) => attach_now(host, target, Picture::File(path.clone())).map(Some),
        Ok(false) => Ok(None),
        Err(source) => Err(failed(source)),
    };
    // Attached or not: it lies here without a seal.
    durable::remove(&path).map_err(failed)?;
    attached
}

/// Of a camera that ended the app.
pub(crate) fn clear_taken(dir: &Path) -> io::Result<()> {
    durable::remove(&dir.join(TAKEN))
}

/// A part of a photo or thumbnail, fetched from the town if it is not on this phone.
///
/// # Errors
/// What [`Failure`] names.
pub async fn photo(
    host: Arc<Host>,
    hash: BlobHash,
    size: PhotoSize,
    range: Range<u64>,
) -> Result<PhotoPart, Failure> {
    let runtime = Handle::current();
    let read = move || match host.phone(|phone| phone.photo_bytes(hash, size, range.clone())) {
        Err(FieldError::NotHere(_)) if host.pulse(|pulse| pulse.now().online) => {
            // Another connection: the phone is not held while the line works.
            runtime.block_on(host.open_phone()?.fetch_photo(hash, size))?;
            host.phone(|phone| phone.photo_bytes(hash, size, range))
        }
        read => read,
    };
    Ok(aside(read).await??)
}

async fn aside<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::Body(error.to_string()))
}
