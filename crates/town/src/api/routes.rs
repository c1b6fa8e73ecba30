//! Every route, once: the router, the description and the tests of who may what are made from this table.

use axum::Router;
use axum::routing::{MethodRouter, delete, get, head, options, patch, post};
use yaoguan_wire::ErrorCode;

use super::{
    App, blobs, enrol, health, openapi, password, reconcile, records, sync, token, uploads,
};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// No proof is asked for.
    Anyone,
    /// An enrolled device by its proof. A token is not enough: what is written bears the device's name.
    Device,
    /// A device by its proof, or a tool by a token. Nothing is written but files, which are their own proof.
    Reader,
}

/// One route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub caller: Caller,
    /// The error codes of its own, beside [`EVERYWHERE`] and those of its caller.
    pub codes: &'static [ErrorCode],
    handler: fn() -> MethodRouter<App>,
}

/// Codes that every route can give.
pub const EVERYWHERE: &[ErrorCode] =
    &[ErrorCode::MethodNotAllowed, ErrorCode::Timeout, ErrorCode::RateLimited, ErrorCode::Internal];
/// Codes that every route with a proof can give.
const PROVED: &[ErrorCode] = &[
    ErrorCode::Unauthorised,
    ErrorCode::ClockSkew,
    ErrorCode::DeviceRevoked,
    ErrorCode::AccountDisabled,
];
/// Codes of a route that takes a body.
const RECEIVES: &[ErrorCode] =
    &[ErrorCode::BadRequest, ErrorCode::TooLarge, ErrorCode::Busy, ErrorCode::StorageFull];

/// The routes.
pub const ROUTES: &[Route] = &[
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
    Route {
        method: "GET",
        path: "/healthz",
        caller: Caller::Anyone,
        codes: &[],
        handler: || get(health::alive),
    },
    Route {
        method: "GET",
        path: "/readyz",
        caller: Caller::Anyone,
        codes: &[],
        handler: || get(health::ready),
    },
    Route {
        method: "GET",
        path: "/api/openapi.json",
        caller: Caller::Anyone,
        codes: &[],
        handler: || get(openapi::json),
    },
];

impl Route {
    /// Every error code that the route can give.
    pub fn all_codes(&self) -> Vec<ErrorCode> {
        let mut codes: Vec<ErrorCode> = [EVERYWHERE, self.codes].concat();
        if self.caller != Caller::Anyone {
            codes.extend_from_slice(PROVED);
        }
        if matches!(self.method, "POST" | "PATCH") {
            codes.extend_from_slice(RECEIVES);
        }
        codes
    }
}

/// The bare routes, without what stands before them.
pub(super) fn routes() -> Router<App> {
    ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handler)()))
}
