//! The API described by itself: `/api/openapi.json`.

use std::collections::BTreeMap;

use axum::Json;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{OpenApi, ToSchema};
use yaoguan_wire::ErrorBody;

use super::error::status_of;
use super::routes::ROUTES;

/// A record as it travels: replicas are indexes into the message's table `replicas`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::packing::PackedRecord")]
struct RecordDoc {
    id: uuid::Uuid,
    /// One of the kinds of docs/RECORDS.md.
    #[schema(example = "hazard")]
    kind: String,
    created_by: uuid::Uuid,
    /// Pairs of replica index and counter.
    context: Vec<(u32, u64)>,
    /// The siblings by save: replica index, counter, and an object of path and value.
    #[schema(value_type = Vec<Object>)]
    writes: Vec<(u32, u64, String)>,
}

/// Body of `POST /v1/sync`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::SyncRequest")]
pub(super) struct SyncRequestDoc {
    protocol: u32,
    /// 22 characters of base64url.
    epoch: Option<String>,
    replica: String,
    push: PushDoc,
    cursor: Option<String>,
    scope_version: u64,
    replicas: Vec<String>,
    records: Vec<RecordDoc>,
    /// Ids of held saves that the phone keeps a copy of.
    holds: Vec<String>,
    clock: ClockDoc,
    /// Records that only this phone has; left out when there are none.
    waiting: Option<WaitingDoc>,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::Waiting")]
struct WaitingDoc {
    records: u64,
    oldest_s: i64,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::Push")]
struct PushDoc {
    /// The acknowledged token, then those of all attempts since.
    tokens: Vec<String>,
    /// The token of this push; none for an empty one.
    next: Option<String>,
    counter: u64,
    /// Indexes of replica ids that this phone wrote under before.
    former: Vec<u32>,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::Clock")]
struct ClockDoc {
    device: i64,
    boot_elapsed: i64,
}

/// Answer of `POST /v1/sync`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::SyncResponse")]
pub(super) struct SyncResponseDoc {
    epoch: String,
    verdicts: Vec<VerdictDoc>,
    replicas: Vec<String>,
    feed: Vec<FeedItemDoc>,
    cursor: String,
    more: bool,
    head: u64,
    scope: ScopeDoc,
    /// Now and then: a hash over all records in the scope, 32 hexadecimal digits.
    root: Option<String>,
    /// The phone is to reconcile.
    reconcile: bool,
    /// Of the holds asked for: those that no longer wait.
    holds: Vec<HoldNewsDoc>,
    town_time: i64,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::HoldNews")]
struct HoldNewsDoc {
    hold: String,
    /// `released`, `refused` or `lost`.
    outcome: String,
    /// The supervisor's words.
    note: String,
}

/// Body of `POST /v1/reconcile`: `message` or `wanted`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::ReconcileRequest")]
pub(super) struct ReconcileRequestDoc {
    protocol: u32,
    epoch: Option<String>,
    scope_version: u64,
    /// A message of the negentropy protocol, base64url: ids are SHA-256 of records, timestamps 0.
    message: Option<String>,
    /// Hashes of records that the phone lacks, base64url.
    wanted: Vec<String>,
}

/// Answer of `POST /v1/reconcile`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::ReconcileResponse")]
pub(super) struct ReconcileResponseDoc {
    epoch: String,
    message: Option<String>,
    /// Where the feed goes on from the state that was compared.
    cursor: String,
    replicas: Vec<String>,
    records: Vec<RecordDoc>,
    /// How many of the hashes asked for are answered.
    answered: u64,
    scope: ScopeDoc,
    town_time: i64,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::Verdict")]
struct VerdictDoc {
    id: uuid::Uuid,
    context: Vec<(u32, u64)>,
    /// `taken`, `taken_evict`, `held`, `recovered` or `refused`.
    verdict: String,
    /// With `held`.
    hold: Option<String>,
    /// With `refused`.
    code: Option<String>,
    retriable: Option<bool>,
    detail: Option<String>,
}

/// Exactly one of the three is there.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::FeedItem")]
struct FeedItemDoc {
    record: Option<RecordDoc>,
    left: Option<uuid::Uuid>,
    purged: Option<uuid::Uuid>,
}

/// `role` and `grids` are there when the phone's version is another.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of wire::Scope")]
struct ScopeDoc {
    version: u64,
    role: Option<String>,
    grids: Option<Vec<String>>,
}

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Smart Yaoguan, the town",
        description = "Sync endpoint of the town. See docs/SYNC.md."
    ),
    paths(
        super::sync::sync,
        super::reconcile::reconcile,
        super::enrol::enrol,
        super::password::set,
        super::records::list,
        super::missing::tell,
        super::blobs::read,
        super::uploads::options,
        super::uploads::create,
        super::uploads::offset,
        super::uploads::append,
        super::uploads::give_up,
        super::token::make,
        super::tiles::about,
        super::tiles::read,
        super::console::retention::show,
        super::console::retention::set,
        super::console::notices::list,
        super::console::notices::give,
        super::console::notices::withdraw,
        super::console::tiles::about,
        super::console::tiles::tile,
        super::console::tiles::receive,
        super::console::tiles::publish,
        super::console::session::begin,
        super::console::session::end,
        super::console::session::me,
        super::console::session::prove,
        super::console::held::list,
        super::console::held::show,
        super::console::held::decide,
        super::console::accounts::list,
        super::console::accounts::add,
        super::console::accounts::act,
        super::console::accounts_import::import,
        super::console::invites::list,
        super::console::invites::make,
        super::console::invites::print,
        super::console::invites::revoke,
        super::console::devices::list,
        super::console::devices::revoke,
        super::console::recovered::list,
        super::console::recovered::take,
        super::console::standing::show,
        super::console::templates::list,
        super::console::templates::design,
        super::console::town_grids::list,
        super::console::town_grids::import,
        super::console::audit::list,
        super::console::audit::check,
        super::console::roster::list,
        super::console::inbox::list,
        super::console::figures::show,
        super::console::coverage::show,
        super::console::coverage::households,
        super::console::map::grids,
        super::console::map::hazards,
        super::console::map::patrols,
        super::console::inbox::waiting,
        super::console::daily::show,
        super::console::decisions::decide,
        super::console::tasks::list,
        super::console::tasks::create,
        super::console::views::list,
        super::console::views::keep,
        super::console::views::give_up,
        super::console::record::show,
        super::console::save::save,
        super::console::events::listen,
        super::console::exports::make,
        super::console::photos::list,
        super::console::photos::read,
        super::console::files::to_index,
        super::console::files::index,
        super::console::files::asset,
        super::ogc::landing,
        super::ogc::conformance,
        super::ogc::api,
        super::ogc::collections::list,
        super::ogc::collections::show,
        super::ogc::items::list,
        super::ogc::items::show,
        super::health::alive,
        super::health::ready,
        json
    ),
    components(schemas(ErrorBody))
)]
struct Document;

/// The whole document: to what each handler says of its success, what each route says of its errors.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for route in ROUTES.iter() {
        let Some(item) = document.paths.paths.get_mut(route.path) else { continue };
        let operation = match route.method {
            "GET" => &mut item.get,
            "POST" => &mut item.post,
            "HEAD" => &mut item.head,
            "PATCH" => &mut item.patch,
            "DELETE" => &mut item.delete,
            "OPTIONS" => &mut item.options,
            _ => continue,
        };
        let Some(operation) = operation else { continue };
        let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        for code in route.all_codes() {
            let codes = by_status.entry(status_of(&code).as_u16()).or_default();
            codes.push(format!("`{code}`"));
        }
        for (status, codes) in by_status {
            let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
            let response = ResponseBuilder::new()
                .description(codes.join(", "))
                .content("application/json", body);
            let response = RefOr::T(response.build());
            operation.responses.responses.entry(status.to_string()).or_insert(response);
        }
    }
    document
}

/// This description.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    responses((status = 200, description = "An OpenAPI document", body = Object))
)]
pub async fn json() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
