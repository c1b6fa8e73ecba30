//! Enrolment: an invite makes this phone one of the town's.

use std::sync::Arc;

use yaoguan_model::{AccountId, Env};
use yaoguan_store::{Identity, StoreError};
use yaoguan_transport::TransportError;
use yaoguan_wire::proof::DeviceKey;
use yaoguan_wire::{ErrorCode, Invite};

use crate::error::FieldError;
use crate::folder::Folder;
use crate::home::Home;
use crate::phone::Phone;

/// What a phone says of itself.
#[derive(Debug, Clone)]
pub struct EnrolOptions {
    /// For the town's list of devices.
    pub device_name: String,
    /// `zh` or `en`.
    pub lang: &'static str,
}

impl Phone {
    /// Enrols the phone in `dir`. The store is made first and the device's key with it, so that an answer
    /// that arrives is never lost; an invite that is refused leaves an empty store, which the next try
    /// uses.
    pub async fn enrol(
        home: impl Into<Home>,
        uri: &str,
        options: &EnrolOptions,
        env: Arc<dyn Env>,
    ) -> Result<Self, FieldError> {
        let invite = read(uri)?;
        let home = home.into();
        let created = Self::create(home.clone(), Arc::clone(&env), options.lang);
        let mut phone = match created {
            // Nothing of it can be read, and the person has a new invite.
            Err(FieldError::Store(StoreError::WrongKey | StoreError::Damaged(_))) => {
                Folder(home.data.clone()).move_aside(env.as_ref())?;
                Self::create(home, Arc::clone(&env), options.lang)?
            }
            created => created?,
        };
        if phone.store.identity()?.is_some() {
            return Err(FieldError::AlreadyEnrolled);
        }
        let identity = ask(&invite, options, None, env.as_ref()).await?;
        phone.transact(|tx| Ok::<_, FieldError>(tx.set_identity(&identity)?))?;
        Ok(phone)
    }

    /// Enrols this phone anew for the same person, after it was revoked or its key was lost: a new device
    /// and key on the store as it is, with everything unsent. An invite of another person is left unused.
    pub async fn enrol_again(
        &mut self,
        uri: &str,
        options: &EnrolOptions,
    ) -> Result<(), FieldError> {
        let invite = read(uri)?;
        let account = self.identity()?.account;
        // A sync under way would go on under the old key.
        let _lock = self.folder.lock()?;
        let identity = ask(&invite, options, Some(account), self.env.as_ref()).await?;
        if identity.account != account {
            return Err(FieldError::OtherAccount);
        }
        self.transact(|tx| Ok::<_, FieldError>(tx.set_identity(&identity)?))
    }

    /// The town moved: the same town under another address, no new enrolment.
    pub fn set_town_address(&mut self, address: &str) -> Result<(), FieldError> {
        if !yaoguan_wire::enrol::is_private_line(address) {
            return Err(FieldError::BadInvite(format!("{address} is not https://…")));
        }
        let mut identity = self.identity()?;
        address.clone_into(&mut identity.town);
        self.transact(|tx| Ok::<_, FieldError>(tx.set_identity(&identity)?))
    }
}

fn read(uri: &str) -> Result<Invite, FieldError> {
    let bad = |e: yaoguan_wire::enrol::BadInvite| FieldError::BadInvite(e.to_string());
    uri.parse().map_err(bad)
}

/// Uses an invite up under a new key, if it is for the account named.
async fn ask(
    invite: &Invite,
    options: &EnrolOptions,
    account: Option<AccountId>,
    env: &dyn Env,
) -> Result<Identity, FieldError> {
    let key = DeviceKey::generate(env);
    let protocol = |e: yaoguan_wire::proof::BadProof| FieldError::Protocol(e.to_string());
    let (public, name) = (key.public_pem().map_err(protocol)?, &options.device_name);
    let enrolled = yaoguan_transport::enrol(invite, public, name, account, options.lang).await;
    let enrolled = enrolled.map_err(|error| {
        let refused =
            matches!(&error, TransportError::Refused(body) if body.code == ErrorCode::InviteOther);
        if refused { FieldError::OtherAccount } else { error.into() }
    })?;
    let response = enrolled.response;
    Ok(Identity {
        town: invite.town.clone(),
        town_name: response.town_name,
        ca_pem: enrolled.ca_pem,
        device: response.device,
        account: response.account,
        name: response.name,
        role: response.role,
        grids: response.grids,
        private_key: key.to_pem().map_err(protocol)?,
    })
}
