//! `POST /v1/files/missing`: what the town has not of the files that a phone holds (see [`yaoguan_wire::files`]).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use yaoguan_model::cells;
use yaoguan_wire::limits::MAX_FILES_ASKED;
use yaoguan_wire::{ErrorCode, MissingRequest, MissingResponse};

use super::App;
use super::asker::device;
use super::error::ApiError;
use super::sent::{Sent, read};

/// Of these files, those that the asker could not read at the town.
#[utoipa::path(
    post,
    path = "/v1/files/missing",
    request_body(content = MissingRequest, description = "JSON, with `Content-Encoding: zstd` where that is shorter"),
    params(("DPoP" = String, Header, description = "Proof of the device (RFC 9449 shape)")),
    responses((status = 200, body = MissingResponse))
)]
pub async fn tell(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<MissingResponse>, ApiError> {
    let account = device(&app, &method, &uri, &headers, &sent.bytes).await?.account;
    let asked = read::<MissingRequest>(&app, &headers, &sent).await?;
    if asked.message.files.len() > MAX_FILES_ASKED {
        let detail = format!("{MAX_FILES_ASKED} files");
        return Err(ApiError::new(&headers, ErrorCode::BadRequest, detail));
    }
    let own = cells::of_reader(account.id, account.role, &account.grids).into_iter().collect();
    let missing = app.storage.unreadable_blobs(asked.message.files, own, account.id).await;
    let missing = missing.map_err(|error| ApiError::internal(&headers, &error))?;
    Ok(Json(MissingResponse { missing }))
}
