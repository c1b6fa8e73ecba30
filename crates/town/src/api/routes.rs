//! Every route, once: the router, the description and the tests of who may what are made from this table.

use std::sync::LazyLock;

use axum::Router;
use axum::routing::{MethodRouter, get};
use yaoguan_wire::ErrorCode;

use super::{App, health, openapi};

mod admin;
mod blobs;
mod desk;
mod interop;
mod phones;
mod session;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// No proof is asked for.
    Anyone,
    /// An enrolled device by its proof. A token is not enough: what is written bears the device's name.
    Device,
    /// A device by its proof, or a tool by a token. Nothing is written but files, which are their own proof.
    Reader,
    /// A supervisor by the session's cookie; what changes something bears its token too.
    Session,
    /// The same for administrators.
    Admin,
    /// Either of them.
    SignedIn,
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

/// Codes of a dangerous act of an administrator on something that may not be there.
const ADMIN_ACT: &[ErrorCode] = &[
    ErrorCode::NotFound,
    ErrorCode::PasswordNeeded,
    ErrorCode::NotDone,
    ErrorCode::UnsupportedEncoding,
];

/// The routes, area by area.
pub static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let areas = [
        phones::ROUTES,
        session::ROUTES,
        desk::ROUTES,
        admin::ROUTES,
        blobs::ROUTES,
        interop::ROUTES,
        OF_ITSELF,
    ];
    areas.concat()
});

/// What the town says of itself.
const OF_ITSELF: &[Route] = &[
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
        match self.caller {
            Caller::Anyone => {}
            Caller::Device | Caller::Reader => codes.extend_from_slice(PROVED),
            Caller::Session | Caller::SignedIn => codes.push(ErrorCode::Unauthorised),
            Caller::Admin => codes.extend([ErrorCode::Unauthorised, ErrorCode::NotForRole]),
        }
        let by_cookie = matches!(self.caller, Caller::Session | Caller::SignedIn | Caller::Admin);
        if by_cookie && self.method != "GET" {
            codes.push(ErrorCode::CrossSite);
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
