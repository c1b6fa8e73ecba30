//! What the phones were told that the town has, and what a supervisor's phone finds there.

use std::collections::BTreeMap;

use yaoguan_model::{Kind, RecordId, deletion};
use yaoguan_sync::Tx as _;

use crate::phone::{Acknowledgeable, Phone};

pub struct Ledger {
    known: BTreeMap<RecordId, Acknowledgeable>,
    saves: u64,
}

#[derive(Debug, Default)]
pub struct Found {
    pub lost: u64,
    pub doubled: u64,
    /// What was found, in words.
    pub examples: Vec<String>,
}

impl Ledger {
    /// Of phones that have sent everything.
    pub fn of(phones: &[Phone]) -> Self {
        let known = phones.iter().flat_map(|phone| phone.known().clone()).collect();
        Self { known, saves: phones.iter().map(Phone::saves).sum() }
    }

    pub fn saves(&self) -> u64 {
        self.saves
    }

    /// Every record there with the last words written, once.
    pub fn held_against(&self, reader: &Phone) -> Found {
        let mut store = reader.store.clone();
        let mut found = Found::default();
        let mut titles: BTreeMap<String, u64> = BTreeMap::new();
        let ids = match store.ids() {
            Ok(ids) => ids,
            Err(never) => match never {},
        };
        let mut records = BTreeMap::new();
        for id in ids {
            let Ok(Some(local)) = store.load(id) else { continue };
            if local.record.kind == Kind::Hazard {
                if let Some(title) = local.record.shown_text("title") {
                    *titles.entry(title.to_owned()).or_default() += 1;
                }
                records.insert(id, local.record);
            }
        }
        for (id, known) in &self.known {
            let record = records.get(id);
            let there = record.is_some_and(|record| {
                let text = |path| record.shown_text(path);
                let words = known.description.as_deref();
                let deleted = deletion::state(record) != deletion::Deletion::Live;
                text("title") == Some(&known.title)
                    && (words.is_none() || text("description") == words)
                    && deleted == known.deleted
                    && record.conflicts().next().is_none()
            });
            if !there {
                found.lost += 1;
                found.examples.push(format!("lost: {known:?}, there is {record:?}"));
            }
        }
        for (title, times) in titles.into_iter().filter(|(_, times)| *times > 1) {
            found.doubled += 1;
            found.examples.push(format!("{times} times: {title}"));
        }
        found
    }
}
