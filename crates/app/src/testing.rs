//! What the tests of this crate share.

use std::path::Path;
use std::sync::Arc;

use yaoguan_field::Phone;
use yaoguan_model::env::System;
use yaoguan_model::{AccountId, DeviceId, Role};
use yaoguan_store::{Identity, StoreError};
use yaoguan_sync::PhoneStore as _;

/// An app folder in which somebody is enrolled.
pub(crate) fn enrolled(dir: &Path) {
    let mut phone = Phone::create(dir, Arc::new(System), "zh").unwrap();
    let identity = Identity {
        town: "https://town.example".into(),
        town_name: "姚关镇".into(),
        ca_pem: String::new(),
        device: DeviceId(uuid::Uuid::from_u128(2)),
        account: AccountId(uuid::Uuid::from_u128(1)),
        name: "联防长".into(),
        role: Role::Chief,
        grids: vec!["530521103201001".parse().unwrap()],
        private_key: String::new(),
    };
    phone
        .store_mut()
        .transact(|tx| -> Result<(), StoreError> { tx.set_identity(&identity) })
        .unwrap();
}
