//! Files: photos and tracks, up by tus, down by hash.

use axum::routing::{delete, get, head, options, patch, post};
use yaoguan_wire::ErrorCode;

use super::super::{blobs, missing, uploads};
use super::{Caller, Route};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/v1/files/missing",
        caller: Caller::Device,
        codes: &[ErrorCode::UnsupportedEncoding],
        handler: || post(missing::tell),
    },
    Route {
        method: "OPTIONS",
        path: "/v1/blobs",
        caller: Caller::Anyone,
        codes: &[],
        handler: || options(uploads::options),
    },
    Route {
        method: "POST",
        path: "/v1/blobs",
        caller: Caller::Reader,
        codes: &[ErrorCode::UnsupportedTus],
        handler: || post(uploads::create),
    },
    Route {
        method: "HEAD",
        path: "/v1/blobs/uploads/{id}",
        caller: Caller::Reader,
        codes: &[ErrorCode::UnsupportedTus, ErrorCode::NotFound],
        handler: || head(uploads::offset),
    },
    Route {
        method: "PATCH",
        path: "/v1/blobs/uploads/{id}",
        caller: Caller::Reader,
        codes: &[
            ErrorCode::UnsupportedTus,
            ErrorCode::NotFound,
            ErrorCode::OffsetMismatch,
            ErrorCode::ChecksumMismatch,
            ErrorCode::BlobRefused,
        ],
        handler: || patch(uploads::append),
    },
    Route {
        method: "DELETE",
        path: "/v1/blobs/uploads/{id}",
        caller: Caller::Reader,
        codes: &[ErrorCode::UnsupportedTus, ErrorCode::NotFound],
        handler: || delete(uploads::give_up),
    },
    Route {
        method: "GET",
        path: "/v1/blobs/{hash}",
        caller: Caller::Reader,
        codes: &[ErrorCode::NotFound, ErrorCode::RangeNotSatisfiable],
        handler: || get(blobs::read),
    },
];
