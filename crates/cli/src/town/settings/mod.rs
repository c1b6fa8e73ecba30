//! The settings of the town: flags before environment before file before default, and where each of the
//! effective values comes from.

pub mod doc;
pub mod file;
pub mod flags;
pub mod table;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;
use yaoguan_town::TownError;
use yaoguan_town::backups::{Keep, Schedule, TimeOfDay};
use yaoguan_town::blobs::{BlobPlace, BucketSettings};
use yaoguan_town::data::{Place, default_key_file};
use yaoguan_town::storage::postgres::DatabaseUrl;

use crate::output::{Failure, Output};
use flags::{Everywhere, Given, Serving};
use table::{Setting, TABLE};

/// The file that is read when none is named, if it is there.
pub const DEFAULT_FILE: &str = "/etc/yaoguan/town.toml";
/// Names the file in the environment.
pub const FILE_VARIABLE: &str = "YAOGUAN_TOWN_CONFIG";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Flag,
    Environment,
    /// `file:line`.
    File(String),
    Default,
}

/// A value that holds.
#[derive(Debug, Clone)]
pub struct Effective {
    pub setting: &'static Setting,
    /// Empty: not set.
    pub value: String,
    pub source: Source,
}

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    File { file: String, detail: String },
    Unknown { place: String, name: String },
    Value { place: String, name: &'static str, form: table::Form },
}

/// The effective settings.
#[derive(Debug, Clone)]
pub struct Settings {
    pub data: PathBuf,
    pub key_file: PathBuf,
    pub blobs: BlobPlace,
    /// None: in the data folder.
    pub database: Option<DatabaseUrl>,
    pub listen: SocketAddr,
    pub public: Option<String>,
    pub behind_proxy: bool,
    pub backups: Option<Schedule>,
    pub console_dir: PathBuf,
    pub log: String,
    pub all: Vec<Effective>,
}

/// What the environment says, by variable; a function, so that a test owns it.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Gathers what holds from all four sources.
    pub fn resolve(
        everywhere: &Everywhere,
        serving: Option<&Serving>,
        env: Lookup<'_>,
    ) -> Result<Self, Problem> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let lines =
            match everywhere.config.clone().or_else(|| set(FILE_VARIABLE).map(PathBuf::from)) {
                Some(file) => (read_file(&file)?, file),
                None => {
                    let file = PathBuf::from(DEFAULT_FILE);
                    let lines = if file.exists() { read_file(&file)? } else { Vec::new() };
                    (lines, file)
                }
            };
        let none = Given::new();
        let flags = [&everywhere.given, serving.map_or(&none, |serving| &serving.given)];
        let mut all = Vec::with_capacity(TABLE.len());
        for setting in TABLE {
            all.push(effective(setting, flags, &set, &lines)?);
        }
        Self::typed(all)
    }

    fn typed(mut all: Vec<Effective>) -> Result<Self, Problem> {
        let data = PathBuf::from(text(&all, "data"));
        if let Some(key) =
            all.iter_mut().find(|e| e.setting.name == "key_file" && e.value.is_empty())
        {
            key.value = default_key_file(&data).display().to_string();
        }
        let keep = Keep {
            daily: parsed(&all, "backup_keep_daily")?,
            weekly: parsed(&all, "backup_keep_weekly")?,
        };
        let at: TimeOfDay = parsed(&all, "backup_at")?;
        let dir = Some(text(&all, "backup_dir")).filter(|dir| !dir.is_empty());
        Ok(Self {
            data,
            key_file: PathBuf::from(text(&all, "key_file")),
            blobs: blobs(&all)?,
            database: database(&all)?,
            listen: parsed(&all, "listen")?,
            public: Some(text(&all, "public").to_owned()).filter(|url| !url.is_empty()),
            behind_proxy: parsed(&all, "behind_proxy")?,
            backups: dir.map(|dir| Schedule { dir: PathBuf::from(dir), at, keep }),
            console_dir: PathBuf::from(text(&all, "console_dir")),
            log: text(&all, "log").to_owned(),
            all,
        })
    }

    /// Where the parts of the town are.
    pub fn place(&self) -> Place {
        Place {
            dir: self.data.clone(),
            key_file: self.key_file.clone(),
            blobs: self.blobs.clone(),
            database: self.database.clone(),
        }
    }
}

/// By its address, or by a file that holds it: there no list of processes shows the password.
fn database(all: &[Effective]) -> Result<Option<DatabaseUrl>, Problem> {
    let (url, file) = (text(all, "database_url"), text(all, "database_url_file"));
    if !url.is_empty() || file.is_empty() {
        return if url.is_empty() { Ok(None) } else { parsed(all, "database_url").map(Some) };
    }
    let unreadable = |detail: String| Problem::File { file: file.to_owned(), detail };
    let text = std::fs::read_to_string(file).map_err(|e| unreadable(e.to_string()))?;
    text.parse().map(Some).map_err(|e: TownError| unreadable(e.to_string()))
}

/// A bucket where one is named; then all that it takes to reach it is needed.
fn blobs(all: &[Effective]) -> Result<BlobPlace, Problem> {
    let bucket = text(all, "blob_bucket");
    if bucket.is_empty() {
        return Ok(BlobPlace::Folder);
    }
    let needed = |name: &'static str| {
        let value = text(all, name);
        let form = table::find(name).map_or(table::Form::Path, |setting| setting.form);
        let missing = Problem::Value { place: "blob_bucket".to_owned(), name, form };
        if value.is_empty() { Err(missing) } else { Ok(value.to_owned()) }
    };
    let ca_file = Some(text(all, "blob_ca_file")).filter(|file| !file.is_empty());
    Ok(BlobPlace::Bucket(Box::new(BucketSettings {
        bucket: bucket.to_owned(),
        endpoint: needed("blob_endpoint")?,
        region: needed("blob_region")?,
        access_key: needed("blob_access_key")?,
        secret_file: needed("blob_secret_file")?.into(),
        ca_file: ca_file.map(PathBuf::from),
    })))
}

fn text<'a>(all: &'a [Effective], name: &str) -> &'a str {
    all.iter().find(|e| e.setting.name == name).map_or("", |e| e.value.as_str())
}

fn parsed<T: std::str::FromStr>(all: &[Effective], name: &'static str) -> Result<T, Problem> {
    let form = table::find(name).map_or(table::Form::Path, |setting| setting.form);
    text(all, name).parse().map_err(|_| Problem::Value { place: String::new(), name, form })
}

fn read_file(file: &Path) -> Result<Vec<(file::Line, String)>, Problem> {
    let said = file.display().to_string();
    let unreadable =
        |e: std::io::Error| Problem::File { file: said.clone(), detail: e.to_string() };
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let lines = file::read(&text, file)?;
    Ok(lines
        .into_iter()
        .map(|line| {
            let place = format!("{said}:{}", line.line);
            (line, place)
        })
        .collect())
}

fn effective(
    setting: &'static Setting,
    flags: [&Given; 2],
    env: Lookup<'_>,
    lines: &(Vec<(file::Line, String)>, PathBuf),
) -> Result<Effective, Problem> {
    if let Some(value) = flags.iter().find_map(|given| given.get(setting.name)) {
        return Ok(Effective { setting, value: value.clone(), source: Source::Flag });
    }
    if let Some(value) = env(&setting.env()) {
        let value = checked(setting, value, setting.env())?;
        return Ok(Effective { setting, value, source: Source::Environment });
    }
    if let Some((line, place)) = lines.0.iter().find(|(line, _)| line.name == setting.name) {
        let source = Source::File(place.clone());
        return Ok(Effective { setting, value: line.value.clone(), source });
    }
    Ok(Effective { setting, value: setting.default.to_owned(), source: Source::Default })
}

/// A value in the form of its setting. Empty unsets what may be unset.
fn checked(setting: &Setting, value: String, place: String) -> Result<String, Problem> {
    if setting.form.holds(&value) {
        return Ok(value);
    }
    Err(Problem::Value { place, name: setting.name, form: setting.form })
}

impl Problem {
    /// The same in the person's language.
    pub fn said(self, output: &Output<'_>) -> Failure {
        match self {
            Self::File { file, detail } => {
                Failure::Said("settings_file", vec![("file", file), ("detail", detail)])
            }
            Self::Unknown { place, name } => {
                Failure::Said("unknown_setting", vec![("place", place), ("name", name)])
            }
            Self::Value { place, name, form } => {
                let form = form_words(output, form);
                let values = vec![("place", place), ("name", name.to_owned()), ("form", form)];
                Failure::Said("bad_setting", values)
            }
        }
    }
}

fn form_words(output: &Output<'_>, form: table::Form) -> String {
    doc::form_words(output.words, form)
}

/// `yaoguan-town settings`: what holds, and why.
pub fn show(settings: &Settings, output: &Output<'_>) -> Result<(), Failure> {
    let value: Vec<_> = settings
        .all
        .iter()
        .map(|Effective { setting, value, source }| {
            let (word, place) = source_parts(source);
            let value = Some(shown(setting, value)).filter(|value| !value.is_empty());
            json!({
                "name": setting.name, "value": value, "source": word, "place": place,
                "flag": format!("--{}", setting.flag()), "env": setting.env(),
            })
        })
        .collect();
    output.result(&value, || {
        let line = |Effective { setting, value, source }: &Effective| {
            let (word, place) = source_parts(source);
            let from = output.words.say("setting_source", word, &[]);
            format!(
                "{} = {}  ({})",
                setting.name,
                shown(setting, value),
                [from.as_str(), place].join(" ").trim_end()
            )
        };
        settings.all.iter().map(line).collect()
    })
}

/// A value as it is shown: without a password.
fn shown(setting: &Setting, value: &str) -> String {
    match (setting.form, value.parse::<DatabaseUrl>()) {
        (table::Form::Database, Ok(url)) => url.to_string(),
        (table::Form::Database, Err(_)) => String::new(),
        (_, _) => value.to_owned(),
    }
}

fn source_parts(source: &Source) -> (&'static str, &str) {
    match source {
        Source::Flag => ("flag", ""),
        Source::Environment => ("environment", ""),
        Source::File(place) => ("file", place),
        Source::Default => ("default", ""),
    }
}

#[cfg(test)]
mod tests;
