//! Who this phone is, and which town it belongs to.

use rusqlite::OptionalExtension;
use yaoguan_model::authorise::Actor;
use yaoguan_model::{AccountId, DeviceId, GridCode, Role};

use crate::error::StoreError;
use crate::open::Store;
use crate::tx::{SqliteTx, id16};

/// The enrolment of a phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Address of the town.
    pub town: String,
    pub town_name: String,
    /// The town's own CA; empty when the town stands behind a proxy with a public certificate.
    pub ca_pem: String,
    pub device: DeviceId,
    pub account: AccountId,
    pub name: String,
    pub role: Role,
    pub grids: Vec<GridCode>,
    /// PKCS#8 PEM of the device's P-256 key.
    pub private_key: String,
}

impl Identity {
    /// The person, as rules are asked about.
    pub fn actor(&self) -> Actor {
        let grids = self.grids.iter().cloned().collect();
        Actor { account: self.account, role: self.role, grids }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("device", &self.device).field("town", &self.town).finish()
    }
}

impl Store {
    /// The enrolment; none before it.
    pub fn identity(&self) -> Result<Option<Identity>, StoreError> {
        read(&self.connection)
    }
}

impl SqliteTx<'_> {
    pub fn identity(&self) -> Result<Option<Identity>, StoreError> {
        read(&self.tx)
    }

    pub fn set_identity(&mut self, identity: &Identity) -> Result<(), StoreError> {
        let corrupt = |e: serde_json::Error| StoreError::Corrupt(e.to_string());
        let grids = serde_json::to_string(&identity.grids).map_err(corrupt)?;
        self.tx.execute(
            "INSERT OR REPLACE INTO identity (one, town, town_name, ca_pem, device, account, name, \
             role, grids, private_key) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                &identity.town,
                &identity.town_name,
                &identity.ca_pem,
                identity.device.as_bytes(),
                identity.account.as_bytes(),
                &identity.name,
                identity.role.as_str(),
                grids,
                &identity.private_key,
            ),
        )?;
        Ok(())
    }
}

fn read(connection: &rusqlite::Connection) -> Result<Option<Identity>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT town, town_name, ca_pem, device, account, name, role, grids, private_key FROM identity",
    )?;
    let row = statement
        .query_row([], |row| {
            Ok((
                Identity {
                    town: row.get("town")?,
                    town_name: row.get("town_name")?,
                    ca_pem: row.get("ca_pem")?,
                    device: DeviceId::from_bytes(id16(row, "device")?),
                    account: AccountId::from_bytes(id16(row, "account")?),
                    name: row.get("name")?,
                    role: Role::Volunteer,
                    grids: Vec::new(),
                    private_key: row.get("private_key")?,
                },
                row.get::<_, String>("role")?,
                row.get::<_, String>("grids")?,
            ))
        })
        .optional()?;
    let Some((mut identity, role, grids)) = row else { return Ok(None) };
    identity.role = role.parse().map_err(|_| StoreError::Corrupt(format!("role {role}")))?;
    identity.grids =
        serde_json::from_str(&grids).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    Ok(Some(identity))
}
