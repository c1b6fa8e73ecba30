//! What befalls phones as a whole, and what the town's office does.

use std::collections::BTreeSet;
use std::path::Path;

use http::{HeaderMap, HeaderValue, Method};
use yaoguan_model::authorise::Actor;
use yaoguan_model::{AccountId, Dot, Env as _, Role};
use yaoguan_sync::PhoneStore as _;
use yaoguan_testkit::dice::Dice;
use yaoguan_town::audit::{Attribution, By};
use yaoguan_town::people::{Coverage, PersonChange};
use yaoguan_town::storage::Release;
use yaoguan_wire::proof::{Claims, DeviceKey, HEADER, body_hash};
use yaoguan_wire::{Clock, PROTOCOL, Push, PushToken, ReplicaTable, SyncRequest};

use crate::checker::Violation;
use crate::device::Device;
use crate::env::SeedEnv;
use crate::line::Sent;
use crate::town::{GRIDS, HOST, home};
use crate::world::{World, broken, works};

/// The files of a phone's data folder; none of them lies deeper than one folder.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

impl World {
    pub fn back_up(&mut self, who: usize) -> Result<String, Violation> {
        let device = &mut self.devices[who];
        device.kill();
        let to = device.folder.join(format!("backup-{}", device.backups.len()));
        works(copy(&device.folder.join("phone"), &to), "a copy");
        device.backups.push((to, device.drafts.clone()));
        self.start(who)?;
        Ok(String::new())
    }

    /// The folder is put back from an old copy; its marker stays, as it lies in no backup.
    pub fn put_back(&mut self, who: usize, dice: &mut Dice) -> Result<String, Violation> {
        let device = &mut self.devices[who];
        let Some((from, drafts)) = dice.pick(&device.backups).cloned() else {
            return Ok("no backup".to_owned());
        };
        device.kill();
        device.end = None;
        let data = device.folder.join("phone");
        works(std::fs::remove_dir_all(&data), "an empty folder");
        works(copy(&from, &data), "a copy");
        device.disk.settle();
        device.drafts = drafts;
        device.seen.clear();
        self.counts.add("phone restored");
        self.start(who)?;
        self.share(who, true)?;
        let gone = self.disaster()?;
        Ok(format!("{gone} gone"))
    }

    /// The folder as it is, on another phone; with its marker or without.
    pub fn clone_device(&mut self, who: usize, dice: &mut Dice) -> Result<String, Violation> {
        if !self.may_clone() {
            return Ok("enough of them".to_owned());
        }
        self.clones += 1;
        let with_marker = dice.one_in(2);
        let number = self.devices.len();
        let folder = self.folder().join(format!("device-{number}"));
        let env = std::sync::Arc::new(SeedEnv::new(self.time.clone(), dice.roll()));
        self.devices[who].kill();
        let twin = &self.devices[who];
        works(copy(&twin.folder.join("phone"), &folder.join("phone")), "a copy");
        let mut device = Device::new(&folder, env, twin.account);
        device.drafts = twin.drafts.clone();
        device.is_revoked = twin.is_revoked;
        if with_marker {
            let of = |device: &Device| home(&device.folder).marker;
            if let Some(mark) = of(twin).read() {
                works(of(&device).write(mark), "a marker");
            }
        }
        self.devices.push(device);
        self.counts.add("cloned");
        self.start(who)?;
        self.start(number)?;
        if with_marker {
            self.share(number, false)?;
        }
        self.look_at(number)?;
        Ok(format!("as {number}"))
    }

    pub fn restore_town(&mut self, dice: &mut Dice) -> Result<String, Violation> {
        if self.setting.hostile {
            return Ok("not in this town".to_owned());
        }
        let journal_too = dice.one_in(3);
        let failed = |error| broken(format!("the town does not come back: {error}"));
        if !self.town.restore(journal_too).map_err(failed)? {
            return Ok("no backup".to_owned());
        }
        self.town.disk.settle();
        self.counts.add(if journal_too {
            "town restored without its journal"
        } else {
            "town restored"
        });
        let gone = self.disaster()?;
        Ok(format!("{gone} gone"))
    }

    pub fn rescope(&mut self, who: usize, dice: &mut Dice) -> String {
        let account = self.devices[who].account;
        if who == 0 || account == self.devices[0].account {
            return "the supervisor stays".to_owned();
        }
        let mut grids = BTreeSet::new();
        for _ in 0..=dice.index(2) {
            grids.extend(GRIDS[dice.index(GRIDS.len())].parse());
        }
        let coverage = Some(Coverage::Grids(grids));
        let change = PersonChange { coverage, ..PersonChange::of(account) };
        let done = Attribution::town(self.town_now_s());
        let storage = self.town.storage();
        let changed = self.town.run(storage.write_people(Vec::new(), vec![change], done));
        if changed.is_ok_and(|n| n > 0) {
            self.counts.add("rescoped");
        }
        String::new()
    }

    pub fn revoke(&mut self, who: usize) -> String {
        let identity =
            self.devices[who].phone.as_ref().and_then(|p| p.store().identity().ok().flatten());
        let Some(identity) = identity else { return "off".to_owned() };
        let storage = self.town.storage();
        let done = Attribution::town(self.town_now_s());
        if self.town.run(storage.revoke_device(identity.device, done)).is_ok() {
            self.devices[who].is_revoked = true;
            self.counts.add("revoked");
        }
        String::new()
    }

    /// The same store under a new device and key.
    pub fn enrol_again(&mut self, who: usize) -> Result<String, Violation> {
        let account = self.devices[who].account;
        if self.devices[who].phone.is_none() {
            return Ok("off".to_owned());
        }
        let Ok(identity) = self.identity(account) else { return Ok("no invite".to_owned()) };
        let device = &mut self.devices[who];
        let Some(phone) = &mut device.phone else { return Ok("off".to_owned()) };
        if phone.store_mut().transact(|tx| tx.set_identity(&identity)).is_ok() {
            device.is_revoked = false;
            self.counts.add("enrolled again");
        }
        Ok(String::new())
    }

    /// A supervisor of the whole town.
    fn supervisor(&self) -> Actor {
        let grids = GRIDS.iter().filter_map(|code| code.parse().ok()).collect();
        let account: AccountId = self.devices[0].account;
        Actor { account, role: Role::Supervisor, grids }
    }

    pub fn release(&mut self, dice: &mut Dice) -> String {
        let storage = self.town.storage();
        let Ok(held) = self.town.run(storage.held()) else { return "unreadable".to_owned() };
        let Some(one) = dice.pick(&held) else { return "nothing held".to_owned() };
        let env = &self.town.env;
        let (fresh_id, now) = (env.new_record_id(), env.now_s());
        let (mended, note) = (Default::default(), String::new());
        let by = self.supervisor();
        let account = by.account;
        let release = Release { hold: one.id, by, mended, fresh_id, note, now };
        match self.town.run(storage.release(release, By::Account(account))) {
            Ok(_) => {
                self.counts.add("released");
                "released".to_owned()
            }
            Err(_) => "not released".to_owned(),
        }
    }

    pub fn take_recovered(&mut self) -> String {
        let storage = self.town.storage();
        let done = Attribution::town(self.town_now_s());
        let taken = self.town.run(storage.take_recovered(None, done));
        taken.map_or_else(|error| format!("not taken: {error}"), |n| format!("{n} taken"))
    }

    /// A phone says that a record has seen more of somebody else's saves than there are: if that were
    /// taken, those would go unheard when they are made.
    pub fn forge(&mut self, who: usize, dice: &mut Dice) -> Result<String, Violation> {
        let Some(phone) = &self.devices[who].phone else { return Ok("off".to_owned()) };
        let (Ok(Some(identity)), Ok(state)) = (phone.store().identity(), phone.store().state())
        else {
            return Ok("unreadable".to_owned());
        };
        let mut records = Vec::new();
        let read = phone.store().each(&yaoguan_model::Kind::Hazard, |record| {
            records.push(record);
            Ok(())
        });
        let others = |record: &yaoguan_model::Record| {
            record.context.iter().any(|dot| dot.replica != state.replica)
        };
        records.retain(others);
        let (Ok(()), Some(record)) = (read, dice.pick(&records)) else {
            return Ok("nothing to forge".to_owned());
        };
        let mut record = record.clone();
        let victims: Vec<Dot> =
            record.context.iter().filter(|dot| dot.replica != state.replica).collect();
        let Some(victim) = dice.pick(&victims) else { return Ok("nobody".to_owned()) };
        record.context.join_dot(Dot::new(victim.replica, victim.counter + 1_000));
        let mut table = ReplicaTable::default();
        let packed = table.pack(&record);
        let token = || PushToken::new(self.town.env.random_16());
        let request = SyncRequest {
            protocol: PROTOCOL,
            epoch: state.epoch,
            replica: self.town.env.new_replica_id(),
            push: Push {
                tokens: vec![token()],
                next: Some(token()),
                counter: 1,
                former: Vec::new(),
            },
            cursor: None,
            scope_version: state.scope_version,
            replicas: table.into_ids(),
            records: vec![packed],
            holds: Vec::new(),
            waiting: None,
            clock: Clock { device: self.town_now_s(), boot_elapsed: 1 },
        };
        let body = works(serde_json::to_vec(&request), "a request");
        let key = works(DeviceKey::from_pem(&identity.private_key), "a key");
        let claims = Claims {
            htm: "POST".to_owned(),
            htu: format!("https://{HOST}/v1/sync"),
            iat: self.town_now_s(),
            bh: body_hash(&body),
        };
        let proof = works(key.prove(identity.device, &claims), "a proof");
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, works(HeaderValue::from_str(&proof), "a header"));
        let sent = Sent { method: Method::POST, path: "/v1/sync".to_owned(), headers, body };
        let answer = self.town.answer(&sent);
        self.counts.add("forged push");
        Ok(answer.map_or_else(|| "no answer".to_owned(), |answer| answer.status().to_string()))
    }
}
