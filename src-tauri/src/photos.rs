//! Photos between the screens and the app: shown through a scheme of their own, never through commands.

use std::sync::Arc;

use serde_json::Value as Json;
use tauri::http::{Request, Response, StatusCode, header};
use tauri::ipc::InvokeBody;
use tauri::{Manager as _, Runtime, State, UriSchemeContext, UriSchemeResponder};
use yaoguan_app::{Failure, Host, Picture};
use yaoguan_field::PhotoSize;
use yaoguan_model::{BlobHash, RecordId};

use crate::call::refused;

pub(crate) const SCHEME: &str = "photo";

/// Attaches a picture to the form or record that the header `target` names. A desktop's window hands its
/// bytes over raw; a phone's camera writes a file instead.
#[tauri::command]
pub(crate) async fn attach(
    host: State<'_, Arc<Host>>,
    request: tauri::ipc::Request<'_>,
) -> Result<Json, Json> {
    let target = request.headers().get("target").and_then(|value| value.to_str().ok());
    let target = target.and_then(|text| text.parse::<RecordId>().ok());
    let (Some(target), InvokeBody::Raw(bytes)) = (target, request.body()) else {
        return Err(refused("attach", &Failure::Body("a target and a picture".to_owned())));
    };
    let picture = Picture::Bytes(bytes.clone());
    let attached = yaoguan_app::attach(Arc::clone(&host), target, picture).await;
    attached.map_err(|failure| refused("attach", &failure))
}

/// `photo://localhost/HASH?size=thumb` or `full`.
pub(crate) fn answer<R: Runtime>(
    context: UriSchemeContext<'_, R>,
    request: Request<Vec<u8>>,
    responder: UriSchemeResponder,
) {
    let asked = asked(&request);
    let host = context.app_handle().try_state::<Arc<Host>>().map(|host| Arc::clone(&host));
    tauri::async_runtime::spawn(async move {
        let (Some((hash, size)), Some(host)) = (asked, host) else {
            return responder.respond(empty(StatusCode::BAD_REQUEST));
        };
        responder.respond(match yaoguan_app::photo(host, hash, size, 0..u64::MAX).await {
            Ok(part) => whole(part.bytes),
            Err(failure) => {
                refused("photo", &failure);
                empty(StatusCode::NOT_FOUND)
            }
        });
    });
}

fn asked(request: &Request<Vec<u8>>) -> Option<(BlobHash, PhotoSize)> {
    let hash = request.uri().path().strip_prefix('/')?.parse().ok()?;
    let size = match request.uri().query()? {
        "size=thumb" => PhotoSize::Thumb,
        "size=full" => PhotoSize::Full,
        _ => return None,
    };
    Some((hash, size))
}

fn whole(bytes: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(bytes);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("image/jpeg"));
    // Nothing of it stays in the webview.
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

fn empty(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    response
}
