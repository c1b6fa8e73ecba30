//! `POST /console/v1/exports/{list}.{format}`: a list as a file. It is asked for with a reason, and stands in
//! the audit log with reason, filter and count before a byte of it is sent.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, header};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::language::{Lang, language};
use super::super::sent::{Sent, read};
use super::inbox::{Wanted, cells_of};
use super::session::Session;
use crate::audit::{Act, Attribution, By, Entry, MAX_REASON_CHARS, Subject};
use crate::days::{DAY_S, day_of, midnight};
use crate::exports::{self, List, MIN_REASON_CHARS, NotExported, Rows, Span};

/// Characters of a filter's value that the audit log repeats: codes and days, no texts.
const MAX_CODE_CHARS: usize = 40;

/// Why, and which rows.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Export {
    reason: String,
    /// Of hazards the query of `/console/v1/hazards`; of other lists `grid`, `state`, `from`, `until`.
    #[serde(default)]
    #[schema(value_type = Object)]
    filter: Map<String, Value>,
}

/// Rows of a list other than the inbox. Days of the town's calendar, both inside.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Days {
    grid: String,
    state: String,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
}

impl Days {
    fn span(self) -> Span {
        Span {
            grid: self.grid,
            state: self.state,
            from: self.from.map(|day| (midnight(day), day.to_string())),
            until: self.until.map(|day| (midnight(day) + DAY_S - 1, day.to_string())),
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
    let cells = cells_of(&session.account);
    let now = app.env.now_s();
    let told = told(&asked.filter);
    let filter = Value::Object(asked.filter);
    let rows = match list {
        List::Hazards => {
            let wanted: Wanted = serde_json::from_value(filter).map_err(|e| bad(e.to_string()))?;
            if wanted.is_too_long() {
                return Err(bad("q".to_owned()));
            }
            Rows::Inbox(Box::new(wanted.ask(cells.clone(), session.account.id, now, &day_of(now))))
        }
        List::Patrols | List::Checks | List::Tasks => {
            let days: Days = serde_json::from_value(filter).map_err(|e| bad(e.to_string()))?;
            Rows::Span(days.span())
        }
    };
    let lang = match language(&headers) {
        Lang::Zh => yaoguan_exchange::Lang::Zh,
        Lang::En => yaoguan_exchange::Lang::En,
    };
    // One at a time: a workbook is in memory until it is whole.
    let _turn = app.edges.export().await;
    let made = exports::export(app.storage.clone(), cells, list, rows, format, lang).await;
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
