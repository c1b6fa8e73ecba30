//! Accounts, devices, invites: the types and rules; the SQL is in storage.

pub mod acts;
pub mod code;
pub mod invites;
pub mod limits;
pub mod password;
pub mod roster;
pub mod sheet;
pub mod sign_in;
pub mod totp;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use sha2::{Digest, Sha256};
use yaoguan_model::authorise::Actor;
use yaoguan_model::{AccountId, DeviceId, Env, GridCode, Role};
use yaoguan_wire::ErrorCode;

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub role: Role,
    /// All grids, also those added later.
    pub whole_town: bool,
    /// Own grids; all of the town's for `whole_town`.
    pub grids: BTreeSet<GridCode>,
    pub scope_version: u64,
}

impl Account {
    pub fn actor(&self) -> Actor {
        Actor { account: self.id, role: self.role, grids: self.grids.clone() }
    }
}

/// Which grids an account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// All, also those added later.
    WholeTown,
    Grids(BTreeSet<GridCode>),
}

impl Coverage {
    pub fn of(account: &Account) -> Self {
        if account.whole_town { Self::WholeTown } else { Self::Grids(account.grids.clone()) }
    }

    /// Volunteers and chiefs need a grid, admins have none, only supervisors have the whole town.
    pub fn fits(&self, role: Role) -> bool {
        match (role, self) {
            (Role::Volunteer | Role::Chief | Role::Supervisor, Self::Grids(g)) => !g.is_empty(),
            (Role::Supervisor, Self::WholeTown) => true,
            (Role::Admin, Self::Grids(grids)) => grids.is_empty(),
            (Role::Volunteer | Role::Chief | Role::Admin, Self::WholeTown) => false,
        }
    }

    /// `whole_town` and own grids of an account.
    pub fn into_parts(self) -> (bool, BTreeSet<GridCode>) {
        match self {
            Self::WholeTown => (true, BTreeSet::new()),
            Self::Grids(grids) => (false, grids),
        }
    }
}

/// An account with what its owner signs in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub account: Account,
    pub login: Option<String>,
    pub disabled: bool,
    pub has_password: bool,
    pub has_totp: bool,
}

/// An account to be added.
#[derive(Debug, Clone)]
pub struct NewPerson {
    pub account: Account,
    pub login: Option<String>,
}

/// What of an account becomes other than it is; none stays.
#[derive(Debug, Clone)]
pub struct PersonChange {
    pub account: AccountId,
    pub login: Option<String>,
    pub name: Option<String>,
    pub role: Option<Role>,
    pub coverage: Option<Coverage>,
}

impl PersonChange {
    /// Nothing yet.
    pub fn of(account: AccountId) -> Self {
        Self { account, login: None, name: None, role: None, coverage: None }
    }

    pub fn is_empty(&self) -> bool {
        let Self { account: _, login, name, role, coverage } = self;
        login.is_none() && name.is_none() && role.is_none() && coverage.is_none()
    }
}

/// Why accounts, invites or devices are left as they are. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error("one enabled administrator must remain")]
    LastAdmin,
    #[error("the login {0} is taken")]
    LoginTaken(String),
    #[error("`{0}` is no login")]
    BadLogin(String),
    #[error("a name has some characters, none of them a control character")]
    BadName,
    #[error("the town has no grid {0}")]
    NoGrid(String),
    #[error("these grids do not fit the role {}", .0.as_str())]
    Coverage(Role),
    #[error("there is no account {0}")]
    NoAccount(String),
    #[error("there is no device {0}")]
    NoDevice(String),
    #[error("no invite {0} waits")]
    NoInvite(String),
    #[error("the account has no login")]
    NoLogin,
    #[error("the password is not allowed: {0:?}")]
    Password(password::Rule),
    #[error("the code is unknown, used or stale")]
    ResetGone,
    #[error("the account has a one-time password already")]
    TotpThere,
    #[error("the one-time password is not right")]
    TotpWrong,
    #[error("an invite holds between 1 and {0} minutes")]
    InviteMinutes(i64),
    #[error("nobody is named that a sheet is for")]
    SheetWhom,
    #[error("no open account fits")]
    SheetNobody,
    #[error("too many invites at once")]
    SheetMany,
    #[error("the login {0} is none of an open account that fits")]
    SheetUnknown(String),
    #[error("the table cannot be used: {0:?}")]
    Roster(Box<roster::RosterError>),
}

/// A login as it is kept and looked up: small letters, nothing around it.
pub fn login_of(typed: &str) -> String {
    typed.trim().to_lowercase()
}

/// A login within its rules.
pub fn checked_login(typed: &str) -> Result<String, PeopleError> {
    let login = login_of(typed);
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let starts = login.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let sound = starts && limits::LOGIN_CHARS.contains(&login.len()) && login.bytes().all(allowed);
    if sound { Ok(login) } else { Err(PeopleError::BadLogin(typed.to_owned())) }
}

/// An enrolled device and its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    pub public_key: String,
    /// Why it may not sync any more: `device_revoked` or `account_disabled`.
    pub barred: Option<ErrorCode>,
    pub account: Account,
}

/// A device to be enrolled.
#[derive(Debug, Clone)]
pub struct NewDevice {
    pub id: DeviceId,
    pub name: String,
    pub public_key: String,
}

/// What became of an enrolment.
#[derive(Debug, Clone)]
pub enum Enrolment {
    Done(Account),
    /// No such code.
    Unknown,
    /// Used, or past its time.
    Gone,
}

/// An invite to be kept: the code itself is only in the URI that is handed out.
#[derive(Debug, Clone)]
pub struct NewInvite {
    pub code_hash: [u8; 32],
    pub account: AccountId,
    /// Seconds since 1970.
    pub expires_at: i64,
}

/// An invite as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The first bytes of the hash of its code, in hexadecimal.
    pub id: String,
    pub account: AccountId,
    pub name: String,
    pub created_at: i64,
    pub expires_at: i64,
    pub used_at: Option<i64>,
    pub revoked_at: Option<i64>,
    /// What was enrolled with it.
    pub device: Option<DeviceId>,
}

/// Bytes of an invite's hash that name it in lists.
pub const INVITE_ID_BYTES: usize = 6;

/// How an invite is named in lists and in the audit log.
pub fn invite_id(code_hash: &[u8; 32]) -> String {
    crate::audit::hex(code_hash.get(..INVITE_ID_BYTES).unwrap_or_default())
}

/// A device as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    pub id: DeviceId,
    /// How the phone calls itself.
    pub name: String,
    pub account: AccountId,
    pub account_name: String,
    pub account_disabled: bool,
    pub enrolled_at: i64,
    /// Town's time; 0: not since it enrolled.
    pub last_contact: i64,
    /// The device's clock minus the town's, in seconds.
    pub clock_off_s: i64,
    /// How the app calls itself; empty before its first sync.
    pub app: String,
    /// Since when its oldest save waits there to be sent, as it said when it was here last.
    pub waiting_since: Option<i64>,
    /// Since when the oldest of its held saves waits for a decision.
    pub held_since: Option<i64>,
    pub revoked_at: Option<i64>,
}

/// What a device shows of itself in a sync.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The town's time, in seconds.
    pub at: i64,
    /// The device's clock minus the town's, in seconds.
    pub clock_off_s: i64,
    /// How the app calls itself; empty: it did not say.
    pub app: String,
    /// Since when the oldest save waits that this sync does not bring; none: nothing does.
    pub waiting_since: Option<i64>,
}

/// A new single-use code: 128 random bits.
pub fn new_code(env: &dyn Env) -> String {
    B64.encode(env.random_16())
}

/// What the town keeps of a code.
pub fn hash_code(code: &str) -> [u8; 32] {
    Sha256::digest(code.as_bytes()).into()
}
