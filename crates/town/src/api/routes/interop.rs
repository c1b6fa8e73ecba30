//! OGC API – Features.

use axum::routing::get;
use yaoguan_wire::ErrorCode;

use super::super::ogc::{self, collections, items};
use super::{Caller, Route};

pub(super) const ROUTES: &[Route] = &[
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
];
