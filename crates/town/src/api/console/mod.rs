//! The console of supervisors and administrators: its pages, its sessions, its API. Every answer below `/console` says what the
//! browser may do with it.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

pub mod accounts;
pub mod accounts_import;
pub mod audit;
pub mod coverage;
pub mod daily;
pub mod decisions;
pub mod devices;
pub mod events;
pub mod exports;
pub mod figures;
pub mod files;
pub mod held;
pub mod inbox;
pub mod invites;
pub mod map;
pub mod notices;
pub mod photos;
pub mod record;
mod record_out;
pub mod recovered;
mod refused;
pub mod retention;
pub mod roster;
pub mod save;
pub mod session;
pub mod standing;
pub mod tasks;
pub mod templates;
pub mod tiles;
pub mod town_grids;
pub mod views;

/// No script and no style but the console's own files; in nobody's frame.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Puts the headers on everything below `/console`, errors too.
pub(super) async fn guarded(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_console = path == "/console" || path.starts_with("/console/");
    let is_api = path.starts_with("/console/v1/");
    let mut response = next.run(request).await;
    if is_console {
        for (name, value) in HEADERS {
            // What an answer says of itself is stricter.
            let header = response.headers_mut().entry(name);
            header.or_insert(HeaderValue::from_static(value));
        }
    }
    if is_api {
        let never = HeaderValue::from_static("no-store");
        // Files alone never change, and say so.
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(never);
    }
    response
}
