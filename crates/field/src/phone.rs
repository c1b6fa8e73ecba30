//! A phone: its store, who holds it, and what it knows of the town.

use std::collections::BTreeSet;
use std::sync::Arc;

use yaoguan_model::authorise::Actor;
use yaoguan_model::cells::{self, Around};
use yaoguan_model::geodesy::Boundaries;
use yaoguan_model::{Env, GridCode, Kind, Record, RecordId};
use yaoguan_store::salvage::Salvaged;
use yaoguan_store::{Identity, Key, Store};
use yaoguan_sync::{PhoneStore as _, Tx as _};
use yaoguan_transport::Connections;

use crate::error::FieldError;
use crate::files::Files;
use crate::folder::Folder;
use crate::home::Home;
use crate::marker::Marker;
use crate::mend;
use crate::seal::KeySeal;

/// One person's app on one phone.
pub struct Phone {
    pub(crate) store: Store,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) folder: Folder,
    pub(crate) marker: Arc<dyn Marker>,
    pub(crate) seal: Arc<dyn KeySeal>,
    /// This phone alone writes under its replica id.
    pub(crate) is_own: bool,
    pub(crate) salvaged: Option<Salvaged>,
    /// `zh` or `en`.
    pub(crate) lang: &'static str,
    pub(crate) files: Files,
    /// Bytes cost money on the line.
    pub(crate) metered: bool,
    pub(crate) connections: Connections,
}

impl Phone {
    /// Opens the phone in a folder. A store that is broken is replaced by what can be read of it
    /// ([`Phone::salvaged`]); a folder that was copied or restored writes under a new replica id.
    pub fn open(
        home: impl Into<Home>,
        env: Arc<dyn Env>,
        lang: &'static str,
    ) -> Result<Self, FieldError> {
        let Home { data, marker, seal } = home.into();
        let folder = Folder(data);
        folder.end_salvage()?;
        if !folder.database().exists() {
            return Err(FieldError::NotEnrolled);
        }
        let key = folder.key(seal.as_ref(), env.as_ref())?;
        let (store, salvaged) = mend::open(&folder, &key, env.as_ref())?;
        let mut phone = Self::on(store, (folder, &key), (marker, seal), env, lang);
        phone.salvaged = salvaged;
        phone.compare_with_marker()?;
        // What cannot be swept now is swept at the next start.
        _ = phone.sweep_files();
        Ok(phone)
    }

    /// Makes the folder and an empty store, or opens what is there.
    pub fn create(
        home: impl Into<Home>,
        env: Arc<dyn Env>,
        lang: &'static str,
    ) -> Result<Self, FieldError> {
        let home = home.into();
        let folder = Folder(home.data.clone());
        folder.end_salvage()?;
        if folder.database().exists() {
            return Self::open(home, env, lang);
        }
        let Home { marker, seal, .. } = home;
        let key = folder.key(seal.as_ref(), env.as_ref())?;
        let store = Store::create(&folder.database(), &key, env.as_ref())?;
        let mut phone = Self::on(store, (folder, &key), (marker, seal), env, lang);
        phone.mark_new_store()?;
        Ok(phone)
    }

    /// Nobody has compared it with its marker yet.
    fn on(
        store: Store,
        (folder, key): (Folder, &Key),
        (marker, seal): (Arc<dyn Marker>, Arc<dyn KeySeal>),
        env: Arc<dyn Env>,
        lang: &'static str,
    ) -> Self {
        let files = Files::within(&folder.0, key);
        let (is_own, metered, salvaged) = (false, false, None);
        let connections = Connections::default();
        Self {
            store,
            env,
            folder,
            marker,
            seal,
            is_own,
            salvaged,
            lang,
            files,
            metered,
            connections,
        }
    }

    /// Syncs by connections that outlive this value: an app opens its phone anew for each sync.
    pub fn set_connections(&mut self, connections: Connections) {
        self.connections = connections;
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The store itself, for the programs that verify and mend it.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Set when a later program wrote the store: it can be read, not written.
    pub fn read_only(&self) -> Option<FieldError> {
        self.store.check_writable().err().map(FieldError::from)
    }

    pub(crate) fn identity(&self) -> Result<Identity, FieldError> {
        self.store.identity()?.ok_or(FieldError::NotEnrolled)
    }

    pub(crate) fn actor(&self) -> Result<Actor, FieldError> {
        let identity = self.identity()?;
        let grids = identity.grids.into_iter().collect();
        Ok(Actor { account: identity.account, role: identity.role, grids })
    }

    /// Every grid of the town that this phone has heard of.
    pub(crate) fn town_grids(&self) -> Result<BTreeSet<GridCode>, FieldError> {
        let codes = self.store.grid_codes()?;
        let mut grids: BTreeSet<GridCode> = codes.iter().filter_map(|c| c.parse().ok()).collect();
        grids.extend(self.identity()?.grids);
        Ok(grids)
    }

    /// The boundaries of the town's grids.
    pub(crate) fn boundaries(&self) -> Result<Boundaries, FieldError> {
        let mut records = Vec::new();
        self.store.each(&Kind::Grid, |record| {
            records.push(record);
            Ok(())
        })?;
        // A boundary that cannot be read is the town's fault: the grid can still be named by hand.
        let (boundaries, _) = Boundaries::of_records(&records);
        Ok(boundaries)
    }

    /// What the cells of a record depend on beside it.
    pub(crate) fn around(&self, record: &Record) -> Result<Around, FieldError> {
        let mut around = Around::default();
        if record.kind == Kind::HouseholdCheck {
            for sibling in record.siblings("household") {
                let id = sibling.value.as_text().and_then(|text| text.parse::<RecordId>().ok());
                let Some(id) = id else { continue };
                if let Some(household) = self.store.get(id)? {
                    around.household_grids.extend(cells::grids_of(&household.record));
                }
            }
        }
        Ok(around)
    }

    pub(crate) fn find(&self, id: RecordId) -> Result<Record, FieldError> {
        let found = self.store.get(id)?;
        found.map(|stored| stored.record).ok_or_else(|| FieldError::NotFound(id.to_string()))
    }

    /// Runs every projection anew; returns how many records were projected.
    pub fn rebuild(&mut self) -> Result<u64, FieldError> {
        Ok(self.store.rebuild()?)
    }

    /// Unsent records.
    pub(crate) fn pending(&mut self) -> Result<u64, FieldError> {
        self.store.transact(|tx| Ok(tx.unsent_count()?))
    }
}
