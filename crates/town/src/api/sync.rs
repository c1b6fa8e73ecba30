//! `POST /v1/sync`: pushes, then pulls, in one round trip.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use yaoguan_model::authorise::Actor;
use yaoguan_model::limits::MAX_INTEGER;
use yaoguan_model::{AccountId, Record, ReplicaId};
use yaoguan_wire::body;
use yaoguan_wire::limits::{MAX_FORMER, MAX_HOLDS, MAX_PUSH_TOKENS, MAX_RECORDS};
use yaoguan_wire::packing::unpack;
use yaoguan_wire::reconcile::root_of;
use yaoguan_wire::{ErrorCode, Judgement, PROTOCOL, SyncRequest};

use super::App;
use super::answer::Answer;
use super::asker::device_even_barred;
use super::error::ApiError;
use super::sent::{Sent, read};
use crate::cursor::{self, Cursor};
use crate::error::TownError;
use crate::paging::{self, Plan};
use crate::people::{Account, Device, Seen};
use crate::push::Pusher;
use crate::storage::{Batch, Outcome, Pushed, TownInfo};

/// How often a phone gets the hash of its whole scope to compare, in seconds.
const ROOT_EVERY_S: i64 = 24 * 60 * 60;
/// Characters of how an app calls itself that are kept.
const MAX_APP_CHARS: usize = 40;

/// One round trip. See docs/SYNC.md.
#[utoipa::path(
    post,
    path = "/v1/sync",
    request_body(content = super::openapi::SyncRequestDoc, description = "JSON, with `Content-Encoding: zstd` where that is shorter"),
    params(("DPoP" = String, Header, description = "Proof of the device (RFC 9449 shape)")),
    responses((status = 200, body = super::openapi::SyncResponseDoc))
)]
pub async fn sync(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, ApiError> {
    let device = device_even_barred(&app, &method, &uri, &headers, &sent.bytes).await?;
    let read = read::<SyncRequest>(&app, &headers, &sent).await?;
    within_limits(&headers, &read.message)?;
    let asked = Asked { app: &app, headers: &headers, device: &device, now: app.env.now_s() };
    let response = asked.round_trip(read.message).await?;
    written(&headers, &response)
}

/// What a request may hold beside its size.
fn within_limits(headers: &HeaderMap, request: &SyncRequest) -> Result<(), ApiError> {
    known_version(headers, request.scope_version)?;
    let push = &request.push;
    let lists = [
        ("push tokens", push.tokens.len(), MAX_PUSH_TOKENS),
        ("former replica ids", push.former.len(), MAX_FORMER),
        ("held saves", request.holds.len(), MAX_HOLDS),
        ("records", request.records.len(), MAX_RECORDS),
    ];
    let bad = |detail: String| ApiError::new(headers, ErrorCode::BadRequest, detail);
    if let Some((what, _, max)) = lists.into_iter().find(|(_, count, max)| count > max) {
        return Err(bad(format!("more than {max} {what}")));
    }
    if push.counter > MAX_INTEGER.unsigned_abs() {
        return Err(bad("the counter is above 2^53 − 1".to_owned()));
    }
    if push.next.is_none() && !request.records.is_empty() {
        return Err(bad("a push with records needs a token of its own".to_owned()));
    }
    Ok(())
}

/// A version of a scope is a number that the town gave out.
pub fn known_version(headers: &HeaderMap, version: u64) -> Result<(), ApiError> {
    if version <= MAX_INTEGER.unsigned_abs() {
        return Ok(());
    }
    let detail = "the scope's version is above 2^53 − 1";
    Err(ApiError::new(headers, ErrorCode::BadRequest, detail))
}

/// Answers with a body, compressed where that is shorter.
pub fn written<T: serde::Serialize>(headers: &HeaderMap, body: &T) -> Result<Response, ApiError> {
    let failed = |e: serde_json::Error| ApiError::new(headers, ErrorCode::Internal, e.to_string());
    let encoded = body::encode(body).map_err(failed)?;
    let mut answer = encoded.bytes.into_response();
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    if encoded.zstd {
        let zstd = HeaderValue::from_static("zstd");
        answer.headers_mut().insert(header::CONTENT_ENCODING, zstd);
    }
    Ok(answer)
}

/// What cursors are bound to: one account in one epoch.
pub fn bound_to<'a>(account: &'a AccountId, info: &'a TownInfo) -> [&'a [u8]; 2] {
    [account.as_bytes().as_slice(), info.epoch.as_bytes().as_slice()]
}

/// What the town notes beside a round trip keeps no phone from reading: on a full disk it goes without.
fn noted<T>(result: Result<T, TownError>, otherwise: T) -> T {
    result.unwrap_or_else(|error| {
        tracing::warn!(%error, "a note beside a sync was not kept");
        otherwise
    })
}

/// A request and who sent it.
struct Asked<'a> {
    app: &'a App,
    headers: &'a HeaderMap,
    device: &'a Device,
    now: i64,
}

impl Asked<'_> {
    async fn round_trip(
        &self,
        request: SyncRequest,
    ) -> Result<yaoguan_wire::SyncResponse, ApiError> {
        let Self { app, headers, device, now } = *self;
        let failed = |error| ApiError::internal(headers, &error);
        let account = &device.account;
        let info = self.present_line(&request).await?;
        let off = request.clock.device.saturating_sub(now).clamp(-MAX_INTEGER, MAX_INTEGER);
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let app_name = agent.unwrap_or_default().chars().take(MAX_APP_CHARS).collect();
        // What comes with this request is about to be judged: the rest waits.
        let left = request.waiting.filter(|waiting| waiting.records > request.records.len() as u64);
        let waiting_since = left.map(|left| now.saturating_sub(left.oldest_s.max(0)));
        let seen = Seen { at: now, clock_off_s: off, app: app_name, waiting_since };
        noted(app.storage.saw_device(device.id, seen).await, ());
        let delivered = self.delivered(&request).await?;
        let mut answer = Answer::new(&info, account, &request, now);
        // A phone that may not sync any more, or speaks another step of the protocol, hears what became
        // of its records and nothing else.
        let other_step = request.protocol != PROTOCOL;
        if let Some(code) =
            device.barred.clone().or(other_step.then_some(ErrorCode::UnsupportedProtocol))
        {
            let same_epoch = request.epoch.is_none_or(|epoch| epoch == info.epoch);
            if same_epoch || device.barred.is_some() {
                answer.add_verdicts(self.push(request, delivered).await?);
            }
            let (verdicts, replicas) = answer.into_verdicts();
            return Err(ApiError::barred(headers, code, verdicts, replicas));
        }
        // The epoch is judged before the chain: a phone of another history merges nothing.
        if request.epoch.is_some_and(|epoch| epoch != info.epoch) {
            return Ok(answer.empty());
        }
        let earlier = Earlier::of(&request);
        let pushed = self.push(request, delivered).await?;
        let taken = |outcome: &Outcome| {
            matches!(outcome.judgement, Judgement::Taken | Judgement::TakenEvict)
        };
        // A phone that goes back to its base needs what an unanswered push of its own had brought.
        let goes_back = pushed.iter().any(|(_, outcome)| !taken(outcome));
        let as_pushed = answer.add_verdicts(pushed);
        answer.holds = app.storage.hold_news(account.id, earlier.holds).await.map_err(failed)?;
        let opened = earlier
            .cursor
            .map(|text| cursor::open(&info.cursor_secret, &bound_to(&account.id, &info), &text));
        if let Some(None) = opened {
            tracing::error!(device = %device.id, "a cursor does not verify; the phone reconciles");
            answer.reconcile = true;
        }
        let origin = (!goes_back).then_some(earlier.replica);
        let mut plan = self.plan(opened.flatten(), origin).await?;
        plan.ask.skip_records = as_pushed;
        let page = app.storage.pull(plan.ask.clone()).await.map_err(failed)?;
        let (next, more) = plan.next(&page);
        if !more && !goes_back && self.root_is_due().await {
            let cells = paging::cells_of(&account.actor()).into_iter().collect();
            let (hashes, head) = app.storage.hashes(cells).await.map_err(failed)?;
            // Only of the state that the phone is brought to by this answer.
            answer.root = (head == page.head).then(|| root_of(hashes));
        }
        Ok(answer.with_page(page, next, more))
    }

    /// What this town is. A cursor that it made itself and that lies beyond the feed's head says that the
    /// database was put back from before: it goes on as a new line of history.
    async fn present_line(&self, request: &SyncRequest) -> Result<TownInfo, ApiError> {
        let failed = |error| ApiError::internal(self.headers, &error);
        let storage = &self.app.storage;
        let info = storage.info().await.map_err(failed)?;
        let bound_to = bound_to(&self.device.account.id, &info);
        let cursor = request.cursor.as_deref();
        let cursor = cursor.and_then(|text| cursor::open(&info.cursor_secret, &bound_to, text));
        if cursor.is_none_or(|cursor| cursor.position <= info.head) {
            return Ok(info);
        }
        tracing::error!(device = %self.device.id, head = info.head, "a phone has seen more than there is");
        storage.renew(self.app.env.as_ref()).await.map_err(failed)?;
        storage.info().await.map_err(failed)
    }

    /// The scope that the phone knew, when it is not the present one.
    async fn delivered(&self, request: &SyncRequest) -> Result<Option<Actor>, ApiError> {
        let account = &self.device.account;
        let failed = |error| ApiError::internal(self.headers, &error);
        if request.scope_version == account.scope_version {
            return Ok(None);
        }
        let storage = &self.app.storage;
        noted(storage.note_scope(account.clone()).await, ());
        storage.scope_at(account.id, request.scope_version).await.map_err(failed)
    }

    async fn plan(
        &self,
        cursor: Option<Cursor>,
        origin: Option<ReplicaId>,
    ) -> Result<Plan, ApiError> {
        let account: &Account = &self.device.account;
        let version = account.scope_version;
        let complete = cursor.and_then(|cursor| paging::complete_at(&cursor, version));
        let earlier = match complete {
            None => None,
            Some(from) => {
                let scope = self.app.storage.scope_at(account.id, from).await;
                scope.map_err(|error| ApiError::internal(self.headers, &error))?
            }
        };
        Ok(Plan::new(cursor, (&account.actor(), version), earlier.as_ref(), origin))
    }

    async fn root_is_due(&self) -> bool {
        noted(self.app.storage.root_due(self.device.id, self.now, ROOT_EVERY_S).await, false)
    }

    /// Pushes what the request holds; returns each record beside its outcome.
    async fn push(
        &self,
        request: SyncRequest,
        delivered: Option<Actor>,
    ) -> Result<Vec<(Record, Outcome)>, ApiError> {
        let bad = |detail: &str| ApiError::new(self.headers, ErrorCode::BadRequest, detail);
        let table = request.replicas;
        let former = request.push.former.iter().map(|index| table.get(*index as usize).copied());
        let former: Option<_> = former.collect();
        let records = request.records.into_iter().map(|packed| unpack(&table, packed));
        let records: Vec<_> = records.collect::<Result<_, _>>().map_err(|e| bad(&e.to_string()))?;
        let device = self.device;
        let batch = Batch {
            pusher: Pusher {
                actor: device.account.actor(),
                delivered,
                barred: device.barred.clone(),
                replica: request.replica,
                counter: request.push.counter,
                former: former.ok_or_else(|| bad("a former replica is outside the table"))?,
            },
            device: device.id,
            tokens: request.push.tokens,
            next: request.push.next,
            records: records.clone(),
            now: self.now,
        };
        let pushed = self.app.storage.push(batch).await;
        match pushed.map_err(|error| ApiError::internal(self.headers, &error))? {
            Pushed::Done(outcomes) => Ok(records.into_iter().zip(outcomes).collect()),
            Pushed::Forked => {
                tracing::warn!(device = %device.id, "two phones write under one replica id");
                Err(ApiError::new(self.headers, ErrorCode::ReplicaForked, ""))
            }
        }
    }
}

/// What of a request is needed after its push.
struct Earlier {
    replica: ReplicaId,
    cursor: Option<String>,
    holds: Vec<yaoguan_wire::HoldId>,
}

impl Earlier {
    fn of(request: &SyncRequest) -> Self {
        let (replica, cursor) = (request.replica, request.cursor.clone());
        Self { replica, cursor, holds: request.holds.clone() }
    }
}
