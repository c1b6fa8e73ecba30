//! A town, its phones and what happens to them, step by step.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use yaoguan_field::{FieldError, SyncSummary};
use yaoguan_model::{AccountId, Env as _, Role};
use yaoguan_store::Identity;
use yaoguan_sync::PhoneStore as _;
use yaoguan_testkit::dice::Dice;
use yaoguan_wire::body;

use crate::checker::{Checker, Found, Place, Sort, Violation, tokens_in};
use crate::counts::Counts;
use crate::device::{Device, End, Run};
use crate::env::{SeedEnv, Time};
use crate::line::{Sent, Waiting};
use crate::script::{Act, Setting, Step};
use crate::town::{GRIDS, HOST, Town, home};

/// When every run begins: 2026-03-01, in milliseconds since 1970.
const BEGIN_MS: i64 = 1_772_323_200_000;
/// Phones of a run, clones among them.
const MOST_CLONES: usize = 2;
/// How often the whole town is looked at, in steps.
pub const LOOK_EVERY: usize = 60;

pub struct World {
    pub setting: Setting,
    pub time: Time,
    pub town: Town,
    pub devices: Vec<Device>,
    pub checker: Checker,
    pub counts: Counts,
    pub trace: Trace,
    pub words: u64,
    pub clones: usize,
    /// Faults are over.
    pub calm: bool,
    /// Bodies that a second program left, to be looked at once its save is noted.
    pub pending: Vec<Found>,
    late: Vec<(i64, Sent)>,
    town_end: Option<End>,
    dice_of_power: Dice,
    folder: TempDir,
    runtime: Arc<Runtime>,
}

/// What happened, as a hash and, where somebody wants to read it, as text.
#[derive(Debug, Default, Clone)]
pub struct Trace {
    pub hash: u64,
    pub text: Option<Vec<String>>,
}

impl Trace {
    pub fn say(&mut self, line: String) {
        // FNV-1a, 64 bits.
        for byte in line.bytes().chain([b'\n']) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if let Some(text) = &mut self.text {
            text.push(line);
        }
    }
}

/// A broken world is not the product's fault; it ends the program.
pub fn works<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// The name of an error's variant.
pub fn name_of(error: &FieldError) -> String {
    let text = format!("{error:?}");
    let whole = text.replace(|c: char| !c.is_ascii_alphanumeric(), " ");
    whole.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

pub fn broken(what: String) -> Violation {
    Violation { sort: Sort::Unsound, what }
}

impl World {
    pub fn new(setting: Setting, told: bool) -> Self {
        // Memory where the system has a disk of it: the real one is not what is tested.
        let memory = Path::new("/dev/shm");
        let made = tempfile::Builder::new().prefix("yaoguan-sim-").tempdir_in(if memory.is_dir() {
            memory
        } else {
            Path::new("/tmp")
        });
        let folder = works(made, "a folder");
        let runtime = works(
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(2)
                .build(),
            "a runtime",
        );
        let runtime = Arc::new(runtime);
        let time = Time::at(BEGIN_MS);
        let mut dice = Dice::new(setting.seed ^ 0x70_77_6e);
        let env = Arc::new(SeedEnv::new(time.clone(), dice.roll()));
        let town =
            works(Town::found(&folder.path().join("town"), env, Arc::clone(&runtime)), "a town");
        let mut world = Self {
            setting,
            time,
            town,
            devices: Vec::new(),
            checker: Checker::default(),
            counts: Counts::default(),
            trace: Trace { hash: 0xcbf2_9ce4_8422_2325, text: told.then(Vec::new) },
            words: 0,
            clones: 0,
            calm: true,
            pending: Vec::new(),
            late: Vec::new(),
            town_end: None,
            dice_of_power: Dice::new(dice.roll()),
            folder,
            runtime,
        };
        for number in 0..setting.devices {
            let account = match number {
                // A person with two phones.
                3 => world.devices[1].account,
                _ => works(world.account(number), "an account"),
            };
            world.add_device(number, account, dice.roll());
        }
        world.calm = false;
        world
    }

    fn account(&self, number: usize) -> Result<AccountId, Box<dyn std::error::Error>> {
        let grid = GRIDS[number % GRIDS.len()];
        match number {
            0 => self.town.add(Role::Supervisor, &[]),
            2 => self.town.add(Role::Chief, &[GRIDS[0], GRIDS[1]]),
            _ if number % 5 == 4 => self.town.add(Role::Volunteer, &[GRIDS[1], grid]),
            _ if number % 9 == 8 => self.town.add(Role::Supervisor, &[GRIDS[0], grid]),
            _ => self.town.add(Role::Chief, &[grid]),
        }
    }

    fn add_device(&mut self, number: usize, account: AccountId, seed: u64) {
        let folder = self.folder.path().join(format!("device-{number}"));
        works(std::fs::create_dir_all(&folder), "a folder");
        let env = Arc::new(SeedEnv::new(self.time.clone(), seed));
        let mut device = Device::new(&folder, env.clone(), account);
        let mut phone = works(yaoguan_field::Phone::create(home(&folder), env, "en"), "a phone");
        phone.set_connections(device.connections.clone());
        let identity = works(self.identity(account), "an enrolment");
        works(phone.store_mut().transact(|tx| tx.set_identity(&identity)), "an identity");
        device.phone = Some(phone);
        self.devices.push(device);
        works(self.sync(number, 0).map_err(|v| v.what), "a first sync");
    }

    pub fn identity(&self, account: AccountId) -> Result<Identity, Box<dyn std::error::Error>> {
        let (device, key, account) = self.town.enrol(account)?;
        Ok(Identity {
            town: format!("https://{HOST}"),
            town_name: "姚关镇".to_owned(),
            ca_pem: String::new(),
            device,
            account: account.id,
            name: account.name,
            role: account.role,
            grids: account.grids.into_iter().collect(),
            private_key: key.to_pem()?,
        })
    }

    /// One step. What goes wrong is a violation; what cannot be done now is passed over.
    pub fn step(&mut self, index: usize, step: &Step) -> Result<(), Violation> {
        self.time.reach(BEGIN_MS + step.at_ms);
        self.deliver_late()?;
        let who = step.who % self.devices.len();
        let mut dice = Dice::new(step.dice);
        let before = self.checker.acknowledged;
        let said = self.act(step.act, who, &mut dice)?;
        self.trace.say(format!("{index} {:?} {who}: {said}", step.act));
        self.mend(who)?;
        self.drop_doubtful(who)?;
        self.look_at(who)?;
        self.town.mark();
        if before != self.checker.acknowledged && index.is_multiple_of(LOOK_EVERY) {
            self.look_at_town()?;
        }
        Ok(())
    }

    fn act(&mut self, act: Act, who: usize, dice: &mut Dice) -> Result<String, Violation> {
        match act {
            Act::Sync => return self.sync_or_go_on(who, dice.roll()),
            Act::Offline => {
                // From minutes to two weeks, short ones far more often.
                let minutes = 2_i64 << dice.index(14);
                self.devices[who].offline_until_ms = self.time.now_ms() + minutes * 60_000;
            }
            Act::Crash | Act::PowerCut => {
                let end = if act == Act::Crash { End::Crash } else { End::Power };
                let device = &mut self.devices[who];
                device.end = Some(end);
                device.disk.die_at(1 + dice.index(40) as u64);
            }
            Act::DiskFails => {
                use yaoguan_testkit::disk::Failure;
                let failure = [Failure::Eio, Failure::Enospc, Failure::Short][dice.index(3)];
                self.devices[who].disk.fail_at(1 + dice.index(60) as u64, failure);
            }
            Act::Restart => self.devices[who].kill(),
            Act::ClockJumps => match dice.index(3) {
                0 => {
                    self.counts.add("clock at 1970");
                    self.devices[who].env.set_clock(dice.index(1_000_000) as i64);
                }
                1 => {
                    self.counts.add("clock at 2099");
                    self.devices[who].env.set_clock(4_070_908_800_000);
                }
                _ => self.devices[who].env.mend_clock(),
            },
            Act::Backup => return self.back_up(who),
            Act::Restore => return self.put_back(who, dice),
            Act::Clone => return self.clone_device(who, dice),
            Act::TownCrash | Act::TownPowerCut => {
                let end = if act == Act::TownCrash { End::Crash } else { End::Power };
                self.town_end = Some(end);
                self.town.disk.die_at(1 + dice.index(60) as u64);
            }
            Act::TownRestart => works(self.town.restart(None), "the town starts again"),
            Act::TownBackup => {
                if let Err(error) = self.town.back_up() {
                    assert!(self.town.disk.is_dead(), "a backup: {error}");
                }
            }
            Act::TownRestore => return self.restore_town(dice),
            Act::Rescope => return Ok(self.rescope(who, dice)),
            Act::Revoke => return Ok(self.revoke(who)),
            Act::Enrol => return self.enrol_again(who),
            Act::Release => return Ok(self.release(dice)),
            Act::TakeRecovered => return Ok(self.take_recovered()),
            Act::Forge => return self.forge(who, dice),
            Act::Report | Act::Household | Act::Check | Act::Task | Act::Open | Act::SaveOpen => {
                return self.write(act, who, dice);
            }
            Act::Edit | Act::Delete | Act::Undelete | Act::Settle | Act::Move | Act::Resend => {
                return self.write(act, who, dice);
            }
        }
        Ok(String::new())
    }

    /// Starts what has ended, phone and town.
    pub fn mend(&mut self, who: usize) -> Result<(), Violation> {
        self.mend_town()?;
        let device = &mut self.devices[who];
        if device.disk.is_dead() || (device.phone.is_none() && device.run.is_none()) {
            return self.start(who);
        }
        Ok(())
    }

    pub fn start(&mut self, who: usize) -> Result<(), Violation> {
        let device = &mut self.devices[who];
        if device.run.is_some() {
            self.counts.add("phone crashed in mid-sync");
        }
        device.kill();
        match device.end.take() {
            Some(End::Crash) => self.counts.add("phone crashed"),
            Some(End::Power) => {
                self.counts.add("phone lost power");
                let dice = &mut self.dice_of_power;
                works(device.disk.cut_power(|| dice.roll()), "a power cut");
            }
            None => {}
        }
        device.disk.revive();
        device.start().map_err(|error| broken(format!("phone {who} does not start: {error}")))?;
        if let Some(salvaged) = device.phone.as_ref().and_then(|phone| phone.salvaged()) {
            return Err(broken(format!("phone {who} found its store broken: {salvaged:?}")));
        }
        Ok(())
    }

    pub fn mend_town(&mut self) -> Result<(), Violation> {
        if !self.town.disk.is_dead() {
            return Ok(());
        }
        let failed = |error| broken(format!("the town does not start: {error}"));
        match self.town_end.take() {
            Some(End::Power) => {
                self.counts.add("town lost power");
                let dice = &mut self.dice_of_power;
                self.town.restart(Some(&mut || dice.roll())).map_err(failed)
            }
            Some(End::Crash) | None => {
                self.counts.add("town crashed");
                self.town.restart(None).map_err(failed)
            }
        }
    }

    /// What the town has is what its history says.
    pub fn look_at_town(&mut self) -> Result<(), Violation> {
        self.mend_town()?;
        let bodies = works(self.town.bodies(), "the town is read");
        for body in bodies.values() {
            let found = Found { place: Place::Town, body: body.clone(), base: None };
            self.checker.observe(&found)?;
        }
        Ok(())
    }

    pub fn look_at(&mut self, who: usize) -> Result<(), Violation> {
        let mut changed = self.devices[who].changed(who);
        if changed.is_err() && self.devices[who].disk.is_dead() {
            // It ended while it was looked at.
            self.start(who)?;
            changed = self.devices[who].changed(who);
        }
        let changed =
            changed.map_err(|error| broken(format!("phone {who} cannot be read: {error}")))?;
        for found in changed {
            self.checker.observe(&found)?;
        }
        Ok(())
    }

    /// The replica id of this phone may be another phone's too, or is written under again (`again`).
    pub fn share(&mut self, who: usize, again: bool) -> Result<(), Violation> {
        let Some(phone) = &self.devices[who].phone else { return Ok(()) };
        let state = phone.store().state().map_err(|error| broken(format!("{error}")))?;
        self.checker.share(&state.replica.to_string(), again.then_some(who));
        self.devices.iter_mut().for_each(|device| device.seen.clear());
        Ok(())
    }

    /// A sync that stands still goes on, else one begins.
    fn sync_or_go_on(&mut self, who: usize, dice: u64) -> Result<String, Violation> {
        self.sync(who, dice)
    }

    /// Runs a sync as far as the line lets it.
    pub fn sync(&mut self, who: usize, dice: u64) -> Result<String, Violation> {
        let mut dice = Dice::new(dice);
        if let Some(run) = &mut self.devices[who].run {
            if let Some((waiting, answer)) = run.paused.take() {
                let answer = match answer {
                    Some(answer) => Some(answer),
                    None => self.carry(&waiting.request)?,
                };
                waiting.answer(answer);
            }
        } else {
            let Some(mut phone) = self.devices[who].phone.take() else {
                return Ok("off".to_owned());
            };
            let future = Box::pin(async move {
                let result = phone.sync(|_| {}).await;
                (phone, result)
            });
            self.devices[who].run = Some(Run { future, paused: None });
        }
        loop {
            let Some(run) = &mut self.devices[who].run else { return Ok("ended".to_owned()) };
            let polled = {
                let _inside = self.runtime.enter();
                let waker = futures_util::task::noop_waker();
                run.future.as_mut().poll(&mut Context::from_waker(&waker))
            };
            if let Poll::Ready((phone, result)) = polled {
                let device = &mut self.devices[who];
                device.run = None;
                device.phone = Some(phone);
                return Ok(self.told(result));
            }
            if self.devices[who].disk.is_dead() {
                return Ok("died".to_owned());
            }
            let Some(waiting) = self.devices[who].line.take() else {
                return Err(broken(format!("phone {who} waits for nothing")));
            };
            if !self.fate(who, waiting, &mut dice)? {
                return Ok("stands still".to_owned());
            }
        }
    }

    fn told(&mut self, result: Result<SyncSummary, FieldError>) -> String {
        match result {
            Ok(s) => {
                if s.reconciled {
                    self.counts.add("reconciled");
                }
                for (kind, n) in
                    [("held", s.held), ("quarantined", s.refused), ("recovered", s.recovered)]
                {
                    if n > 0 {
                        self.counts.add(kind);
                    }
                }
                format!(
                    "sent {} received {} refused {} held {} recovered {} evicted {} pending {}",
                    s.sent, s.received, s.refused, s.held, s.recovered, s.evicted, s.pending
                )
            }
            // Without its details, which name a folder of this run.
            Err(error) => name_of(&error),
        }
    }

    /// What becomes of a request; false: it stands still.
    fn fate(&mut self, who: usize, waiting: Waiting, dice: &mut Dice) -> Result<bool, Violation> {
        let roll = if self.calm || self.setting.whole_line { 0 } else { dice.index(100) };
        if !self.calm && self.devices[who].offline_until_ms > self.time.now_ms() {
            self.counts.add("offline");
            waiting.answer(None);
            return Ok(true);
        }
        match roll {
            0..=63 => {
                let answer = self.carry(&waiting.request)?;
                waiting.answer(answer);
            }
            64..=69 => {
                self.counts.add("request lost");
                waiting.answer(None);
            }
            70..=76 => {
                self.counts.add("answer lost");
                self.carry(&waiting.request)?;
                waiting.answer(None);
            }
            77..=80 => {
                self.counts.add("answer cut in half");
                let answer = self.carry(&waiting.request)?;
                waiting.answer(answer.map(|answer| {
                    let (mut parts, mut body) = answer.into_parts();
                    body.truncate(body.len() / 2);
                    parts.headers.remove("content-length");
                    http::Response::from_parts(parts, body)
                }));
            }
            81..=85 => {
                self.counts.add("request doubled");
                let first = self.carry(&waiting.request)?;
                let second = self.carry(&waiting.request)?;
                waiting.answer(if dice.one_in(2) { first } else { second });
            }
            86..=90 => {
                self.counts.add("request delayed");
                let minutes = 1_i64 << dice.index(13);
                self.late.push((self.time.now_ms() + minutes * 60_000, waiting.request.clone()));
                waiting.answer(None);
            }
            _ => {
                self.counts.add("sync under way while others sync");
                let answer = if dice.one_in(2) { self.carry(&waiting.request)? } else { None };
                if let Some(run) = &mut self.devices[who].run {
                    run.paused = Some((waiting, answer));
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// To the town and back.
    fn carry(&mut self, request: &Sent) -> Result<Option<http::Response<Vec<u8>>>, Violation> {
        let answer = self.town.answer(request);
        self.mend_town()?;
        if let Some(answer) = &answer {
            if answer.status() == 409 {
                self.counts.add("forked");
            }
            self.trace.say(format!(
                "  {} {} {}",
                request.path,
                answer.status(),
                spoken_bytes(answer)
            ));
        }
        Ok(answer)
    }

    /// Old requests arrive, whatever became of their phones meanwhile.
    pub fn deliver_late(&mut self) -> Result<(), Violation> {
        let now = self.time.now_ms();
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now || self.calm);
        self.late = later;
        for (_, request) in due {
            self.carry(&request)?;
        }
        Ok(())
    }

    /// Every word that is anywhere: at the town, on phones, kept apart.
    pub fn words_left(&mut self) -> Result<(BTreeSet<String>, BTreeSet<String>), Violation> {
        self.mend_town()?;
        let mut there = BTreeSet::new();
        for body in works(self.town.bodies(), "the town is read").values() {
            tokens_in(&serde_json::from_slice(body).unwrap_or_default(), &mut there);
        }
        let storage = self.town.storage();
        let mut apart = BTreeSet::new();
        for held in works(self.town.run(storage.held()), "held saves are read") {
            tokens_in(&serde_json::to_value(&held.changes).unwrap_or_default(), &mut apart);
        }
        for kept in works(self.town.run(storage.recovered()), "recovered records are read") {
            let body = yaoguan_model::canonical::encode(&kept.record);
            tokens_in(&serde_json::from_slice(&body).unwrap_or_default(), &mut apart);
        }
        Ok((there, apart))
    }

    /// After a disaster: what was on no other disk is gone, and nobody is to blame.
    pub fn disaster(&mut self) -> Result<usize, Violation> {
        for who in 0..self.devices.len() {
            if self.devices[who].run.is_some() {
                self.devices[who].kill();
            }
            self.mend(who)?;
            self.look_at(who)?;
        }
        let (mut left, apart) = self.words_left()?;
        left.extend(apart);
        for device in &self.devices {
            let words = device.words().map_err(|error| broken(format!("{error}")))?;
            left.extend(words.on_records.into_iter().chain(words.apart).chain(words.set_aside));
        }
        Ok(self.checker.disaster(&left))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn may_clone(&self) -> bool {
        self.clones < MOST_CLONES
    }

    pub fn town_now_s(&self) -> i64 {
        self.town.env.now_s()
    }
}

/// How much an answer says: compressed it is as long as the ciphers in it make it.
fn spoken_bytes(answer: &http::Response<Vec<u8>>) -> usize {
    let body = answer.body();
    let zstd = answer.headers().contains_key(http::header::CONTENT_ENCODING);
    body::decode::<serde_json::Value>(body, zstd).map_or(body.len(), |json| json.to_string().len())
}
