//! One phone of a run: its folder, its disk, its clock, and the sync that is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use yaoguan_field::{FieldError, Phone, SyncSummary};
use yaoguan_model::AccountId;
use yaoguan_testkit::disk::Disk;
use yaoguan_transport::Connections;

use crate::checker::{Dot, Found, Place, tokens_in};
use crate::env::SeedEnv;
use crate::line::{Answer, Line, Waiting};
use crate::town::home;

/// Gives the phone back when it is done.
pub type Syncing = Pin<Box<dyn Future<Output = (Phone, Result<SyncSummary, FieldError>)>>>;

/// A sync that waits for the line.
pub struct Run {
    pub future: Syncing,
    /// A request that has not left, or an answer that has not arrived.
    pub paused: Option<(Waiting, Option<Answer>)>,
}

/// What a person saw on a form when it was opened: path → words and the dots that they stood under.
pub type View = BTreeMap<String, BTreeSet<(String, Dot)>>;

/// Id → hash, and of what waits what the town confirmed of it.
pub type Seen = BTreeMap<Vec<u8>, (Vec<u8>, Option<Vec<u8>>)>;

/// Id → hash of what is held, and ids of what is unsent.
type Holdings = (BTreeMap<String, Vec<u8>>, BTreeSet<String>);

/// A form that is open as a draft.
#[derive(Debug, Clone)]
pub struct Draft {
    pub view: View,
    pub kind: String,
    pub is_new: bool,
    /// The phone ended while it was being kept: nobody knows what it shows.
    pub doubtful: bool,
}

/// How a phone ends next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Crash,
    Power,
}

pub struct Device {
    pub folder: PathBuf,
    pub disk: Disk,
    pub env: Arc<SeedEnv>,
    pub line: Arc<Line>,
    pub connections: Connections,
    pub account: AccountId,
    pub phone: Option<Phone>,
    pub run: Option<Run>,
    pub drafts: BTreeMap<String, Draft>,
    pub offline_until_ms: i64,
    pub backups: Vec<(PathBuf, BTreeMap<String, Draft>)>,
    /// Each record as it was last looked at.
    pub seen: Seen,
    pub end: Option<End>,
    pub is_revoked: bool,
}

impl Device {
    pub fn new(folder: &Path, env: Arc<SeedEnv>, account: AccountId) -> Self {
        let line = Line::new();
        Self {
            folder: folder.to_owned(),
            disk: Disk::of(folder),
            env,
            connections: Connections::carried_by(line.clone()),
            line,
            account,
            phone: None,
            run: None,
            drafts: BTreeMap::new(),
            offline_until_ms: 0,
            backups: Vec::new(),
            seen: BTreeMap::new(),
            end: None,
            is_revoked: false,
        }
    }

    /// The app starts; a disk that gives up while it does is tried again on what it left.
    pub fn start(&mut self) -> Result<(), FieldError> {
        let mut phone = Phone::open(home(&self.folder), self.env.clone(), "en")?;
        phone.set_connections(self.connections.clone());
        self.phone = Some(phone);
        Ok(())
    }

    /// The app ends where it stands.
    pub fn kill(&mut self) {
        self.disk.die();
        self.run = None;
        self.phone = None;
        _ = self.line.take();
    }

    /// The records that changed since the last time.
    pub fn changed(&mut self, who: usize) -> Result<Vec<Found>, Failed> {
        match &mut self.phone {
            // A failure that was planned may strike the one who looks; it strikes once.
            Some(phone) => {
                changed(phone, &mut self.seen, who).or_else(|_| changed(phone, &mut self.seen, who))
            }
            None => Ok(Vec::new()),
        }
    }

    /// A second program on the same folder, while the first one syncs.
    pub fn second(&self) -> Option<Phone> {
        self.run.as_ref()?;
        Phone::open(home(&self.folder), self.env.clone(), "en").ok()
    }

    /// Id → hash of what the phone holds, with what it gave up; and ids of what is unsent.
    pub fn holdings(&self) -> Result<Holdings, rusqlite::Error> {
        let Some(phone) = &self.phone else { return Ok(Default::default()) };
        let connection = phone.store().raw();
        let sql = "SELECT lower(hex(id)) AS id, hash FROM record \
            UNION ALL SELECT lower(hex(id)), hash FROM stub";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get("id")?, row.get("hash")?)))?;
        let held = rows.collect::<Result<_, _>>()?;
        let sql = "SELECT lower(hex(record.id)) AS id FROM unsent JOIN record ON record.seq = unsent.record";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get("id"))?;
        Ok((held, rows.collect::<Result<_, _>>()?))
    }

    /// Every word that is on this phone in any way: records, their bases, what is kept apart.
    pub fn words(&self) -> Result<Words, rusqlite::Error> {
        let mut words = Words::default();
        let Some(phone) = &self.phone else { return Ok(words) };
        let connection = phone.store().raw();
        let gather = |sql: &str, into: &mut BTreeSet<String>| -> Result<(), rusqlite::Error> {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let bytes: Option<Vec<u8>> = row.get(0)?;
                let json = serde_json::from_slice(&bytes.unwrap_or_default());
                tokens_in(&json.unwrap_or_default(), into);
            }
            Ok(())
        };
        gather("SELECT body FROM record", &mut words.on_records)?;
        gather("SELECT base FROM unsent", &mut words.apart)?;
        gather("SELECT sent FROM unsent", &mut words.apart)?;
        gather("SELECT cast(changes AS BLOB) FROM quarantine", &mut words.set_aside)?;
        Ok(words)
    }
}

type Failed = Box<dyn std::error::Error>;

/// The records that are not as in `seen`, which is brought up to date.
pub fn changed(phone: &mut Phone, seen: &mut Seen, who: usize) -> Result<Vec<Found>, Failed> {
    phone.store_mut().renew()?;
    let connection = phone.store().raw();
    let mut now = Seen::new();
    let mut found = Vec::new();
    let sql = "SELECT id, hash, CASE WHEN unsent.record IS NULL THEN NULL ELSE coalesce(base, x'') END AS base \
        FROM record LEFT JOIN unsent ON unsent.record = record.seq";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: Vec<u8> = row.get("id")?;
        let here: (Vec<u8>, Option<Vec<u8>>) = (row.get("hash")?, row.get("base")?);
        if seen.get(&id) != Some(&here) {
            let sql = "SELECT body FROM record WHERE id = ?1";
            let body = connection.prepare_cached(sql)?.query_row([&id], |row| row.get(0))?;
            found.push(Found { place: Place::Phone(who), body, base: here.1.clone() });
        }
        now.insert(id, here);
    }
    *seen = now;
    Ok(found)
}

/// Words on a phone.
#[derive(Debug, Default)]
pub struct Words {
    pub on_records: BTreeSet<String>,
    /// In bases and states as sent.
    pub apart: BTreeSet<String>,
    /// In quarantine.
    pub set_aside: BTreeSet<String>,
}
