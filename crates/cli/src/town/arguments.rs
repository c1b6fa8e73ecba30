//! The command line of `yaoguan-town`. Words stand in the locale files.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use yaoguan_model::{AccountId, DeviceId, GridCode, RecordId, Role};
use yaoguan_town::storage::postgres::DatabaseUrl;
use yaoguan_wire::HoldId;

use super::settings::flags::{Everywhere, Serving};

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "yaoguan-town", version)]
pub struct Arguments {
    #[command(flatten)]
    pub everywhere: Everywhere,
    #[arg(long, global = true)]
    pub json: bool,
    #[arg(long, global = true, value_parser = ["zh", "en"])]
    pub lang: Option<String>,
    #[command(subcommand)]
    pub(crate) action: Do,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Do {
    Init {
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        demo: bool,
    },
    Serve(Serving),
    Settings(Serving),
    Doctor(Serving),
    Invite {
        #[arg(long)]
        role: Option<Role>,
        #[arg(long, value_name = "CODE[,CODE]", value_delimiter = ',')]
        grid: Vec<GridCode>,
        #[arg(long, conflicts_with_all = ["role", "grid", "name"])]
        account: Option<AccountId>,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        minutes: Option<i64>,
        #[arg(long, value_name = "URL")]
        address: Option<String>,
    },
    Grids {
        #[command(subcommand)]
        what: Grids,
    },
    Invites {
        #[command(subcommand)]
        what: Invites,
    },
    Accounts {
        #[command(subcommand)]
        what: Option<Accounts>,
    },
    Devices {
        #[command(subcommand)]
        what: Devices,
    },
    Audit {
        #[command(subcommand)]
        what: Audit,
    },
    Blobs {
        #[command(subcommand)]
        what: Blobs,
    },
    Held {
        #[command(subcommand)]
        what: Held,
    },
    Recovered {
        #[command(subcommand)]
        what: Recovered,
    },
    Backup {
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    Restore {
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
    },
    Move(Box<Moving>),
    Purge,
    Erase {
        household: RecordId,
        #[arg(long)]
        with_open: bool,
        #[arg(long)]
        reason: String,
    },
    Ca,
    DemoActivity {
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 30)]
        days: u32,
    },
    Status(Serving),
    Verify,
}

impl Do {
    /// The settings that were given to a command that serves or looks at how it is served.
    pub(crate) fn serving(&self) -> Option<&Serving> {
        match self {
            Self::Serve(serving) | Self::Settings(serving) => Some(serving),
            Self::Doctor(serving) | Self::Status(serving) => Some(serving),
            Self::Init { .. } | Self::Invite { .. } | Self::Invites { .. } => None,
            Self::Grids { .. } | Self::Accounts { .. } | Self::Devices { .. } => None,
            Self::Audit { .. } | Self::Blobs { .. } | Self::DemoActivity { .. } => None,
            Self::Held { .. } | Self::Recovered { .. } | Self::Ca | Self::Verify => None,
            Self::Backup { .. } | Self::Restore { .. } | Self::Move(_) => None,
            Self::Purge | Self::Erase { .. } => None,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Invites {
    List {
        #[arg(long)]
        all: bool,
    },
    Revoke {
        id: String,
        #[arg(long, default_value = "")]
        reason: String,
    },
    Sheet(Sheet),
}

/// From where and to where a town moves.
#[derive(Debug, clap::Args)]
pub(crate) struct Moving {
    #[arg(long, value_name = "FOLDER")]
    pub from: Option<PathBuf>,
    #[arg(long, value_name = "URL")]
    pub to: Option<DatabaseUrl>,
}

/// Whom a sheet of invites is for, and where it goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Sheet {
    #[arg(long)]
    pub(crate) role: Option<Role>,
    #[arg(long, value_name = "CODE")]
    pub(crate) village: Option<String>,
    #[arg(long, value_name = "CODE")]
    pub(crate) grid: Option<GridCode>,
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    #[arg(long, default_value_t = 24)]
    pub(crate) hours: i64,
    #[arg(long)]
    pub(crate) out: PathBuf,
    #[arg(long, value_name = "URL")]
    pub(crate) address: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Accounts {
    List,
    Add {
        #[arg(long)]
        login: String,
        #[arg(long)]
        name: String,
        #[arg(long)]
        role: Role,
        #[arg(long, default_value = "")]
        grids: String,
    },
    Import {
        file: PathBuf,
        #[arg(long)]
        skip_bad: bool,
        #[arg(long, requires = "skip_bad")]
        rejects: Option<PathBuf>,
    },
    Role {
        who: String,
        role: Role,
        #[arg(long)]
        grids: Option<String>,
        #[arg(long, default_value = "")]
        reason: String,
    },
    Grids {
        who: String,
        grids: String,
        #[arg(long, default_value = "")]
        reason: String,
    },
    Login {
        who: String,
        login: String,
    },
    Disable {
        who: String,
        #[arg(long, default_value = "")]
        reason: String,
    },
    Enable {
        who: String,
        #[arg(long, default_value = "")]
        reason: String,
    },
    Reset {
        who: String,
        #[arg(long, default_value = "")]
        reason: String,
    },
    Password {
        who: String,
    },
    Totp {
        #[command(subcommand)]
        what: Totp,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Totp {
    Enrol {
        who: String,
    },
    Confirm {
        who: String,
        code: String,
    },
    Disable {
        who: String,
        #[arg(long, default_value = "")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Devices {
    List,
    Revoke {
        id: DeviceId,
        #[arg(long, default_value = "")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    List {
        #[arg(long, default_value_t = 0)]
        after: u64,
        #[arg(long, default_value_t = 1_000)]
        limit: u32,
        #[arg(long, value_name = "ID")]
        about: Option<String>,
    },
    Verify,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Blobs {
    Check {
        #[arg(long)]
        ask_again: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Grids {
    List,
    Import { file: PathBuf },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Held {
    List,
    Show {
        // Ids are base64url: some begin with a dash.
        #[arg(allow_hyphen_values = true)]
        id: HoldId,
    },
    Release {
        #[arg(allow_hyphen_values = true)]
        id: HoldId,
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
        #[arg(long, value_name = "FIELD")]
        drop: Vec<String>,
        #[arg(long, default_value = "")]
        note: String,
    },
    Refuse {
        #[arg(allow_hyphen_values = true)]
        id: HoldId,
        #[arg(long)]
        note: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Recovered {
    List,
    Take {
        #[arg(value_name = "HASH", required_unless_present = "all")]
        hashes: Vec<String>,
        #[arg(long, conflicts_with = "hashes")]
        all: bool,
    },
}
