//! The command line of `yaoguan-town`. Words stand in the locale files.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use yaoguan_model::{AccountId, GridCode, RecordId, Role};
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
    Accounts,
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
    Purge,
    Erase {
        household: RecordId,
        #[arg(long)]
        with_open: bool,
        #[arg(long)]
        reason: String,
    },
    Ca,
    Status(Serving),
    Verify,
}

impl Do {
    /// The settings that were given to a command that serves or looks at how it is served.
    pub(crate) fn serving(&self) -> Option<&Serving> {
        match self {
            Self::Serve(serving) | Self::Settings(serving) => Some(serving),
            Self::Doctor(serving) | Self::Status(serving) => Some(serving),
            Self::Init { .. } | Self::Invite { .. } | Self::Grids { .. } | Self::Accounts => None,
            Self::Held { .. } | Self::Recovered { .. } | Self::Ca | Self::Verify => None,
            Self::Backup { .. } | Self::Restore { .. } | Self::Purge | Self::Erase { .. } => None,
        }
    }
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
        id: HoldId,
    },
    Release {
        id: HoldId,
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
        #[arg(long, value_name = "FIELD")]
        drop: Vec<String>,
        #[arg(long, default_value = "")]
        note: String,
    },
    Refuse {
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
