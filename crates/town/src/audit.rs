//! The audit log as values: who did what to what, when and why, and the chain that shows tampering.
//! Pure; the SQL is in storage, the copy of the head outside the database in [`anchor`].
//!
//! An entry is written in the transaction of its act, by `storage::sqlite::audit::write`. Details hold
//! ids, codes and counts, never names or content.

pub mod anchor;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use yaoguan_model::{AccountId, DeviceId, RecordId};
use yaoguan_wire::HoldId;

/// A reason is a line, not a letter: what is longer is cut.
pub const MAX_REASON_CHARS: usize = 200;

macro_rules! acts {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// What is written down. Closed; words never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Act {
            $($(#[$doc])* $variant,)+
        }
        impl Act {
            pub const ALL: &[Act] = &[$(Act::$variant),+];
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

acts! {
    /// The town was made.
    Init = "init",
    AccountAdded = "account_added",
    /// Another name, login, role or other grids.
    AccountChanged = "account_changed",
    AccountDisabled = "account_disabled",
    AccountEnabled = "account_enabled",
    /// A one-time code was handed out.
    PasswordReset = "password_reset",
    PasswordSet = "password_set",
    TotpEnrolled = "totp_enrolled",
    TotpConfirmed = "totp_confirmed",
    TotpDisabled = "totp_disabled",
    InviteMade = "invite_made",
    InviteRevoked = "invite_revoked",
    InviteUsed = "invite_used",
    DeviceEnrolled = "device_enrolled",
    DeviceRevoked = "device_revoked",
    GridsImported = "grids_imported",
    TemplatePublished = "template_published",
    /// The map that phones fetch.
    TilesPublished = "tiles_published",
    TilesRemoved = "tiles_removed",
    HoldReleased = "hold_released",
    HoldRefused = "hold_refused",
    RecoveredTaken = "recovered_taken",
    /// Households or their checks were read by somebody, not by a sync.
    HouseholdRead = "household_read",
    Exported = "exported",
    BackedUp = "backed_up",
    /// An earlier state of the database took the place of a later one, see [`restored`].
    Restored = "restored",
    Purged = "purged",
    Erased = "erased",
    TokenMade = "token_made",
    SettingChanged = "setting_changed",
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    Account(AccountId),
    /// Whoever may run this program on the town's machine: the system's user.
    Console(String),
    /// The town by itself.
    Town,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Console(user) => write!(f, "console:{user}"),
            Self::Town => f.write_str("town"),
        }
    }
}

/// By whom, when (the town's time, in seconds) and why something is done.
#[derive(Debug, Clone)]
pub struct Attribution {
    pub by: By,
    pub at: i64,
    pub reason: String,
}

impl Attribution {
    pub fn new(by: By, at: i64) -> Self {
        Self { by, at, reason: String::new() }
    }

    /// What the town does by itself.
    pub fn town(at: i64) -> Self {
        Self::new(By::Town, at)
    }

    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    /// An entry about something that is done so.
    pub fn entry(&self, act: Act, subject: Subject) -> Entry {
        Entry { done: self.clone(), act, subject, detail: Map::new() }
    }
}

/// What is acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Town,
    Account(AccountId),
    Device(DeviceId),
    /// The first bytes of the hash of its code, in hexadecimal.
    Invite(String),
    Hold(HoldId),
    Record(RecordId),
    /// A kind of record.
    Kind(String),
    /// A bearer token's id, never the token.
    Token(String),
}

impl Subject {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Town => "town",
            Self::Account(_) => "account",
            Self::Device(_) => "device",
            Self::Invite(_) => "invite",
            Self::Hold(_) => "hold",
            Self::Record(_) => "record",
            Self::Kind(_) => "kind",
            Self::Token(_) => "token",
        }
    }

    pub fn id(&self) -> String {
        match self {
            Self::Town => String::new(),
            Self::Account(id) => id.to_string(),
            Self::Device(id) => id.to_string(),
            Self::Hold(id) => id.to_string(),
            Self::Record(id) => id.to_string(),
            Self::Invite(text) | Self::Kind(text) | Self::Token(text) => text.clone(),
        }
    }
}

/// An entry to be written.
#[derive(Debug, Clone)]
pub struct Entry {
    pub done: Attribution,
    pub act: Act,
    pub subject: Subject,
    pub detail: Map<String, Value>,
}

impl Entry {
    /// Adds to the detail: ids, codes, counts.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    pub sequence: u64,
    pub at: i64,
    pub by: String,
    pub act: String,
    pub subject_kind: String,
    pub subject: String,
    pub reason: String,
    pub detail: Value,
    #[serde(serialize_with = "as_hex")]
    pub hash: [u8; 32],
}

fn as_hex<S: serde::Serializer>(hash: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&hex(hash))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash before the first entry.
pub const GENESIS: [u8; 32] = [0; 32];

/// Seals an entry: SHA-256 over the hash before it and its canonical JSON (RFC 8785; all keys are ASCII,
/// so that the order of bytes is the order asked for).
pub fn seal(before: &[u8; 32], entry: &Written) -> [u8; 32] {
    let value = json!({
        "act": entry.act, "at": entry.at, "by": entry.by, "detail": entry.detail,
        "reason": entry.reason, "sequence": entry.sequence,
        "subject": [entry.subject_kind, entry.subject],
    });
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(value.to_string().as_bytes());
    hasher.finalize().into()
}

/// One thing that does not hold of the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Flaw {
    pub sort: FlawSort,
    /// The entry that it is about; 0: none.
    pub sequence: u64,
}

/// What may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlawSort {
    /// Its hash is not that of its content after the entry before it: changed, moved or put in.
    Changed,
    /// The entry is not there, though a later one is.
    Missing,
    /// The head noted outside the database names an entry that is not there.
    CutOff,
    /// The head noted outside the database had another entry here.
    Replaced,
    /// A line of the noted heads is damaged or not this town's.
    Anchor,
    /// There are entries and no noted head.
    AnchorMissing,
}

/// What `verify` read of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    pub entries: u64,
    /// Entries that a restore took away, as the entry of the restore itself says.
    pub lost_to_restores: u64,
    pub flaws: Vec<Flaw>,
}

/// Walks the log from its beginning.
#[derive(Debug, Default)]
pub struct Walk {
    checked: Checked,
    before: Option<(u64, [u8; 32])>,
    hashes: BTreeMap<u64, [u8; 32]>,
    /// Of each restore: its sequence, and the noted head that it left behind.
    restores: Vec<(u64, u64)>,
}

impl Walk {
    /// The next entry, in the order of sequences.
    pub fn entry(&mut self, entry: &Written) {
        let (last, hash) = self.before.unwrap_or((0, GENESIS));
        for sequence in last + 1..entry.sequence {
            self.flaw(FlawSort::Missing, sequence);
        }
        // Behind a gap nothing can be said of the hash: the one before it is not known.
        if entry.sequence == last + 1 && seal(&hash, entry) != entry.hash {
            self.flaw(FlawSort::Changed, entry.sequence);
        }
        if entry.act == Act::Restored.as_str()
            && let Some(left) = entry.detail.get(LEFT).and_then(Value::as_u64)
        {
            self.restores.push((entry.sequence, left));
        }
        self.checked.entries += 1;
        self.hashes.insert(entry.sequence, entry.hash);
        self.before = Some((entry.sequence, entry.hash));
    }

    /// Compares with the heads that were noted outside the database; none where nothing notes them.
    pub fn finish(mut self, anchor: Option<&anchor::Read>) -> Checked {
        let Some(anchor) = anchor else { return self.checked };
        if anchor.heads.is_empty() && self.checked.entries > 0 {
            self.flaw(FlawSort::AnchorMissing, 0);
        }
        for _ in 0..anchor.damaged {
            self.flaw(FlawSort::Anchor, 0);
        }
        let mut told = std::collections::BTreeSet::new();
        for (sequence, hash) in &anchor.heads {
            let found = self.hashes.get(sequence);
            if found == Some(hash) || !told.insert(*sequence) {
                continue;
            }
            let lost = self.restores.iter().any(|(from, to)| (*from..=*to).contains(sequence));
            match found {
                _ if lost => self.checked.lost_to_restores += 1,
                Some(_) => self.flaw(FlawSort::Replaced, *sequence),
                None => self.flaw(FlawSort::CutOff, *sequence),
            }
        }
        self.checked
    }

    fn flaw(&mut self, sort: FlawSort, sequence: u64) {
        self.checked.flaws.push(Flaw { sort, sequence });
    }
}

const LEFT: &str = "left_head";

/// The entry of a restore: the noted heads up to `left_head` (what the database had before) beyond this
/// entry's own place are gone with what was replaced, and that is no tampering.
pub fn restored(done: &Attribution, left_head: u64) -> Entry {
    done.entry(Act::Restored, Subject::Town).with(LEFT, left_head)
}

#[cfg(test)]
mod tests;
