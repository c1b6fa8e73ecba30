//! `POST /v1/reconcile`: what phone and town do not have alike (see [`yaoguan_wire::reconcile`]).

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use yaoguan_model::{Record, canonical};
use yaoguan_wire::body::PageBudget;
use yaoguan_wire::reconcile::{MAX_WANTED, MESSAGE_BYTES, RecordHash};
use yaoguan_wire::{ErrorCode, PROTOCOL, ReconcileRequest, ReconcileResponse, ReplicaTable};

use super::App;
use super::answer::scope_of;
use super::asker::device;
use super::error::ApiError;
use super::sent::{Sent, read};
use super::sync::{bound_to, known_version, written};
use crate::cursor::{self, Cursor};
use crate::paging;

/// One step of a reconciliation. The town keeps nothing between two.
#[utoipa::path(
    post,
    path = "/v1/reconcile",
    request_body(content = super::openapi::ReconcileRequestDoc, description = "JSON, with `Content-Encoding: zstd` where that is shorter"),
    params(("DPoP" = String, Header, description = "Proof of the device (RFC 9449 shape)")),
    responses((status = 200, body = super::openapi::ReconcileResponseDoc))
)]
pub async fn reconcile(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, ApiError> {
    let device = device(&app, &method, &uri, &headers, &sent.bytes).await?;
    let read = read::<ReconcileRequest>(&app, &headers, &sent).await?;
    let request = &read.message;
    known_version(&headers, request.scope_version)?;
    let failed = |error| ApiError::internal(&headers, &error);
    let bad = |detail: &str| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    if request.protocol != PROTOCOL {
        return Err(ApiError::new(&headers, ErrorCode::UnsupportedProtocol, ""));
    }
    let info = app.storage.info().await.map_err(failed)?;
    let account = &device.account;
    let mut answer = ReconcileResponse {
        epoch: info.epoch,
        message: None,
        cursor: String::new(),
        replicas: Vec::new(),
        records: Vec::new(),
        answered: 0,
        scope: scope_of(account, request.scope_version),
        town_time: app.env.now_s(),
    };
    if request.epoch != Some(info.epoch) {
        return written(&headers, &answer);
    }
    let cells = paging::cells_of(&account.actor()).into_iter().collect();
    if let Some(message) = &request.message {
        let asked = B64.decode(message).map_err(|_| bad("the message is not base64url"))?;
        let (hashes, head) = app.storage.hashes(cells).await.map_err(failed)?;
        let reply = tokio::task::spawn_blocking(move || reply(&hashes, &asked)).await;
        let reply = reply.map_err(|_| ApiError::new(&headers, ErrorCode::Internal, ""))?;
        answer.message = Some(B64.encode(reply.map_err(|e| bad(&e))?));
        let scope_version = account.scope_version;
        let at = Cursor { scope_version, position: head, backfill: None };
        answer.cursor = cursor::seal(&info.cursor_secret, &bound_to(&account.id, &info), at);
    } else {
        if request.wanted.len() > MAX_WANTED {
            return Err(bad("too many hashes"));
        }
        let hash = |text: &String| RecordHash::try_from(B64.decode(text).ok()?).ok();
        let wanted: Option<Vec<RecordHash>> = request.wanted.iter().map(hash).collect();
        let wanted = wanted.ok_or_else(|| bad("a hash is not 32 bytes in base64url"))?;
        let found = app.storage.by_hashes(cells, wanted.clone()).await.map_err(failed)?;
        fill(&mut answer, &wanted, found);
    }
    written(&headers, &answer)
}

fn reply(hashes: &[RecordHash], message: &[u8]) -> Result<Vec<u8>, String> {
    let mut items = NegentropyStorageVector::with_capacity(hashes.len());
    let failed = |e: negentropy::Error| e.to_string();
    for hash in hashes {
        items.insert(0, Id::from_byte_array(*hash)).map_err(failed)?;
    }
    items.seal().map_err(failed)?;
    let mut town = Negentropy::owned(items, MESSAGE_BYTES as u64).map_err(failed)?;
    town.reconcile(message).map_err(failed)
}

/// Fills a page in the order asked, and says how far it came.
fn fill(answer: &mut ReconcileResponse, wanted: &[RecordHash], found: Vec<Record>) {
    let mut budget = PageBudget::default();
    let mut table = ReplicaTable::default();
    let mut found = found.into_iter().peekable();
    for hash in wanted {
        let next = found.next_if(|record| canonical::hash(&canonical::encode(record)) == *hash);
        if let Some(record) = next {
            if !budget.admit(&canonical::encode(&record)) {
                break;
            }
            answer.records.push(table.pack_owned(record));
        }
        answer.answered += 1;
    }
    answer.replicas = table.into_ids();
}
