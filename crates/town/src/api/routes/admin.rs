//! What administrators do at the console.

use axum::routing::{get, post};
use yaoguan_wire::ErrorCode;

use super::super::console::{
    accounts, accounts_import, audit, devices, invites, recovered, retention, standing, templates,
    tiles, town_grids,
};
use super::{ADMIN_ACT, Caller, Route};

pub(super) const ROUTES: &[Route] = &[
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
        method: "POST",
        path: "/console/v1/admin/grids",
        caller: Caller::Admin,
        codes: &[ErrorCode::PasswordNeeded, ErrorCode::NotDone, ErrorCode::UnsupportedEncoding],
        handler: || post(town_grids::import),
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
        method: "POST",
        path: super::super::edges::TILES,
        caller: Caller::Admin,
        codes: &[ErrorCode::NotDone],
        handler: || post(tiles::receive),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/tiles/{hash}",
        caller: Caller::Admin,
        codes: ADMIN_ACT,
        handler: || post(tiles::publish),
    },
    Route {
        method: "GET",
        path: "/console/v1/admin/retention",
        caller: Caller::Admin,
        codes: &[ErrorCode::BadRequest],
        handler: || get(retention::show),
    },
    Route {
        method: "POST",
        path: "/console/v1/admin/retention",
        caller: Caller::Admin,
        codes: &[ErrorCode::PasswordNeeded, ErrorCode::NotDone, ErrorCode::UnsupportedEncoding],
        handler: || post(retention::set),
    },
];
