//! The map's file in the shell: tiles out through a scheme of their own, the file in by parts. A phone's own
//! chooser hands over a file instead.

use std::sync::Arc;

use serde_json::Value as Json;
use tauri::http::{HeaderValue, Request, Response, StatusCode, header};
use tauri::ipc::InvokeBody;
use tauri::{Manager as _, Runtime, State, UriSchemeContext, UriSchemeResponder};
use yaoguan_app::{Failure, Host};
use yaoguan_field::tiles::Tile;

use crate::call::refused;

pub(crate) const SCHEME: &str = "tiles";

/// `tiles://localhost/ZOOM/X/Y`.
pub(crate) fn answer<R: Runtime>(
    context: UriSchemeContext<'_, R>,
    request: Request<Vec<u8>>,
    responder: UriSchemeResponder,
) {
    let asked = asked(request.uri().path());
    let host = context.app_handle().try_state::<Arc<Host>>().map(|host| Arc::clone(&host));
    tauri::async_runtime::spawn_blocking(move || {
        let found = asked.zip(host).map(|((zoom, x, y), host)| host.map.tile(zoom, x, y));
        responder.respond(match found {
            Some(Ok(Some(tile))) => whole(tile),
            Some(Ok(None)) => empty(StatusCode::NOT_FOUND),
            Some(Err(error)) => {
                refused("tile", &Failure::Field(error));
                empty(StatusCode::NOT_FOUND)
            }
            None => empty(StatusCode::BAD_REQUEST),
        });
    });
}

/// Takes in the part of a map's file that is the body: it begins `at` the byte that the header says, `of` so many.
#[tauri::command]
pub(crate) async fn install_map(
    host: State<'_, Arc<Host>>,
    request: tauri::ipc::Request<'_>,
) -> Result<Json, Json> {
    let number = |name| request.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
    let (Some(at), Some(of), InvokeBody::Raw(bytes)) = (number("at"), number("of"), request.body())
    else {
        return Err(refused("install_map", &Failure::Body("a part of a file".to_owned())));
    };
    let (host, bytes) = (Arc::clone(&host), bytes.clone());
    let taken = tauri::async_runtime::spawn_blocking(move || host.map.take_part(at, of, &bytes));
    let taken = match taken.await {
        Ok(taken) => taken.map_err(Failure::Field),
        Err(error) => Err(Failure::Body(error.to_string())),
    };
    let shown = taken.map(|shown| serde_json::to_value(shown).unwrap_or_default());
    shown.map_err(|failure| refused("install_map", &failure))
}

fn asked(path: &str) -> Option<(u8, u32, u32)> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let asked =
        (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(asked)
}

fn whole(tile: Tile) -> Response<Vec<u8>> {
    let mut response = Response::new(tile.bytes);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(tile.media_type));
    readable(response)
}

fn empty(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    readable(response)
}

/// The map fetches tiles from its own page, to which this scheme is another origin; no other page is ever
/// in the window.
fn readable(mut response: Response<Vec<u8>>) -> Response<Vec<u8>> {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_named_by_three_numbers_and_nothing_else() {
        assert_eq!(asked("/7/102/55"), Some((7, 102, 55)));
        for other in ["", "/", "/7/102", "/7/102/55/1", "/7/-1/55", "/300/1/1", "/a/b/c", "7/1/1"] {
            assert_eq!(asked(other), None, "{other}");
        }
    }
}
