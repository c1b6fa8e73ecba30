//! Accounts, invites and devices as storage keeps them. Whoever asks is allowed to; each act writes its
//! audit entry in the same transaction.

use async_trait::async_trait;
use yaoguan_model::{AccountId, DeviceId, Role};

use crate::audit::Attribution;
use crate::error::TownError;
use crate::people::{Enrolled, Invited, NewInvite, NewPerson, Person, PersonChange};

/// Accounts of one page.
pub const PEOPLE_PAGE: u32 = 50;

/// Which accounts are wanted; what is empty asks for any.
#[derive(Debug, Clone, Default)]
pub struct PeopleAsk {
    /// Part of name or login.
    pub words: String,
    pub role: Option<Role>,
    /// Twelve digits: whoever has a grid of it by name.
    pub village: String,
    /// The last account of the page before.
    pub after: Option<AccountId>,
}

/// A page, in the order of logins.
#[derive(Debug, Clone)]
pub struct PeoplePage {
    pub people: Vec<Person>,
    /// How many there are on all pages; 0 on a page without any.
    pub total: u64,
    pub more: bool,
}

/// Accounts, invites, devices. Each method is one transaction.
#[async_trait]
pub trait People: Send + Sync {
    /// Everybody, in the order of ids.
    async fn people(&self) -> Result<Vec<Person>, TownError>;
    /// A page of those that are asked for.
    async fn people_page(&self, ask: PeopleAsk) -> Result<PeoplePage, TownError>;
    /// By login, or by the account's id.
    async fn person(&self, who: String) -> Result<Option<Person>, TownError>;
    /// Adds and changes accounts, all or none. A change of role or grids gives the account a new scope
    /// version, once; what is already so changes nothing. Returns how many accounts were changed.
    async fn write_people(
        &self,
        new: Vec<NewPerson>,
        changes: Vec<PersonChange>,
        done: Attribution,
    ) -> Result<u64, TownError>;
    /// Closes an account, or opens it again; false: it was so already. The phones of a closed account
    /// are barred, its sign-ins, resets and invites are void.
    async fn set_disabled(
        &self,
        account: AccountId,
        disabled: bool,
        done: Attribution,
    ) -> Result<bool, TownError>;

    /// Keeps invites, all or none.
    async fn add_invites(
        &self,
        invites: Vec<NewInvite>,
        done: Attribution,
    ) -> Result<(), TownError>;
    /// Invites, latest first; those that were used, revoked or are stale only if `all`.
    async fn invites(&self, all: bool, now: i64) -> Result<Vec<Invited>, TownError>;
    /// Voids an invite that waits, by its id.
    async fn revoke_invite(&self, id: String, done: Attribution) -> Result<(), TownError>;
    /// Whom an invite is for, whatever became of it.
    async fn invited(&self, code_hash: [u8; 32]) -> Result<Option<AccountId>, TownError>;

    /// Devices, by account and time.
    async fn devices(&self) -> Result<Vec<Enrolled>, TownError>;
    /// Strikes a device off, for good; false: it was already.
    async fn revoke_device(&self, id: DeviceId, done: Attribution) -> Result<bool, TownError>;
}
