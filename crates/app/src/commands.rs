//! Commands of the screens: a name and JSON in, JSON out. Each is a line over `field`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use yaoguan_field::{
    Changed, FieldError, FormPatch, FormStart, ListQuery, MapBox, Nearby, Phone, personal_numbers,
    values,
};
use yaoguan_model::risk::Answer;
use yaoguan_model::{BlobHash, RecordId};

use crate::host::{Host, locked};
use crate::platform::Line;
use crate::{media, people};

/// Why a command gave nothing.
#[derive(Debug)]
pub enum Failure {
    /// `field` refused it.
    Field(FieldError),
    /// Another app has the data folder.
    InUse,
    /// There is no such command.
    Unknown,
    /// Its input does not read, or its thread ended.
    Body(String),
}

impl Failure {
    /// What a screen branches on.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Field(error) => json!({
                "code": error.code(), "detail": error.to_string(), "path": error.path(),
                "town_code": error.town_code(),
            }),
            Self::InUse => json!({ "code": "in_use", "detail": "" }),
            Self::Unknown => json!({ "code": "unknown_command", "detail": "" }),
            Self::Body(detail) => json!({ "code": "bad_request", "detail": detail }),
        }
    }
}

impl From<FieldError> for Failure {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

#[derive(Deserialize)]
struct ById {
    id: RecordId,
}
#[derive(Deserialize)]
struct ByNumber {
    number: i64,
}
#[derive(Deserialize)]
struct Mended {
    number: i64,
    values: Json,
}
#[derive(Deserialize)]
struct Answers {
    answers: BTreeMap<String, Answer>,
}
#[derive(Deserialize)]
struct Words {
    text: String,
}
#[derive(Deserialize)]
struct Online {
    online: bool,
    /// Bytes cost money on it.
    metered: Option<bool>,
}
#[derive(Deserialize)]
struct PhotoOf {
    id: RecordId,
    hash: BlobHash,
}
#[derive(Deserialize)]
struct Room {
    bytes: Option<u64>,
}

/// Runs one command on a thread that may block.
///
/// # Errors
/// What [`Failure`] names.
pub async fn run(
    host: Arc<Host>,
    command: String,
    body: impl AsRef<[u8]> + Send + 'static,
) -> Result<Json, Failure> {
    if host.is_taken() {
        return Err(Failure::InUse);
    }
    let runtime = tokio::runtime::Handle::current();
    let work = move || {
        let body = if body.as_ref().is_empty() { b"{}" } else { body.as_ref() };
        if let Some(done) = people::run(&host, &command, body, &runtime) {
            return done;
        }
        match command.as_str() {
            "sync" | "line" | "sync_now" | "position" | "settings" | "set_settings" => {
                of_host(&host, &command, body)
            }
            "personal_numbers" => give(personal_numbers(&read::<Words>(body)?.text)),
            "has_camera" => give(host.platform.photo_capture.is_some()),
            "take_photo" => give(media::take(&host, read::<ById>(body)?.id)?),
            "map" => give(host.map.shown()?),
            "remove_map" => give(host.map.remove()?),
            "want_map" => {
                host.map.want_again()?;
                host.wake();
                give(())
            }
            _ => {
                let given = of_phone(&host, &command, body)?;
                keep_alive(&host, &command);
                Ok(given)
            }
        }
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Failure::Body(error.to_string())))
}

/// A patrol keeps the app running, its end no longer does.
fn keep_alive(host: &Host, command: &str) {
    match command {
        "start_patrol" => host.platform.keep_alive.hold(),
        "stop_patrol" | "discard_patrol" => host.platform.keep_alive.release(),
        _ => {}
    }
}

pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Body(error.to_string()))
}

pub(crate) fn give<T: serde::Serialize>(value: T) -> Result<Json, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::Body(error.to_string()))
}

/// What the shell itself answers.
fn of_host(host: &Host, command: &str, body: &[u8]) -> Result<Json, Failure> {
    match command {
        "sync" => return give(host.wake()),
        // Stands for the platform.
        "line" => {
            let Online { online, metered } = read(body)?;
            let metered = metered.unwrap_or_else(|| host.pulse(|pulse| pulse.now().metered));
            host.set_line(match (online, metered) {
                (false, _) => Line::Down,
                (true, true) => Line::Metered,
                (true, false) => Line::Free,
            });
        }
        "position" => return give(*locked(&host.last_fix)),
        "settings" => return give(host.settings()?),
        "set_settings" => return give(host.set_settings(&read(body)?)?),
        _ => {}
    }
    give(host.pulse(|pulse| pulse.now().clone()))
}

fn of_phone(host: &Host, command: &str, body: &[u8]) -> Result<Json, Failure> {
    if let Some(changed) = change(host, command, body)? {
        host.changed(&changed);
        return give(changed);
    }
    let id = || Ok::<_, Failure>(read::<ById>(body)?.id);
    match command {
        "today" => give(host.phone(|phone| phone.today())?),
        "todo" => give(host.phone(|phone| phone.todo())?),
        "whereabouts" => give(host.phone(|phone| phone.whereabouts())?),
        "list" => give(read(body).map(|q: ListQuery| host.phone(|p| p.list_rows(&q)))??),
        "record" => give(id().map(|id| host.phone(|phone| phone.record_page(id)))??),
        "forms" => give(host.phone(|phone| phone.forms())?),
        "form" => give(id().map(|id| host.phone(|phone| phone.form(id)))??),
        "start_form" => give(read(body).map(|s: FormStart| host.phone(|p| p.start_form(&s)))??),
        "patch_form" => give(read(body).map(|f: FormPatch| host.phone(|p| p.patch_form(&f)))??),
        "discard_form" => give(id().map(|id| host.phone(|phone| phone.discard_form(id)))??),
        "already_reported" => {
            give(read(body).map(|n: Nearby| host.phone(|p| p.already_reported_rows(&n)))??)
        }
        "grids" => give(host.phone(|phone| phone.grid_features())?),
        "hazards_in" => give(read(body).map(|a: MapBox| host.phone(|p| p.hazards_in(a)))??),
        "check_template" => give(host.phone(|phone| phone.check_template())?),
        "assess" => give(read(body).map(|a: Answers| host.phone(|p| p.assess(&a.answers)))??),
        "patrol" => give(host.phone(|phone| phone.patrol_now())?),
        "start_patrol" => give(host.phone(Phone::start_patrol)?),
        "stop_patrol" => give(host.phone(Phone::stop_patrol)?),
        "review_patrol" => give(host.phone(|phone| phone.review_patrol())?),
        "discard_patrol" => give(host.phone(Phone::discard_patrol)?),
        "health" => give(host.phone(|phone| phone.health())?),
        "stowage" => give(host.phone(|phone| phone.stowage())?),
        "put_notice_away" => give(id().map(|id| host.phone(|p| p.put_notice_away(id)))??),
        "free_photos" => give(read(body).map(|r: Room| host.phone(|p| p.free_photos(r.bytes)))??),
        "send_files" => {
            id().map(|id| host.phone(|phone| phone.send_files_of(id)))??;
            give(host.wake())
        }
        "remove_photo" => {
            let photo: PhotoOf = read(body)?;
            let changed = host.phone(|phone| phone.remove_photo(photo.id, photo.hash))?;
            changed.iter().for_each(|changed| host.changed(changed));
            give(changed)
        }
        _ => Err(Failure::Unknown),
    }
}

/// Commands that write a record, and so are to be sent; none for any other command.
fn change(host: &Host, command: &str, body: &[u8]) -> Result<Option<Changed>, Failure> {
    let id = || Ok::<_, Failure>(read::<ById>(body)?.id);
    let changed = match command {
        "save_form" => id().map(|id| host.phone(|phone| phone.save_form(id)))??,
        "set_values" => read(body).map(|f: FormPatch| host.phone(|p| p.set_values(&f)))??,
        "settle" => read(body).map(|f: FormPatch| host.phone(|p| p.settle(&f)))??,
        "delete" => id().map(|id| host.phone(|phone| phone.delete(id)))??,
        "drop_track" => id().map(|id| host.phone(|phone| phone.drop_track(id)))??,
        "undelete" => id().map(|id| host.phone(|phone| phone.undelete(id)))??,
        "save_patrol" => host.phone(Phone::save_patrol)?,
        "discard_rejected" => {
            read(body).map(|n: ByNumber| host.phone(|p| p.discard(n.number)))??
        }
        "mend" => {
            let mended: Mended = read(body)?;
            host.phone(|phone| {
                let kind = phone.quarantine_entry(mended.number)?.save.kept.about.kind;
                phone.mend(mended.number, &values::from_json(&kind, &mended.values)?)
            })?
        }
        _ => return Ok(None),
    };
    Ok(Some(changed))
}
