//! The command line of `yaoguan-town`. Words stand in the locale files.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use yaoguan_model::{AccountId, GridCode, RecordId, Role};
use yaoguan_wire::HoldId;

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "yaoguan-town", version)]
pub struct Arguments {
    #[arg(long, global = true, env = "YAOGUAN_TOWN_DATA", default_value = "yaoguan-town-data")]
    pub data: PathBuf,
    #[arg(long, global = true, env = "YAOGUAN_TOWN_KEY_FILE")]
    pub key_file: Option<PathBuf>,
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
    Serve {
        #[arg(long, default_value = "127.0.0.1:8443")]
        listen: SocketAddr,
        #[arg(long)]
        behind_proxy: bool,
        #[arg(long, value_name = "URL")]
        public: Option<String>,
    },
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
    Status,
    Verify,
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
