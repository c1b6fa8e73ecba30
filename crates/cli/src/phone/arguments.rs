//! The command line of `yaoguan`. Words stand in the locale files.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use yaoguan_field::{Format, TrackFormat};
use yaoguan_model::{BlobHash, Kind, RecordId};

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "yaoguan", version)]
pub struct Arguments {
    #[arg(long, global = true, env = "YAOGUAN_DATA", default_value = "yaoguan-data")]
    pub data: PathBuf,
    #[arg(long, global = true)]
    pub json: bool,
    #[arg(long, global = true, value_parser = ["zh", "en"])]
    pub lang: Option<String>,
    #[command(subcommand)]
    pub(crate) action: Do,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Do {
    Enrol {
        uri: String,
        #[arg(long, default_value = "yaoguan")]
        device_name: String,
        #[arg(long)]
        again: bool,
    },
    Add {
        #[arg(value_parser = kind)]
        kind: Kind,
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
        #[arg(long, value_name = "FILE.json")]
        from: Option<PathBuf>,
    },
    Edit {
        id: RecordId,
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
        #[arg(long, value_name = "FIELD")]
        unset: Vec<String>,
        #[arg(long)]
        note: Option<String>,
    },
    Delete {
        id: RecordId,
    },
    Undelete {
        id: RecordId,
    },
    Resolve {
        id: RecordId,
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
        #[arg(long, value_name = "FIELD=NUMBER")]
        keep: Vec<String>,
    },
    List {
        #[arg(value_parser = kind)]
        kind: Kind,
        #[arg(long)]
        status: Option<String>,
        #[arg(long)]
        grid: Option<String>,
        #[arg(long)]
        deleted: bool,
        #[arg(long)]
        limit: Option<u32>,
        #[arg(long, default_value_t = 0)]
        offset: u32,
    },
    Show {
        id: RecordId,
    },
    Search {
        words: String,
        #[arg(long, value_parser = kind)]
        kind: Option<Kind>,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    Nearby {
        category: String,
        #[arg(value_name = "LAT,LON", allow_hyphen_values = true)]
        at: String,
    },
    Import {
        #[command(subcommand)]
        what: Import,
    },
    Export {
        #[arg(value_parser = kind)]
        kind: Kind,
        #[arg(long, value_parser = format)]
        format: Format,
        #[arg(long)]
        out: PathBuf,
    },
    Attach {
        id: RecordId,
        file: PathBuf,
    },
    Photos {
        #[command(subcommand)]
        what: Photos,
    },
    Track {
        #[command(subcommand)]
        what: TrackDo,
    },
    Sync,
    Status,
    Verify,
    Check,
    Rebuild,
    Address {
        url: String,
    },
    Quarantine {
        #[command(subcommand)]
        what: Quarantine,
    },
    Api {
        path: String,
    },
    Token,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Photos {
    List {
        id: RecordId,
    },
    Save {
        hash: BlobHash,
        #[arg(long)]
        thumb: bool,
        #[arg(long)]
        out: PathBuf,
    },
    Remove {
        id: RecordId,
        hash: BlobHash,
    },
    Send {
        id: RecordId,
    },
    Free,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrackDo {
    Export {
        id: RecordId,
        #[arg(long, value_parser = track_format)]
        format: TrackFormat,
        #[arg(long)]
        out: PathBuf,
    },
    Drop {
        id: RecordId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    List,
    Show {
        number: i64,
    },
    Mend {
        number: i64,
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
        #[arg(long, value_name = "FIELD")]
        drop: Vec<String>,
    },
    Resend {
        number: i64,
    },
    Discard {
        number: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    Hazards {
        file: PathBuf,
        #[arg(long)]
        mapping: PathBuf,
        #[arg(long)]
        rejects: PathBuf,
    },
    Track {
        file: PathBuf,
    },
}

/// A kind in the singular or plural, with dashes or underscores; `check` for `household_check`.
fn kind(text: &str) -> Result<Kind, String> {
    let word = text.replace('-', "_");
    let singular = word.strip_suffix('s').unwrap_or(&word);
    let name = if singular == "check" { "household_check" } else { singular };
    let kind: Kind = name.parse().unwrap_or_else(|never: Infallible| match never {});
    if Kind::ALL.contains(&kind) {
        return Ok(kind);
    }
    let all: Vec<&str> = Kind::ALL.iter().map(Kind::as_str).collect();
    Err(all.join(", "))
}

fn format(text: &str) -> Result<Format, String> {
    text.parse()
}

fn track_format(text: &str) -> Result<TrackFormat, String> {
    text.parse()
}
