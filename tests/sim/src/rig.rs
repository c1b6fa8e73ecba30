//! A town and some phones without any dice: what tests of single faults stand on.

use std::collections::BTreeSet;

use serde_json::json;
use yaoguan_field::{FieldError, Phone, values};
use yaoguan_model::{Kind, RecordId};
use yaoguan_testkit::disk::Disk;

use crate::script::Setting;
use crate::town::GRIDS;
use crate::world::World;

pub struct Rig(World);

impl Rig {
    /// A calm world; phone 0 is a supervisor's, phone 1 a chief's.
    pub fn new(devices: usize) -> Self {
        let setting = Setting { devices, whole_line: true, ..Setting::of(1, devices, 1) };
        let mut world = World::new(setting, false);
        world.calm = true;
        Self(world)
    }

    pub fn phone(&mut self, who: usize) -> &mut Phone {
        let phone = self.0.devices[who].phone.as_mut().expect("the phone is on");
        phone.store_mut().renew().expect("a disk that is whole again");
        phone
    }

    pub fn disk(&self, who: usize) -> Disk {
        self.0.devices[who].disk.clone()
    }

    /// The app ends and starts again.
    pub fn restart(&mut self, who: usize) {
        self.0.devices[who].kill();
        self.0.start(who).map_err(|violation| violation.what).expect("the phone starts");
    }

    /// One sync, to its end.
    pub fn sync(&mut self, who: usize) -> Result<(), String> {
        let said = self.0.sync(who, 0).map_err(|violation| violation.what)?;
        if said.starts_with("sent") { Ok(()) } else { Err(said) }
    }

    pub fn ids(&mut self, who: usize, kind: &Kind) -> BTreeSet<RecordId> {
        let mut ids = BTreeSet::new();
        let read = self.phone(who).store().each(kind, |record| {
            ids.insert(record.id);
            Ok(())
        });
        read.expect("a store that can be read");
        ids
    }
}

/// A household in the grid of phone 1.
pub fn household(phone: &mut Phone) -> Result<RecordId, FieldError> {
    save(phone, Kind::Household, &json!({ "grid": GRIDS[1], "address": "1 号" }))
}

/// A check of it.
pub fn check_of(
    phone: &mut Phone,
    household: RecordId,
    note: &str,
) -> Result<RecordId, FieldError> {
    let values = json!({ "household": household.to_string(), "note": note,
        "answers.exit_blocked": { "answer": "problem" } });
    save(phone, Kind::HouseholdCheck, &values)
}

fn save(phone: &mut Phone, kind: Kind, values: &serde_json::Value) -> Result<RecordId, FieldError> {
    let form = phone.new_form(kind.clone())?;
    phone.save(&form, values::from_json(&kind, values)?)?;
    Ok(form.record().id)
}
