//! `GET /console/v1/events`: server-sent events that name the records that changed, in the order of the feed.
//!
//! An event's id is its position in the feed: a browser that comes back says the last one it had and goes on
//! from there. Nothing is polled: the stream wakes when this process moves the feed. Now and then it looks by
//! itself, for a session that ended and for what another process of the town's machine wrote.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;

use super::super::App;
use super::super::edges::Listener;
use super::super::error::ApiError;
use super::inbox::cells_of;
use super::session::Session;
use crate::storage::sessions::Use;

/// An open line says something this often: shorter than the town lets a silent one live.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// A session that ended is noticed within this time.
const LOOK_EVERY: Duration = Duration::from_secs(30);

struct Stand {
    app: App,
    hash: [u8; 32],
    after: u64,
    moves: watch::Receiver<u64>,
    place: Listener,
}

/// What changed in the session's scope: `event: changed`, data a list of record ids.
#[utoipa::path(
    get,
    path = "/console/v1/events",
    params(("Last-Event-ID" = Option<u64>, Header, description = "The last event that was heard")),
    responses((status = 200, description = "text/event-stream"))
)]
pub async fn listen(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let place = app.edges.listener(&headers)?;
    // Before the head is read: what moves it later wakes this stream.
    let moves = app.storage.feed_moves();
    let info = app.storage.info().await.map_err(|error| ApiError::internal(&headers, &error))?;
    let said = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let after = said.unwrap_or(info.head).min(info.head);
    let stand = Stand { app, hash: session.hash, after, moves, place };
    Ok(Sse::new(unfold(stand, next)).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}

/// The next event; none when the session or the town ends.
async fn next(mut stand: Stand) -> Option<(Result<Event, Infallible>, Stand)> {
    loop {
        let now = stand.app.env.now_s();
        let account = stand.app.storage.session(stand.hash, Use::Listening, now).await.ok()??;
        let changed = stand.app.storage.changed(cells_of(&account), stand.after).await;
        let (ids, reached) = changed.ok()?;
        if reached > stand.after {
            stand.after = reached;
            if ids.is_empty() {
                continue;
            }
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let event = Event::default().event("changed").id(reached.to_string());
            return Some((Ok(event.json_data(ids).ok()?), stand));
        }
        tokio::select! {
            moved = stand.moves.changed() => moved.ok()?,
            () = stand.place.closed() => return None,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
