//! Photos and tracks: is each of them where the town keeps them? Their bytes are looked at by
//! `yaoguan-town blobs check`.

use std::collections::BTreeSet;

use yaoguan_model::BlobHash;

use super::{Check, Patient};
use crate::audit::hex;
use crate::blobs::Kept;
use crate::error::TownError;
use crate::key_file;
use crate::storage::sqlite::examine::Inside;

pub(super) async fn look(patient: &Patient<'_>, inside: &Inside) -> Check {
    const NAME: &str = "files";
    match there(patient, inside).await {
        Err(error) => Check::bad(NAME, "files_unreachable").with("detail", error),
        Ok(there) => match inside.blobs.difference(&there).count() {
            0 => Check::ok(NAME, "files_there").with("n", inside.blobs.len()),
            n => Check::bad(NAME, "files_missing").with("n", n),
        },
    }
}

async fn there(patient: &Patient<'_>, inside: &Inside) -> Result<BTreeSet<BlobHash>, TownError> {
    let key = key_file::read(patient.key_file, patient.data)?;
    let kept = Kept::at(patient.blobs, patient.data, &hex(&inside.town), &key)?;
    Ok(kept.store.names().await?.into_iter().collect())
}
