//! The console's pages and sessions.

use axum::routing::{get, post};
use yaoguan_wire::ErrorCode;

use super::super::console::{files, session};
use super::{Caller, Route};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/console/v1/session",
        caller: Caller::Anyone,
        codes: &[
            ErrorCode::CrossSite,
            ErrorCode::SignInWrong,
            ErrorCode::TotpNeeded,
            ErrorCode::AccountDisabled,
            ErrorCode::NotForRole,
            ErrorCode::UnsupportedEncoding,
        ],
        handler: || post(session::begin),
    },
    Route {
        method: "POST",
        path: "/console/v1/session/end",
        caller: Caller::SignedIn,
        codes: &[ErrorCode::UnsupportedEncoding],
        handler: || post(session::end),
    },
    Route {
        method: "POST",
        path: "/console/v1/session/prove",
        caller: Caller::SignedIn,
        codes: &[ErrorCode::SignInWrong, ErrorCode::TotpNeeded, ErrorCode::UnsupportedEncoding],
        handler: || post(session::prove),
    },
    Route {
        method: "GET",
        path: "/console/v1/me",
        caller: Caller::SignedIn,
        codes: &[],
        handler: || get(session::me),
    },
    Route {
        method: "GET",
        path: "/console",
        caller: Caller::Anyone,
        codes: &[],
        handler: || get(files::to_index),
    },
    Route {
        method: "GET",
        path: "/console/",
        caller: Caller::Anyone,
        codes: &[ErrorCode::NotFound],
        handler: || get(files::index),
    },
    Route {
        method: "GET",
        path: "/console/assets/{file}",
        caller: Caller::Anyone,
        codes: &[ErrorCode::NotFound],
        handler: || get(files::asset),
    },
];
