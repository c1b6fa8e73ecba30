//! The one table of settings: flags, environment, file, `docs/SETTINGS.md` and help are made from it.
//! What each means stands in the locale files under `[setting]`.

use std::net::SocketAddr;

use yaoguan_town::backups::TimeOfDay;
use yaoguan_town::storage::postgres::DatabaseUrl;

/// What a value must look like; words under `[setting_form]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Path,
    /// IP address and port.
    Address,
    Url,
    /// Where a PostgreSQL database is, with a password perhaps: never shown.
    Database,
    /// `true` or `false`.
    Switch,
    TimeOfDay,
    /// A name without spaces.
    Name,
    Count {
        min: u32,
        max: u32,
    },
    /// What is logged, as `tracing` filters: `info`, `yaoguan_town=debug,info`.
    Filter,
}

/// One setting. Its flag is `--name-with-dashes`, its variable `YAOGUAN_TOWN_NAME`.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub name: &'static str,
    pub form: Form,
    /// Empty: none, or derived from another setting.
    pub default: &'static str,
    /// Of every command; else of those that serve or look at how it is served.
    pub everywhere: bool,
}

const fn everywhere(name: &'static str, form: Form, default: &'static str) -> Setting {
    Setting { name, form, default, everywhere: true }
}

const fn serving(name: &'static str, form: Form, default: &'static str) -> Setting {
    Setting { name, form, default, everywhere: false }
}

/// Daily and weekly backups that are kept at most.
const MOST_KEPT: u32 = 1_000;

/// All of them, in the order in which they are shown.
pub const TABLE: &[Setting] = &[
    everywhere("data", Form::Path, "yaoguan-town-data"),
    everywhere("key_file", Form::Path, ""),
    everywhere("blob_bucket", Form::Name, ""),
    everywhere("blob_endpoint", Form::Url, ""),
    everywhere("blob_region", Form::Name, "us-east-1"),
    everywhere("blob_access_key", Form::Name, ""),
    everywhere("blob_secret_file", Form::Path, ""),
    everywhere("blob_ca_file", Form::Path, ""),
    everywhere("database_url", Form::Database, ""),
    everywhere("database_url_file", Form::Path, ""),
    serving("listen", Form::Address, "127.0.0.1:8443"),
    serving("public", Form::Url, ""),
    serving("behind_proxy", Form::Switch, "false"),
    serving("backup_dir", Form::Path, ""),
    serving("backup_at", Form::TimeOfDay, "02:30"),
    serving("backup_keep_daily", Form::Count { min: 1, max: MOST_KEPT }, "14"),
    serving("backup_keep_weekly", Form::Count { min: 0, max: MOST_KEPT }, "8"),
    serving("console_dir", Form::Path, "/usr/local/share/yaoguan/console"),
    serving("log", Form::Filter, "info,tower_http=warn"),
];

/// The setting of this name.
pub fn find(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.name == name)
}

impl Setting {
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    pub fn env(&self) -> String {
        format!("YAOGUAN_TOWN_{}", self.name.to_ascii_uppercase())
    }
}

impl Form {
    /// The key of its words.
    pub fn key(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Address => "address",
            Self::Url => "url",
            Self::Database => "database",
            Self::Switch => "switch",
            Self::TimeOfDay => "time_of_day",
            Self::Name => "name",
            Self::Count { .. } => "count",
            Self::Filter => "filter",
        }
    }

    /// What stands for a value in usage lines.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Path => "PATH",
            Self::Address => "ADDRESS:PORT",
            Self::Url | Self::Database => "URL",
            Self::Switch => "true|false",
            Self::TimeOfDay => "HH:MM",
            Self::Name => "NAME",
            Self::Count { .. } => "N",
            Self::Filter => "FILTER",
        }
    }

    /// Whether a value may be given as this text.
    pub fn holds(self, text: &str) -> bool {
        match self {
            Self::Path => !text.is_empty(),
            Self::Address => text.parse::<SocketAddr>().is_ok(),
            Self::Url => is_url(text),
            Self::Database => text.parse::<DatabaseUrl>().is_ok(),
            Self::Switch => matches!(text, "true" | "false"),
            Self::TimeOfDay => text.parse::<TimeOfDay>().is_ok(),
            Self::Name => !text.is_empty() && !text.contains(char::is_whitespace),
            Self::Count { min, max } => {
                text.parse::<u32>().is_ok_and(|count| (min..=max).contains(&count))
            }
            Self::Filter => {
                !text.is_empty() && text.parse::<tracing_subscriber::EnvFilter>().is_ok()
            }
        }
    }
}

/// `http(s)://host[:port]` and no path: phones append their own.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '@'))
    })
}
