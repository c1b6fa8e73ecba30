//! `POST /console/v1/exports/{list}.{format}`: a list as a file. It is asked for with a reason, and stands in
//! the audit log with reason, filter and count before a byte of it is sent.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use yaoguan_model::cells::Cell;
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::language::{Lang, language};
use super::super::sent::{Sent, read};
use super::inbox::{Wanted, cells_of};
use super::session::Session;
use super::tasks;
use crate::audit::{Act, Attribution, By, Entry, MAX_REASON_CHARS, Subject};
use crate::days::{DAY_S, day_of, start_of};
use crate::exports::{self, List, MIN_REASON_CHARS, NotExported, Rows};
use crate::people::Account;
use crate::storage::exports::SpanAsk;

/// Characters of a filter's value that the audit log repeats: codes and days, no texts.
const MAX_CODE_CHARS: usize = 40;

/// Why, and which rows.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Export {
    reason: String,
    /// Of hazards and tasks the query of their list; of patrols and checks `grid`, `from`, `until`.
    #[serde(default)]
    #[schema(value_type = Object)]
    filter: Map<String, Value>,
}

/// Which patrols or checks. Days of the town's calendar, both inside.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Days {
    grid: String,
    from: String,
    until: String,
}

impl Days {
    fn ask(self, cells: Vec<Cell>) -> Option<SpanAsk> {
        let start = |day: String| {
            if day.is_empty() { Some(None) } else { start_of(&day).map(Some) }
        };
        Some(SpanAsk {
            cells,
            grid: Some(self.grid).filter(|grid| !grid.is_empty()),
            from: start(self.from)?,
            until: start(self.until)?.map(|begins| begins + DAY_S),
        })
    }
}

/// The filter as the question that the list itself is asked with.
fn rows_of(
    list: List,
    filter: Map<String, Value>,
    account: &Account,
    now: i64,
) -> Result<Rows, String> {
    let (cells, today) = (cells_of(account), day_of(now));
    let filter = Value::Object(filter);
    let unclear = |error: serde_json::Error| error.to_string();
    match list {
        List::Hazards => {
            let wanted: Wanted = serde_json::from_value(filter).map_err(unclear)?;
            if wanted.is_too_long() {
                return Err("q".to_owned());
            }
            Ok(Rows::Hazards(Box::new(wanted.ask(cells, account.id, now, &today))))
        }
        List::Tasks => {
            let wanted: tasks::Wanted = serde_json::from_value(filter).map_err(unclear)?;
            Ok(Rows::Tasks(Box::new(wanted.ask(cells, account.id, &today)?)))
        }
        List::Patrols | List::Checks => {
            let days: Days = serde_json::from_value(filter).map_err(unclear)?;
            let span = days.ask(cells).ok_or("a day")?;
            Ok(if list == List::Patrols { Rows::Patrols(span) } else { Rows::Checks(span) })
        }
    }
}

/// Makes a file of a list within the session's scope.
#[utoipa::path(
    post,
    path = "/console/v1/exports/{file}",
    params(("file" = String, Path, description = "`hazards`, `patrols`, `checks` or `tasks`, a dot, `csv`, `xlsx` or `geojson`")),
    request_body = Export,
    responses((status = 200, description = "The file", content_type = "application/octet-stream"))
)]
pub async fn make(
    State(app): State<App>,
    session: Session,
    Path(file): Path<String>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response<Body>, ApiError> {
    let bad = |detail: String| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let internal = |error| ApiError::internal(&headers, &error);
    let missing = || ApiError::new(&headers, ErrorCode::NotFound, "");
    let (list, format) = exports::named(&file).ok_or_else(missing)?;
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let asked = read::<Export>(&app, &headers, &sent).await?.message;
    let reason = asked.reason.trim().to_owned();
    if !(MIN_REASON_CHARS..=MAX_REASON_CHARS).contains(&reason.chars().count()) {
        return Err(bad(format!("reason: {MIN_REASON_CHARS} to {MAX_REASON_CHARS} characters")));
    }
    let now = app.env.now_s();
    let told = told(&asked.filter);
    let rows = rows_of(list, asked.filter, &session.account, now).map_err(bad)?;
    let cells = cells_of(&session.account);
    let lang = match language(&headers) {
        Lang::Zh => yaoguan_exchange::Lang::Zh,
        Lang::En => yaoguan_exchange::Lang::En,
    };
    // One at a time: a workbook is in memory until it is whole.
    let _turn = app.edges.export().await;
    let made = exports::export(app.storage.clone(), cells, rows, format, lang).await;
    let made = made.map_err(|error| match error {
        NotExported::Failed(error) => ApiError::internal(&headers, &error),
        NotExported::TooManyRows => {
            ApiError::new(&headers, ErrorCode::TooLarge, format!("{} rows", list.max_rows()))
        }
    })?;
    let done = Attribution::new(By::Account(session.account.id), now).because(reason);
    let entry = done.entry(Act::Exported, Subject::Kind(list.kind().as_str().to_owned()));
    let entry = entry.with("format", format.as_str()).with("filter", told);
    app.storage.note(counted(entry, list, &made)).await.map_err(internal)?;
    let name = format!("{}-{}.{}", list.as_str(), day_of(now), format.as_str());
    let response = Response::builder()
        .header(header::CONTENT_TYPE, format.media_type())
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
        .body(Body::from(made.bytes));
    response.map_err(|error| internal(std::io::Error::other(error).into()))
}

fn counted(entry: Entry, list: List, made: &exports::Exported) -> Entry {
    let entry = entry.with("count", made.rows);
    match list {
        List::Checks => entry.with("households", made.households.clone()),
        List::Hazards | List::Patrols | List::Tasks => entry,
    }
}

/// The filter as the log repeats it: codes, days and switches; of a text only how long it is.
fn told(filter: &Map<String, Value>) -> Map<String, Value> {
    let is_code = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        text.len() <= MAX_CODE_CHARS && text.chars().all(plain)
    };
    let mut told = Map::new();
    for (key, value) in filter.iter().filter(|(key, _)| is_code(key)) {
        match value {
            Value::String(text) if key == "q" => {
                told.insert("q_chars".to_owned(), text.chars().count().into());
            }
            Value::String(text) if is_code(text) => {
                told.insert(key.clone(), value.clone());
            }
            Value::Bool(_) => {
                told.insert(key.clone(), value.clone());
            }
            Value::String(_) | Value::Null | Value::Number(_) => {}
            Value::Array(_) | Value::Object(_) => {}
        }
    }
    told
}
