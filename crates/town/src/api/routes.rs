//! Every route, once: the router, the description and the tests of who may what are made from this table.

use axum::Router;
use axum::routing::{MethodRouter, delete, get, head, options, patch, post};
use yaoguan_wire::ErrorCode;

use super::console::{
    accounts, accounts_import, audit, coverage, daily, decisions, devices, figures, held, invites,
    map, recovered, standing, tasks, templates, town_grids, views,
};
use super::console::{events, exports, files, inbox, photos, record, roster, save, session};
use super::ogc::{self, collections, items};
use super::{
    App, blobs, enrol, health, missing, openapi, password, reconcile, records, sync, token, uploads,
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
        path: "/console/v1/roster",
        caller: Caller::Session,
        codes: &[],
        handler: || get(roster::list),
    },
    Route {
        method: "GET",
        path: "/console/v1/hazards",
        caller: Caller::Session,
        codes: &[ErrorCode::BadRequest],
        handler: || get(inbox::list),
    },
    Route {
        method: "GET",
        path: "/console/v1/figures",
        caller: Caller::Session,
        codes: &[ErrorCode::BadRequest],
        handler: || get(figures::show),
    },
    Route {
        method: "GET",
        path: "/console/v1/coverage",
        caller: Caller::Session,
        codes: &[ErrorCode::BadRequest],
        handler: || get(coverage::show),
    },
    Route {
        method: "GET",
        path: "/console/v1/households/due",
        caller: Caller::Session,
        codes: &[ErrorCode::BadRequest],
        handler: || get(coverage::households),
    },
    Route {
        method: "GET",
        path: "/console/v1/map/grids",
        caller: Caller::Session,
        codes: &[],
        handler: || get(map::grids),
    },
    Route {
        method: "GET",
        path: "/console/v1/map/hazards",
        caller: Caller::Session,
        codes: &[ErrorCode::BadRequest],
        handler: || get(map::hazards),
    },
    Route {
        method: "GET",
        path: "/console/v1/map/patrols",
        caller: Caller::Session,
        codes: &[ErrorCode::BadRequest],
        handler: || get(map::patrols),
    },
    Route {
        method: "GET",
        path: "/console/v1/waiting",
        caller: Caller::Session,
        codes: &[],
        handler: || get(inbox::waiting),
    },
    Route {
        method: "GET",
        path: "/console/v1/daily",
        caller: Caller::Session,
        codes: &[ErrorCode::BadRequest],
        handler: || get(daily::show),
    },
    Route {
        method: "POST",
        path: "/console/v1/decisions",
        caller: Caller::Session,
        codes: &[ErrorCode::UnsupportedEncoding],
        handler: || post(decisions::decide),
    },
    Route {
        method: "GET",
        path: "/console/v1/tasks",
        caller: Caller::Session,
        codes: &[ErrorCode::BadRequest],
        handler: || get(tasks::list),
    },
    Route {
        method: "POST",
        path: "/console/v1/tasks",
        caller: Caller::Session,
        codes: &[
            ErrorCode::Invalid,
            ErrorCode::NotAllowed,
            ErrorCode::UnknownGrid,
            ErrorCode::UnsupportedEncoding,
        ],
        handler: || post(tasks::create),
    },
    Route {
        method: "GET",
        path: "/console/v1/views",
        caller: Caller::Session,
        codes: &[],
        handler: || get(views::list),
    },
    Route {
        method: "POST",
        path: "/console/v1/views",
        caller: Caller::Session,
        codes: &[ErrorCode::UnsupportedEncoding],
        handler: || post(views::keep),
    },
    Route {
        method: "DELETE",
        path: "/console/v1/views/{id}",
        caller: Caller::Session,
        codes: &[ErrorCode::NotFound],
        handler: || delete(views::give_up),
    },
    Route {
        method: "GET",
        path: "/console/v1/records/{id}",
        caller: Caller::Session,
        codes: &[ErrorCode::NotFound],
        handler: || get(record::show),
    },
    Route {
        method: "POST",
        path: "/console/v1/records/{id}",
        caller: Caller::Session,
        codes: &[
            ErrorCode::NotFound,
            ErrorCode::UnknownField,
            ErrorCode::Invalid,
            ErrorCode::NotAllowed,
            ErrorCode::UnknownGrid,
            ErrorCode::StepNotAllowed,
            ErrorCode::UnsupportedEncoding,
        ],
        handler: || post(save::save),
    },
    Route {
        method: "GET",
        path: "/console/v1/events",
        caller: Caller::Session,
        codes: &[ErrorCode::Busy],
        handler: || get(events::listen),
    },
    Route {
        method: "GET",
        path: "/console/v1/held",
        caller: Caller::SignedIn,
        codes: &[],
        handler: || get(held::list),
    },
    Route {
        method: "GET",
        path: "/console/v1/held/{id}",
        caller: Caller::SignedIn,
        codes: &[ErrorCode::NotFound],
        handler: || get(held::show),
    },
    Route {
        method: "POST",
        path: "/console/v1/held/{id}",
        caller: Caller::SignedIn,
        codes: &[ErrorCode::NotFound, ErrorCode::NotDone, ErrorCode::UnsupportedEncoding],
        handler: || post(held::decide),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/accounts",
        caller: Caller::Admin,
        codes: &[ErrorCode::BadRequest],
        handler: || get(accounts::list),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/accounts",
        caller: Caller::Admin,
        codes: &[ErrorCode::NotDone, ErrorCode::UnsupportedEncoding],
        handler: || post(accounts::add),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/accounts/import",
        caller: Caller::Admin,
        codes: &[ErrorCode::UnsupportedEncoding],
        handler: || post(accounts_import::import),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/accounts/{id}",
        caller: Caller::Admin,
        codes: ADMIN_ACT,
        handler: || post(accounts::act),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/invites",
        caller: Caller::Admin,
        codes: &[ErrorCode::BadRequest],
        handler: || get(invites::list),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/invites",
        caller: Caller::Admin,
        codes: &[ErrorCode::NotFound, ErrorCode::NotDone, ErrorCode::UnsupportedEncoding],
        handler: || post(invites::make),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/invites/sheet",
        caller: Caller::Admin,
        codes: &[ErrorCode::NotDone, ErrorCode::UnsupportedEncoding],
        handler: || post(invites::print),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/invites/{id}",
        caller: Caller::Admin,
        codes: ADMIN_ACT,
        handler: || post(invites::revoke),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/devices",
        caller: Caller::Admin,
        codes: &[],
        handler: || get(devices::list),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/devices/{id}",
        caller: Caller::Admin,
        codes: ADMIN_ACT,
        handler: || post(devices::revoke),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/recovered",
        caller: Caller::Admin,
        codes: &[],
        handler: || get(recovered::list),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/recovered",
        caller: Caller::Admin,
        codes: ADMIN_ACT,
        handler: || post(recovered::take),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/grids",
        caller: Caller::Admin,
        codes: &[],
        handler: || get(town_grids::list),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/templates",
        caller: Caller::Admin,
        codes: &[],
        handler: || get(templates::list),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/templates",
        caller: Caller::Admin,
        codes: &[
            ErrorCode::FieldForbidden,
            ErrorCode::PasswordNeeded,
            ErrorCode::NotDone,
            ErrorCode::UnsupportedEncoding,
        ],
        handler: || post(templates::design),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/standing",
        caller: Caller::Admin,
        codes: &[],
        handler: || get(standing::show),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/audit",
        caller: Caller::Admin,
        codes: &[ErrorCode::BadRequest],
        handler: || get(audit::list),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/audit/check",
        caller: Caller::Admin,
        codes: &[],
        handler: || get(audit::check),
    },
    Route {
        method: "GET",
        path: "/console/v1/records/{id}/photos",
        caller: Caller::Session,
        codes: &[ErrorCode::NotFound],
        handler: || get(photos::list),
    },
    Route {
        method: "GET",
        path: "/console/v1/blobs/{hash}",
        caller: Caller::Session,
        codes: &[ErrorCode::BadRequest, ErrorCode::NotFound, ErrorCode::RangeNotSatisfiable],
        handler: || get(photos::read),
    },
    Route {
        method: "POST",
        path: "/console/v1/exports/{file}",
        caller: Caller::Session,
        codes: &[ErrorCode::NotFound, ErrorCode::UnsupportedEncoding],
        handler: || post(exports::make),
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
    Route {
        method: "GET",
        path: "/ogc",
        caller: Caller::Anyone,
        codes: &[],
        handler: || get(ogc::landing),
    },
    Route {
        method: "GET",
        path: "/ogc/conformance",
        caller: Caller::Anyone,
        codes: &[],
        handler: || get(ogc::conformance),
    },
    Route {
        method: "GET",
        path: "/ogc/api",
        caller: Caller::Anyone,
        codes: &[],
        handler: || get(ogc::api),
    },
    Route {
        method: "GET",
        path: "/ogc/collections",
        caller: Caller::Reader,
        codes: &[],
        handler: || get(collections::list),
    },
    Route {
        method: "GET",
        path: "/ogc/collections/{collection}",
        caller: Caller::Reader,
        codes: &[ErrorCode::NotFound],
        handler: || get(collections::show),
    },
    Route {
        method: "GET",
        path: "/ogc/collections/{collection}/items",
        caller: Caller::Reader,
        codes: &[ErrorCode::BadRequest, ErrorCode::NotFound],
        handler: || get(items::list),
    },
    Route {
        method: "GET",
        path: "/ogc/collections/{collection}/items/{id}",
        caller: Caller::Reader,
        codes: &[ErrorCode::NotFound],
        handler: || get(items::show),
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
