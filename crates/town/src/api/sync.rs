//! `POST /v1/sync`: pushes, then pulls, in one round trip.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use yaoguan_model::cells;
use yaoguan_wire::body::{self, BadBody};
use yaoguan_wire::limits::MAX_PUSH_TOKENS;
use yaoguan_wire::packing::unpack;
use yaoguan_wire::{
    ErrorBody, ErrorCode, FeedItem, PROTOCOL, ReplicaTable, Scope, SyncRequest, SyncResponse,
    Verdict,
};

use super::App;
use super::asker::device;
use super::error::ApiError;
use crate::cursor::{self, Cursor};
use crate::people::Device;
use crate::pull::{Ask, Page, Row};
use crate::push::Pusher;
use crate::storage::{Batch, Outcome, Pushed, TownInfo};

/// One round trip. See docs/SYNC.md.
#[utoipa::path(
    post,
    path = "/v1/sync",
    request_body(content = super::openapi::SyncRequestDoc, description = "JSON, with `Content-Encoding: zstd` where that is shorter"),
    params(("DPoP" = String, Header, description = "Proof of the device (RFC 9449 shape)")),
    responses(
        (status = 200, body = super::openapi::SyncResponseDoc),
        (status = 400, description = "bad_request", body = ErrorBody),
        (status = 401, description = "unauthorised, clock_skew, device_revoked", body = ErrorBody),
        (status = 409, description = "replica_forked", body = ErrorBody),
        (status = 413, description = "too_large", body = ErrorBody),
        (status = 426, description = "unsupported_protocol", body = ErrorBody)
    )
)]
pub async fn sync(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let device = device(&app, &method, &uri, &headers, &bytes).await?;
    let now = app.env.now_s();
    let zstd = headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "zstd");
    let request: SyncRequest = body::decode(&bytes, zstd).map_err(|e| bad_body(&headers, &e))?;
    let response = round_trip(&app, &headers, &device, request, now).await?;
    let failed = |e: serde_json::Error| ApiError::new(&headers, ErrorCode::Internal, e.to_string());
    let encoded = body::encode(&response).map_err(failed)?;
    let mut answer = encoded.bytes.into_response();
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    if encoded.zstd {
        let zstd = HeaderValue::from_static("zstd");
        answer.headers_mut().insert(header::CONTENT_ENCODING, zstd);
    }
    Ok(answer)
}

fn bad_body(headers: &HeaderMap, error: &BadBody) -> ApiError {
    match error {
        BadBody::TooLarge => {
            let limit = format!("{} bytes", yaoguan_wire::limits::MAX_WIRE_BYTES);
            ApiError::new(headers, ErrorCode::TooLarge, limit)
        }
        BadBody::Zstd(_) | BadBody::Json(_) => {
            ApiError::new(headers, ErrorCode::BadRequest, error.to_string())
        }
    }
}

async fn round_trip(
    app: &App,
    headers: &HeaderMap,
    device: &Device,
    request: SyncRequest,
    now: i64,
) -> Result<SyncResponse, ApiError> {
    let failed = |error| ApiError::internal(headers, &error);
    if request.protocol != PROTOCOL {
        return Err(ApiError::new(headers, ErrorCode::UnsupportedProtocol, ""));
    }
    let info = app.storage.info().await.map_err(failed)?;
    let off = request.clock.device.saturating_sub(now);
    app.storage.saw_device(device.id, now, off).await.map_err(failed)?;
    let mut answer = Answer::new(&info, device, &request, now);
    // The epoch is judged before the chain: a phone of another history merges nothing.
    if request.epoch.is_some_and(|epoch| epoch != info.epoch) {
        return Ok(answer.empty());
    }
    let (replica, given) = (request.replica, request.cursor.clone());
    let pushed = push(app, headers, device, request, now).await?;
    let as_pushed = answer.add_verdicts(pushed);
    let account = &device.account;
    let bound_to = [account.id.as_bytes().as_slice(), info.epoch.as_bytes().as_slice()];
    let opened = given.as_deref().map(|text| cursor::open(&info.cursor_secret, &bound_to, text));
    if let Some(None) = opened {
        tracing::error!(device = %device.id, "a cursor does not verify; the feed starts again");
    }
    // A cursor of another scope starts again: what came into view lies behind it.
    let known = opened.flatten().filter(|cursor| cursor.scope_version == account.scope_version);
    let ask = Ask {
        cells: cells::of_reader(account.id, account.role, &account.grids).into_iter().collect(),
        after: known.map_or(0, |cursor| cursor.position),
        skip_origin: known.map(|_| replica),
        skip_records: as_pushed,
    };
    let page = app.storage.pull(ask).await.map_err(failed)?;
    Ok(answer.with_page(page))
}

/// Pushes what the request holds; returns each record's id and context beside its outcome.
async fn push(
    app: &App,
    headers: &HeaderMap,
    device: &Device,
    request: SyncRequest,
    now: i64,
) -> Result<Vec<(yaoguan_model::Record, Outcome)>, ApiError> {
    let bad = |detail: String| ApiError::new(headers, ErrorCode::BadRequest, detail);
    if request.push.tokens.len() > MAX_PUSH_TOKENS {
        return Err(bad("too many push tokens".to_owned()));
    }
    if request.push.next.is_none() && !request.records.is_empty() {
        return Err(bad("a push with records needs a token of its own".to_owned()));
    }
    let table = request.replicas;
    let records = request.records.into_iter().map(|packed| unpack(&table, packed));
    let records: Vec<_> = records.collect::<Result<_, _>>().map_err(|e| bad(e.to_string()))?;
    let batch = Batch {
        pusher: Pusher {
            actor: device.account.actor(),
            replica: request.replica,
            counter: request.push.counter,
        },
        device: device.id,
        tokens: request.push.tokens,
        next: request.push.next,
        records: records.clone(),
        now,
    };
    match app.storage.push(batch).await.map_err(|error| ApiError::internal(headers, &error))? {
        Pushed::Done(outcomes) => Ok(records.into_iter().zip(outcomes).collect()),
        Pushed::Forked => {
            tracing::warn!(device = %device.id, "two phones write under one replica id");
            Err(ApiError::new(headers, ErrorCode::ReplicaForked, ""))
        }
    }
}

/// The answer as it grows.
struct Answer<'a> {
    info: &'a TownInfo,
    device: &'a Device,
    table: ReplicaTable,
    verdicts: Vec<Verdict>,
    asked_cursor: Option<String>,
    asked_scope: u64,
    now: i64,
}

impl<'a> Answer<'a> {
    fn new(info: &'a TownInfo, device: &'a Device, request: &SyncRequest, now: i64) -> Self {
        let asked_cursor = request.cursor.clone();
        let asked_scope = request.scope_version;
        let (table, verdicts) = (ReplicaTable::default(), Vec::new());
        Self { info, device, table, verdicts, asked_cursor, asked_scope, now }
    }

    /// Returns the records that need not go back.
    fn add_verdicts(
        &mut self,
        pushed: Vec<(yaoguan_model::Record, Outcome)>,
    ) -> Vec<yaoguan_model::RecordId> {
        let mut as_pushed = Vec::new();
        for (record, outcome) in pushed {
            if outcome.as_pushed {
                as_pushed.push(record.id);
            }
            let context = self.table.pack_context(&record.context);
            self.verdicts.push(Verdict { id: record.id, context, judgement: outcome.judgement });
        }
        as_pushed
    }

    fn scope(&self) -> Scope {
        let account = &self.device.account;
        let other = account.scope_version != self.asked_scope;
        Scope {
            version: account.scope_version,
            role: other.then_some(account.role),
            grids: other.then(|| account.grids.iter().cloned().collect()),
        }
    }

    /// The answer to a phone of another epoch: nothing merged, nothing sent.
    fn empty(self) -> SyncResponse {
        let scope = self.scope();
        SyncResponse {
            epoch: self.info.epoch,
            verdicts: Vec::new(),
            replicas: Vec::new(),
            feed: Vec::new(),
            cursor: self.asked_cursor.unwrap_or_default(),
            more: true,
            head: 0,
            scope,
            root: None,
            town_time: self.now,
        }
    }

    fn with_page(mut self, page: Page) -> SyncResponse {
        let account = &self.device.account;
        let bound_to = [account.id.as_bytes().as_slice(), self.info.epoch.as_bytes().as_slice()];
        let at = Cursor { scope_version: account.scope_version, position: page.position };
        let cursor = cursor::seal(&self.info.cursor_secret, &bound_to, at);
        let mut feed = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            feed.push(match row {
                Row::Record(record) => {
                    FeedItem { record: Some(self.table.pack(record)), ..FeedItem::default() }
                }
                Row::Left(id) => FeedItem { left: Some(*id), ..FeedItem::default() },
                Row::Purged(id) => FeedItem { purged: Some(*id), ..FeedItem::default() },
            });
        }
        let scope = self.scope();
        SyncResponse {
            epoch: self.info.epoch,
            verdicts: self.verdicts,
            replicas: self.table.into_ids(),
            feed,
            cursor,
            more: page.more,
            head: page.head,
            scope,
            root: None,
            town_time: self.now,
        }
    }
}
