//! `/console/v1/admin/accounts`: who there is, what they may, how they sign in. An adapter of
//! [`crate::people::acts`].

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yaoguan_model::{GridCode, Role};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::refused::refused;
use super::session::Admin;
use crate::people::acts::{self, Typed, Wanted};
use crate::people::{Person, sheet};
use crate::storage::people::PeopleAsk;

/// What is wanted; what is not said asks for any.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Asked {
    /// Part of a name or login.
    q: String,
    role: String,
    /// Twelve digits.
    village: String,
    /// The `next` of the page before.
    after: String,
}

/// A page of accounts, in the order of logins.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Accounts {
    rows: Vec<Row>,
    total: u64,
    next: Option<String>,
}

/// An account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AccountRow)]
pub struct Row {
    id: String,
    login: Option<String>,
    name: String,
    role: &'static str,
    whole_town: bool,
    /// Empty for whoever has the whole town.
    grids: Vec<String>,
    disabled: bool,
    has_password: bool,
    has_totp: bool,
}

impl Row {
    pub(super) fn of(person: &Person) -> Self {
        let Person { account, login, disabled, has_password, has_totp } = person;
        let grids = account.grids.iter().filter(|_| !account.whole_town);
        Self {
            id: account.id.to_string(),
            login: login.clone(),
            name: account.name.clone(),
            role: account.role.as_str(),
            whole_town: account.whole_town,
            grids: grids.map(|grid: &GridCode| grid.as_str().to_owned()).collect(),
            disabled: *disabled,
            has_password: *has_password,
            has_totp: *has_totp,
        }
    }
}

/// The accounts.
#[utoipa::path(
    get,
    path = "/console/v1/admin/accounts",
    params(Asked),
    responses((status = 200, body = Accounts))
)]
pub async fn list(
    State(app): State<App>,
    _: Admin,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Accounts>, ApiError> {
    let bad = |detail: &str| ApiError::new(&headers, ErrorCode::BadRequest, detail);
    let Query(asked) = query.map_err(|error| bad(&error.body_text()))?;
    let role = match asked.role.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| bad("role"))?),
    };
    let after = match asked.after.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| bad("after"))?),
    };
    let words = asked.q.trim().to_owned();
    let ask = PeopleAsk { words, role, village: asked.village, after };
    let page = app.storage.people_page(ask).await;
    let page = page.map_err(|error| ApiError::internal(&headers, &error))?;
    let last = page.people.last().filter(|_| page.more);
    let next = last.map(|person| person.account.id.to_string());
    let rows = page.people.iter().map(Row::of).collect();
    Ok(Json(Accounts { rows, total: page.total, next }))
}

/// An account to be added.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = NewAccount)]
pub struct New {
    login: String,
    name: String,
    #[schema(value_type = String)]
    role: Role,
    /// `*`, or codes of grids and villages.
    #[serde(default)]
    grids: String,
}

/// Adds an account.
#[utoipa::path(
    post,
    path = "/console/v1/admin/accounts",
    request_body = New,
    responses((status = 200, body = Row))
)]
pub async fn add(
    State(app): State<App>,
    Admin(session): Admin,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Row>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let New { login, name, role, grids } = read::<New>(&app, &headers, &sent).await?.message;
    let typed = Typed { login, name, role, grids };
    let storage = app.storage.as_ref();
    let added = acts::add(storage, app.env.as_ref(), typed, session.done(&app, "")).await;
    let id = added.map_err(|error| refused(&headers, error))?;
    let person = acts::find(storage, &id.to_string()).await;
    Ok(Json(Row::of(&person.map_err(|error| refused(&headers, error))?)))
}

/// What is done with an account.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    Change {
        login: Option<String>,
        name: Option<String>,
        #[schema(value_type = Option<String>)]
        role: Option<Role>,
        grids: Option<String>,
        reason: String,
    },
    Disable {
        reason: String,
    },
    Enable {
        reason: String,
    },
    /// Hands out a one-time code for a new password.
    Reset {
        reason: String,
    },
    TotpEnrol {
        reason: String,
    },
    TotpConfirm {
        code: String,
    },
    TotpDisable {
        reason: String,
    },
}

/// Does one thing with an account. All but the confirmation of a one-time password asks for care: whoever may
/// do it can become anybody.
#[utoipa::path(
    post,
    path = "/console/v1/admin/accounts/{id}",
    params(("id" = String, Path, description = "The account")),
    request_body = Act,
    responses((status = 200, description = "The account, and the code or picture that is shown once"))
)]
pub async fn act(
    State(app): State<App>,
    Admin(session): Admin,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Value>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let act = read::<Act>(&app, &headers, &sent).await?.message;
    let fail = |error| refused(&headers, error);
    let (storage, env) = (app.storage.as_ref(), app.env.as_ref());
    let person = acts::find(storage, &id).await.map_err(fail)?;
    let id = person.account.id;
    let mut once = Value::Null;
    let care = async |reason: &str| session.done_with_care(&app, &headers, reason).await;
    match act {
        Act::Change { login, name, role, grids, reason } => {
            let wanted = Wanted { login, name, role, grids };
            acts::change(storage, &person, wanted, care(&reason).await?).await.map_err(fail)?;
        }
        Act::Disable { reason } => {
            storage.set_disabled(id, true, care(&reason).await?).await.map_err(fail)?;
        }
        Act::Enable { reason } => {
            storage.set_disabled(id, false, care(&reason).await?).await.map_err(fail)?;
        }
        Act::Reset { reason } => {
            let done = care(&reason).await?;
            let reset = acts::offer_reset(storage, env, &person, done).await.map_err(fail)?;
            once =
                json!({ "login": reset.login, "code": reset.code, "expires_at": reset.expires_at });
        }
        Act::TotpEnrol { reason } => {
            let done = care(&reason).await?;
            let uri = acts::enrol_totp(storage, env, &person, done).await.map_err(fail)?;
            once = json!({ "uri": uri, "svg": sheet::drawn(&uri) });
        }
        Act::TotpConfirm { code } => {
            storage.confirm_totp(id, code, session.done(&app, "")).await.map_err(fail)?;
        }
        Act::TotpDisable { reason } => {
            storage.disable_totp(id, care(&reason).await?).await.map_err(fail)?;
        }
    }
    let person = acts::find(storage, &id.to_string()).await.map_err(fail)?;
    Ok(Json(json!({ "account": Row::of(&person), "once": once })))
}
