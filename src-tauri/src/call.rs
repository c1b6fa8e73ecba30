//! The way between the screens and the app: commands in, events out.

use std::sync::Arc;

use serde_json::Value as Json;
use tauri::{AppHandle, Emitter as _, State};
use yaoguan_app::{Failure, Host};

/// The one event, as `Event` of `yaoguan-app` writes it.
const EVENT: &str = "app";

/// Runs a command of the app: its name, and its input as JSON text. What it writes to the log is the
/// command's name and the code of its failure, never what went in.
#[tauri::command]
pub(crate) async fn call(
    host: State<'_, Arc<Host>>,
    name: String,
    input: String,
) -> Result<Json, Json> {
    let ran = yaoguan_app::run(Arc::clone(&host), name.clone(), input).await;
    ran.map_err(|failure| refused(&name, &failure))
}

/// A failure as the screens read it; in the log stand its command and code.
pub(crate) fn refused(command: &str, failure: &Failure) -> Json {
    let said = failure.to_json();
    tracing::info!(command, code = said.get("code").and_then(Json::as_str), "refused");
    said
}

/// Passes events on for as long as the app runs.
pub(crate) async fn tell(app: AppHandle, host: Arc<Host>) {
    let mut heard = host.listen();
    while let Some(event) = heard.next().await {
        if let Err(error) = app.emit(EVENT, event) {
            tracing::warn!(%error, "an event did not reach the screens");
        }
    }
}
