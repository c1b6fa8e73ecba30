//! What phones and tools ask for, beside files.

use axum::routing::{get, post};
use yaoguan_wire::ErrorCode;

use super::super::{enrol, password, reconcile, records, sync, tiles, token};
use super::{Caller, Route};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/v1/sync",
        caller: Caller::Device,
        codes: &[
            ErrorCode::ReplicaForked,
            ErrorCode::UnsupportedEncoding,
            ErrorCode::UnsupportedProtocol,
        ],
        handler: || post(sync::sync),
    },
    Route {
        method: "POST",
        path: "/v1/reconcile",
        caller: Caller::Device,
        codes: &[ErrorCode::UnsupportedEncoding, ErrorCode::UnsupportedProtocol],
        handler: || post(reconcile::reconcile),
    },
    Route {
        method: "POST",
        path: "/v1/token",
        caller: Caller::Device,
        codes: &[],
        handler: || post(token::make),
    },
    Route {
        method: "POST",
        path: "/v1/enrol",
        caller: Caller::Anyone,
        codes: &[
            ErrorCode::InviteUnknown,
            ErrorCode::InviteGone,
            ErrorCode::InviteOther,
            ErrorCode::UnsupportedEncoding,
        ],
        handler: || post(enrol::enrol),
    },
    Route {
        method: "POST",
        path: "/v1/password",
        caller: Caller::Anyone,
        codes: &[ErrorCode::ResetGone, ErrorCode::BadPassword, ErrorCode::UnsupportedEncoding],
        handler: || post(password::set),
    },
    Route {
        method: "GET",
        path: "/v1/records/{kind}",
        caller: Caller::Reader,
        codes: &[ErrorCode::BadRequest, ErrorCode::NotFound],
        handler: || get(records::list),
    },
    Route {
        method: "GET",
        path: "/v1/tiles",
        caller: Caller::Reader,
        codes: &[ErrorCode::NotFound],
        handler: || get(tiles::about),
    },
    Route {
        method: "GET",
        path: "/v1/tiles/{hash}",
        caller: Caller::Reader,
        codes: &[ErrorCode::NotFound, ErrorCode::RangeNotSatisfiable],
        handler: || get(tiles::read),
    },
];
