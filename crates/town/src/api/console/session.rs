//! Signing in and out at the console, and who asks: a session by its cookie.
//!
//! A request that changes something must come from the console's own page (`Origin`) and bear the session's
//! token in a header. The token is a hash of the cookie, which no script can read: whoever knows the token
//! was told it by the town, and nothing more is kept.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use yaoguan_model::{GridCode, Role};
use yaoguan_wire::ErrorCode;
use yaoguan_wire::limits::MAX_SMALL_BYTES;

use super::super::App;
use super::super::edges::Peer;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use crate::audit::{Attribution, By};
use crate::people::Account;
use crate::people::sign_in::{SignInError, Try, sign_in};
use crate::storage::sessions::{LONGEST_S, Use};

/// The cookie. Its prefix makes browsers insist on `Secure`.
pub const COOKIE: &str = "__Secure-yaoguan";
/// The header that bears the session's token.
pub const TOKEN_HEADER: &str = "x-csrf-token";

/// A supervisor with a session.
#[derive(Debug, Clone)]
pub struct Session {
    pub hash: [u8; 32],
    pub account: Account,
    token: String,
}

impl FromRequestParts<App> for Session {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let SignedIn(session) = SignedIn::from_request_parts(parts, app).await?;
        match session.account.role {
            Role::Supervisor => Ok(session),
            Role::Volunteer | Role::Chief | Role::Admin => {
                Err(ApiError::new(&parts.headers, ErrorCode::Unauthorised, ""))
            }
        }
    }
}

/// An administrator with a session.
#[derive(Debug, Clone)]
pub struct Admin(pub Session);

impl FromRequestParts<App> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let SignedIn(session) = SignedIn::from_request_parts(parts, app).await?;
        match session.account.role {
            Role::Admin => Ok(Self(session)),
            Role::Volunteer | Role::Chief | Role::Supervisor => {
                Err(ApiError::new(&parts.headers, ErrorCode::NotForRole, ""))
            }
        }
    }
}

/// Whoever has a session: a supervisor or an administrator.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Session);

impl Session {
    /// What this person does, now.
    pub fn done(&self, app: &App, reason: &str) -> Attribution {
        Attribution::new(By::Account(self.account.id), app.env.now_s()).because(reason.trim())
    }

    /// What is dangerous is done with a reason, and by whoever gave the password a short while ago: not by
    /// whoever found the page open.
    pub async fn done_with_care(
        &self,
        app: &App,
        headers: &HeaderMap,
        reason: &str,
    ) -> Result<Attribution, ApiError> {
        let proved = app.storage.is_proved(self.hash, app.env.now_s()).await;
        if !proved.map_err(|error| ApiError::internal(headers, &error))? {
            return Err(ApiError::new(headers, ErrorCode::PasswordNeeded, ""));
        }
        match reason.trim().is_empty() {
            true => Err(ApiError::not_done(headers, "reason", "a reason is missing")),
            false => Ok(self.done(app, reason)),
        }
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Parts { method, uri, headers, .. } = parts;
        let unauthorised = || ApiError::new(headers, ErrorCode::Unauthorised, "");
        let cookie = cookie(headers).ok_or_else(unauthorised)?;
        let hash = Sha256::digest(cookie).into();
        let found = app.storage.session(hash, Use::Active, app.env.now_s()).await;
        let found = found.map_err(|error| ApiError::internal(headers, &error))?;
        let account = found.filter(|a| has_pages(a.role)).ok_or_else(unauthorised)?;
        let token = token_of(cookie);
        if *method != Method::GET {
            let sent = headers.get(TOKEN_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
            let same: bool = sent.ct_eq(token.as_bytes()).into();
            if !same || !is_own_page(uri, headers) {
                return Err(ApiError::new(headers, ErrorCode::CrossSite, ""));
            }
        }
        Ok(Self(Session { hash, account, token }))
    }
}

/// The console has pages for this role.
fn has_pages(role: Role) -> bool {
    match role {
        Role::Supervisor | Role::Admin => true,
        Role::Volunteer | Role::Chief => false,
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim() == COOKIE).map(|(_, value)| value.trim())
}

fn token_of(cookie: &str) -> String {
    B64.encode(Sha256::digest(format!("yaoguan console token\n{cookie}")))
}

/// The page that asks is of the host that is asked.
fn is_own_page(uri: &Uri, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = uri.authority().map(|a| a.as_str()).or_else(|| text(header::HOST));
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    matches!((host, origin), (Some(host), Some((_, origin))) if origin.eq_ignore_ascii_case(host))
}

/// What somebody types to sign in.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SignIn {
    login: String,
    password: String,
    /// Asked for with `totp_needed`.
    #[serde(default)]
    totp: Option<String>,
}

/// Which sessions end.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SignOut {
    /// All of the account's, on every device.
    #[serde(default)]
    everywhere: bool,
}

/// Whose session it is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Me {
    id: String,
    name: String,
    role: &'static str,
    whole_town: bool,
    grids: Vec<String>,
    /// Goes into the header `X-Csrf-Token` of whatever changes something.
    token: String,
    /// The town's time, in seconds.
    town_time: i64,
}

fn me_of(account: &Account, token: &str, now: i64) -> Me {
    Me {
        id: account.id.to_string(),
        name: account.name.clone(),
        role: account.role.as_str(),
        whole_town: account.whole_town,
        grids: account.grids.iter().map(|grid: &GridCode| grid.as_str().to_owned()).collect(),
        token: token.to_owned(),
        town_time: now,
    }
}

/// Begins a session. The answer sets its cookie.
#[utoipa::path(
    post,
    path = "/console/v1/session",
    request_body = SignIn,
    responses((status = 200, body = Me))
)]
pub async fn begin(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    uri: Uri,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, ApiError> {
    if !is_own_page(&uri, &headers) {
        return Err(ApiError::new(&headers, ErrorCode::CrossSite, ""));
    }
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let typed = read::<SignIn>(&app, &headers, &sent).await?.message;
    let address = peer.map(|Extension(Peer(address))| address.to_string()).unwrap_or_default();
    let tried = Try {
        login: &typed.login,
        password: &typed.password,
        totp: typed.totp.as_deref(),
        address: &address,
    };
    let account = sign_in(app.storage.as_ref(), app.env.as_ref(), tried).await;
    let account = account.map_err(|error| refused(&headers, error))?;
    if !has_pages(account.role) {
        return Err(ApiError::new(&headers, ErrorCode::NotForRole, ""));
    }
    let random: Vec<u8> = app.env.random_16().into_iter().chain(app.env.random_16()).collect();
    let cookie = B64.encode(random);
    let now = app.env.now_s();
    let added = app.storage.add_session(Sha256::digest(&cookie).into(), account.id, now).await;
    added.map_err(|error| ApiError::internal(&headers, &error))?;
    tracing::info!(account = %account.id, "signed in to the console");
    let mut response = Json(me_of(&account, &token_of(&cookie), now)).into_response();
    set_cookie(&mut response, &cookie, LONGEST_S);
    Ok(response)
}

fn refused(headers: &HeaderMap, error: SignInError) -> ApiError {
    let code = match error {
        SignInError::Wrong => ErrorCode::SignInWrong,
        SignInError::TotpNeeded => ErrorCode::TotpNeeded,
        SignInError::Disabled => ErrorCode::AccountDisabled,
        SignInError::Slow { retry_after_s } => {
            let wait = u32::try_from(retry_after_s).unwrap_or(u32::MAX);
            return ApiError::later(headers, ErrorCode::RateLimited, wait);
        }
        SignInError::Failed(error) => return ApiError::internal(headers, &error),
    };
    ApiError::new(headers, code, "")
}

fn set_cookie(response: &mut Response, value: &str, max_age_s: i64) {
    let text = format!(
        "{COOKIE}={value}; Path=/console; Max-Age={max_age_s}; HttpOnly; Secure; SameSite=Strict"
    );
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}

/// The password again, for what is dangerous.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Proof {
    password: String,
    /// Asked for with `totp_needed`.
    #[serde(default)]
    totp: Option<String>,
}

/// Takes the password again; wrong ones count like wrong sign-ins.
#[utoipa::path(
    post,
    path = "/console/v1/session/prove",
    request_body = Proof,
    responses((status = 200, description = "It was right"))
)]
pub async fn prove(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<serde_json::Value>, ApiError> {
    sent.at_most(&headers, MAX_SMALL_BYTES)?;
    let typed = read::<Proof>(&app, &headers, &sent).await?.message;
    let internal = |error| ApiError::internal(&headers, &error);
    let id = session.account.id;
    let person = app.storage.person(id.to_string()).await.map_err(internal)?;
    let address = peer.map(|Extension(Peer(address))| address.to_string()).unwrap_or_default();
    let tried = Try {
        login: &person.and_then(|person| person.login).unwrap_or_default(),
        password: &typed.password,
        totp: typed.totp.as_deref(),
        address: &address,
    };
    let account = sign_in(app.storage.as_ref(), app.env.as_ref(), tried).await;
    account.map_err(|error| refused(&headers, error))?;
    app.storage.prove_session(session.hash, app.env.now_s()).await.map_err(internal)?;
    Ok(Json(serde_json::json!({})))
}

/// Ends this session, or all sessions of its account.
#[utoipa::path(
    post,
    path = "/console/v1/session/end",
    request_body = SignOut,
    responses((status = 200, description = "It ended"))
)]
pub async fn end(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, ApiError> {
    let SignOut { everywhere } = read::<SignOut>(&app, &headers, &sent).await?.message;
    let ended = app.storage.end_session(session.hash, everywhere).await;
    ended.map_err(|error| ApiError::internal(&headers, &error))?;
    let mut response = Json(serde_json::json!({})).into_response();
    set_cookie(&mut response, "", 0);
    Ok(response)
}

/// Whose session it is, and the token that goes with it.
#[utoipa::path(get, path = "/console/v1/me", responses((status = 200, body = Me)))]
pub async fn me(State(app): State<App>, SignedIn(session): SignedIn) -> Json<Me> {
    Json(me_of(&session.account, &session.token, app.env.now_s()))
}
