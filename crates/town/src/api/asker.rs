//! The language of the asker, from `Accept-Language`.

use axum::http::{HeaderMap, header};

/// The two languages of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Zh,
    En,
}

/// Chinese unless English is named first.
pub fn language(headers: &HeaderMap) -> Lang {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    match wanted {
        Some(text) if text.trim_start().to_ascii_lowercase().starts_with("en") => Lang::En,
        Some(_) | None => Lang::Zh,
    }
}
