//! The phones of invented people. Each saves under its own replica id with `model`'s `put` and pushes what it
//! has as a real one does, so that the town judges and merges by its own rules.

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::{
    AccountId, Change, DeviceId, Dot, Env, FieldPath, GridCode, Kind, Record, RecordId, ReplicaId,
    Role, Value, merge,
};
use yaoguan_wire::{ErrorCode, Judgement, PushToken};

use super::dice::Dice;
use crate::audit::Attribution;
use crate::error::TownError;
use crate::people::{Account, Enrolment, NewDevice, NewInvite, Seen};
use crate::push::Pusher;
use crate::storage::{Batch, Pushed, Storage};

/// Registers of a save and their values; none removes one.
pub(super) type Save = Vec<(&'static str, Option<Value>)>;

struct Phone {
    account: Account,
    device: DeviceId,
    replica: ReplicaId,
    counter: u64,
    token: Option<PushToken>,
    /// What it wrote and has not pushed.
    unsent: BTreeMap<RecordId, Record>,
    last_contact: i64,
}

/// Everybody with a phone, and the town as they all know it.
pub(super) struct Crowd<'a> {
    storage: &'a dyn Storage,
    pub(super) dice: &'a Dice,
    phones: BTreeMap<AccountId, Phone>,
    pub(super) town: BTreeMap<RecordId, Record>,
    /// What phones sent and the town has not been asked about yet; beside each whether it is to be held.
    sent: Vec<(Batch, bool)>,
}

fn wrong(what: impl std::fmt::Display) -> TownError {
    TownError::Corrupt(format!("demo activity: {what}"))
}

/// A value of a save.
pub(super) fn set(path: &'static str, value: impl Into<Value>) -> (&'static str, Option<Value>) {
    (path, Some(value.into()))
}

impl<'a> Crowd<'a> {
    /// Gives these people phones, enrolled at `now`.
    pub(super) async fn enrol(
        storage: &'a dyn Storage,
        dice: &'a Dice,
        people: Vec<Account>,
        now: i64,
    ) -> Result<Self, TownError> {
        dice.set_now(now);
        let mut invites = Vec::new();
        let mut phones = BTreeMap::new();
        let mut devices = Vec::new();
        for account in people {
            let code_hash = [dice.random_16(), dice.random_16()].concat();
            let code_hash = <[u8; 32]>::try_from(code_hash).map_err(|_| wrong("a hash"))?;
            let expires_at = now + 3600;
            invites.push(NewInvite { code_hash, account: account.id, expires_at });
            let device = DeviceId(dice.new_record_id().0);
            // Nobody has this phone's private key: it can never ask for anything.
            let (name, public_key) = (format!("演示手机 {}", devices.len() + 1), String::new());
            devices.push((code_hash, NewDevice { id: device, name, public_key }));
            let replica = dice.new_replica_id();
            let (token, unsent) = (None, BTreeMap::new());
            let phone =
                Phone { device, replica, counter: 0, token, unsent, last_contact: now, account };
            phones.insert(phone.account.id, phone);
        }
        storage.add_invites(invites, Attribution::town(now)).await?;
        for (code_hash, device) in devices {
            match storage.enrol(code_hash, device, now).await? {
                Enrolment::Done(_) => {}
                Enrolment::Unknown | Enrolment::Gone => return Err(wrong("an invite is gone")),
            }
        }
        Ok(Self { storage, dice, phones, town: BTreeMap::new(), sent: Vec::new() })
    }

    /// Those of a role, in the order of their names.
    pub(super) fn of_role(&self, role: Role) -> Vec<Account> {
        let accounts = self.phones.values().map(|phone| &phone.account);
        let mut found: Vec<Account> = accounts.filter(|a| a.role == role).cloned().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Records of a kind in some grids and states, by id.
    pub(super) fn find(
        &self,
        kind: &Kind,
        grids: &BTreeSet<GridCode>,
        states: &[&str],
    ) -> Vec<RecordId> {
        let fits = |record: &&Record| {
            let own = |code: &str| grids.iter().any(|grid| grid.as_str() == code);
            record.kind == *kind
                && record.shown_text("grid").is_some_and(own)
                && record.shown_text("status").is_some_and(|status| states.contains(&status))
        };
        self.town.values().filter(fits).map(|record| record.id).collect()
    }

    /// A record as somebody's phone has it.
    fn shown_to(&self, by: AccountId, id: RecordId) -> Result<&Record, TownError> {
        let own = self.phones.get(&by).and_then(|phone| phone.unsent.get(&id));
        own.or_else(|| self.town.get(&id)).ok_or_else(|| wrong("no record"))
    }

    /// A new record of somebody's.
    pub(super) fn add(
        &mut self,
        by: AccountId,
        kind: Kind,
        save: Save,
    ) -> Result<RecordId, TownError> {
        let id = self.dice.new_record_id();
        self.put(by, Record::new(id, kind, by), save)?;
        Ok(id)
    }

    /// A save on a record as this person's phone has it.
    pub(super) fn save(
        &mut self,
        by: AccountId,
        id: RecordId,
        save: Save,
    ) -> Result<(), TownError> {
        let record = self.shown_to(by, id)?.clone();
        self.put(by, record, save)
    }

    /// A step of the status with its entry of the timeline, in one save.
    pub(super) fn step(
        &mut self,
        by: AccountId,
        id: RecordId,
        to: &'static str,
        note: &str,
        mut more: Save,
    ) -> Result<(), TownError> {
        let from = self.shown_to(by, id)?.shown_text("status").unwrap_or_default().to_owned();
        more.extend([
            set("status", to),
            set("timeline", self.entry(by, Some((from.as_str(), to)), note)),
        ]);
        self.save(by, id, more)
    }

    /// An entry of the timeline; [`Crowd::put`] gives it its key.
    pub(super) fn entry(&self, by: AccountId, step: Option<(&str, &str)>, note: &str) -> Value {
        let mut entry = vec![("by", Value::text(by.to_string())), ("at", self.dice.now_s().into())];
        if let Some((from, to)) = step {
            entry.push(("step", Value::map([("from", from.into()), ("to", to.into())])));
        }
        if !note.is_empty() {
            entry.push(("note", note.into()));
        }
        Value::map(entry)
    }

    /// A save of registers whose names are not known beforehand.
    pub(super) fn save_paths(
        &mut self,
        by: AccountId,
        id: RecordId,
        save: Vec<(FieldPath, Option<Value>)>,
    ) -> Result<(), TownError> {
        let record = self.shown_to(by, id)?.clone();
        self.put_paths(by, record, save)
    }

    fn put(&mut self, by: AccountId, record: Record, save: Save) -> Result<(), TownError> {
        let path = |path: &str| match path {
            "timeline" => FieldPath::element(path, &self.dice.new_record_id().to_string()),
            path => path.parse(),
        };
        let save = save.into_iter().map(|(name, value)| Ok((path(name)?, value)));
        let save: Result<_, yaoguan_model::path::BadPath> = save.collect();
        self.put_paths(by, record, save.map_err(wrong)?)
    }

    fn put_paths(
        &mut self,
        by: AccountId,
        mut record: Record,
        save: Vec<(FieldPath, Option<Value>)>,
    ) -> Result<(), TownError> {
        let change = |(path, value): (FieldPath, Option<Value>)| {
            let replaces = record.dots(path.as_str());
            (path, Change { replaces, value })
        };
        let changes: BTreeMap<_, _> = save.into_iter().map(change).collect();
        let phone = self.phones.get_mut(&by).ok_or_else(|| wrong("nobody"))?;
        phone.counter += 1;
        record.put(&changes, Dot::new(phone.replica, phone.counter));
        phone.unsent.insert(record.id, record);
        Ok(())
    }

    /// Sends what a phone has, at `now`; the others hear of it at once. With `barred` the town only holds it.
    pub(super) fn push(
        &mut self,
        by: AccountId,
        now: i64,
        barred: Option<ErrorCode>,
    ) -> Result<(), TownError> {
        let phone = self.phones.get_mut(&by).ok_or_else(|| wrong("nobody"))?;
        phone.last_contact = now;
        let records: Vec<Record> = std::mem::take(&mut phone.unsent).into_values().collect();
        if records.is_empty() {
            return Ok(());
        }
        let (next, held) = (PushToken::new(self.dice.random_16()), barred.is_some());
        let pusher =
            Pusher { barred, ..Pusher::new(phone.account.actor(), phone.replica, phone.counter) };
        let tokens = phone.token.replace(next).into_iter().collect();
        let device = phone.device;
        for record in records.iter().filter(|_| !held) {
            let merged = match self.town.get(&record.id) {
                None => record.clone(),
                Some(there) => merge(there, record).map_err(wrong)?.record,
            };
            self.town.insert(merged.id, merged);
        }
        self.sent.push((Batch { pusher, device, tokens, next: Some(next), records, now }, held));
        Ok(())
    }

    /// Has the town judge all that was sent, in its order. It must take it, or hold what is to be held.
    pub(super) async fn deliver(&mut self) -> Result<(), TownError> {
        let (batches, held): (Vec<Batch>, Vec<bool>) = self.sent.drain(..).unzip();
        for (pushed, held) in self.storage.push_all(batches).await?.into_iter().zip(held) {
            let Pushed::Done(outcomes) = pushed else {
                return Err(wrong("there is activity of this seed already"));
            };
            for outcome in outcomes {
                let judged = outcome.judgement;
                let expected = match held {
                    true => matches!(judged, Judgement::Held { .. }),
                    false => matches!(judged, Judgement::Taken | Judgement::TakenEvict),
                };
                if !expected {
                    return Err(wrong(format!("{judged:?}")));
                }
            }
        }
        Ok(())
    }

    /// Strikes somebody's phone off.
    pub(super) async fn revoke(&self, by: AccountId, now: i64) -> Result<(), TownError> {
        let phone = self.phones.get(&by).ok_or_else(|| wrong("nobody"))?;
        self.storage
            .revoke_device(phone.device, Attribution::town(now).because("演示：手机遗失"))
            .await?;
        Ok(())
    }

    /// Notes when each phone was last heard of; some have a clock that is wrong.
    pub(super) async fn note_contacts(&self) -> Result<usize, TownError> {
        for phone in self.phones.values() {
            let clock_off_s = match self.dice.chance(6) {
                true => self.dice.between(-4000, 4000),
                false => self.dice.between(-3, 4),
            };
            let app = concat!("yaoguan/", env!("CARGO_PKG_VERSION")).to_owned();
            let waits = self.dice.chance(12).then(|| self.dice.between(3_600, 3 * 86_400));
            let waiting_since = waits.map(|ago_s| phone.last_contact - ago_s);
            let seen = Seen { at: phone.last_contact, clock_off_s, app, waiting_since };
            self.storage.saw_device(phone.device, seen).await?;
        }
        Ok(self.phones.len())
    }
}
