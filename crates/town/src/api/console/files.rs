//! The console's pages: the files that `make console` built, read once when the town starts. What is not in
//! memory cannot be asked for, whatever a path says.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;

/// All files together.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The built pages; empty without a folder.
#[derive(Debug, Default)]
pub struct Files {
    index: Option<Bytes>,
    /// By name, with their type. Names change with content.
    assets: BTreeMap<String, (&'static str, Bytes)>,
}

impl Files {
    /// Reads `index.html` and what lies in `assets`. A folder that is not there has no pages.
    pub fn read(dir: &FilePath) -> std::io::Result<Self> {
        let index = dir.join("index.html");
        if !index.is_file() {
            return Ok(Self::default());
        }
        let mut files = Self { index: Some(std::fs::read(index)?.into()), ..Self::default() };
        let mut bytes = 0;
        for entry in std::fs::read_dir(dir.join("assets"))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(kind) = kind_of(&name).filter(|_| entry.path().is_file()) else { continue };
            let content = std::fs::read(entry.path())?;
            bytes += content.len();
            if bytes > MAX_BYTES {
                return Err(std::io::Error::other(format!("more than {MAX_BYTES} bytes of pages")));
            }
            files.assets.insert(name, (kind, content.into()));
        }
        Ok(files)
    }
}

fn kind_of(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        _ => return None,
    })
}

/// To the page.
#[utoipa::path(get, path = "/console", responses((status = 308, description = "To `/console/`")))]
pub async fn to_index() -> Redirect {
    Redirect::permanent("/console/")
}

/// The page.
#[utoipa::path(
    get,
    path = "/console/",
    responses((status = 200, description = "The page", content_type = "text/html"))
)]
pub async fn index(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let page = app.console.index.clone();
    let page = page.ok_or_else(|| ApiError::new(&headers, ErrorCode::NotFound, ""))?;
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    Ok(([kind, (header::CACHE_CONTROL, "no-cache")], page).into_response())
}

/// What the page is made of.
#[utoipa::path(
    get,
    path = "/console/assets/{file}",
    params(("file" = String, Path, description = "A name that the page says")),
    responses((status = 200, description = "The file"))
)]
pub async fn asset(
    State(app): State<App>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let found = app.console.assets.get(&file).cloned();
    let (kind, bytes) = found.ok_or_else(|| ApiError::new(&headers, ErrorCode::NotFound, ""))?;
    let kept = (header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    Ok(([(header::CONTENT_TYPE, kind), kept], bytes).into_response())
}
