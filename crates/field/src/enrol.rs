//! Enrolment: an invite makes this phone one of the town's.

use std::sync::Arc;

use yaoguan_model::Env;
use yaoguan_store::{Identity, StoreError};
use yaoguan_wire::Invite;
use yaoguan_wire::proof::DeviceKey;

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
        let invite: Invite = uri
            .parse()
            .map_err(|e: yaoguan_wire::enrol::BadInvite| FieldError::BadInvite(e.to_string()))?;
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
        let key = DeviceKey::generate(env.as_ref());
        let protocol = |e: yaoguan_wire::proof::BadProof| FieldError::Protocol(e.to_string());
        let public = key.public_pem().map_err(protocol)?;
        let name = &options.device_name;
        let enrolled = yaoguan_transport::enrol(&invite, public, name, options.lang).await?;
        let response = enrolled.response;
        let identity = Identity {
            town: invite.town,
            town_name: response.town_name,
            ca_pem: enrolled.ca_pem,
            device: response.device,
            account: response.account,
            name: response.name,
            role: response.role,
            grids: response.grids,
            private_key: key.to_pem().map_err(protocol)?,
        };
        phone.transact(|tx| Ok::<_, FieldError>(tx.set_identity(&identity)?))?;
        Ok(phone)
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
