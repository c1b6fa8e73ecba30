//! Accounts, devices, invites: the types; the SQL is in storage.

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

/// A new single-use code: 128 random bits.
pub fn new_code(env: &dyn Env) -> String {
    B64.encode(env.random_16())
}

/// What the town keeps of a code.
pub fn hash_code(code: &str) -> [u8; 32] {
    Sha256::digest(code.as_bytes()).into()
}
