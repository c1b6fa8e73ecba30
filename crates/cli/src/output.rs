//! What comes out: text for people, one JSON value for programs.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use yaoguan_field::FieldError;
use yaoguan_town::TownError;

use crate::progress::Progress;
use crate::words::Words;

/// Refused or failed.
pub const FAILED: u8 = 1;

/// Why a command did not do its work.
#[derive(Debug)]
pub enum Failure {
    Field(Box<FieldError>),
    Town(TownError),
    /// Words of this crate: key under `[say]` and values.
    Said(&'static str, Vec<(&'static str, String)>),
    /// The output is complete and says itself what is wrong.
    Shown,
}

impl From<FieldError> for Failure {
    fn from(error: FieldError) -> Self {
        Self::Field(Box::new(error))
    }
}
impl From<yaoguan_town::people::PeopleError> for Failure {
    fn from(error: yaoguan_town::people::PeopleError) -> Self {
        Self::Town(error.into())
    }
}
impl From<TownError> for Failure {
    fn from(error: TownError) -> Self {
        Self::Town(error)
    }
}
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Town(TownError::Io(error))
    }
}

#[derive(Serialize)]
struct ErrorOut {
    error: ErrorParts,
}

#[derive(Serialize)]
struct ErrorParts {
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// Where a command's output goes.
pub struct Output<'a> {
    pub words: &'a Words,
    pub json: bool,
}

impl Output<'_> {
    /// One value for programs, or lines for people.
    pub fn result<T: Serialize>(
        &self,
        value: &T,
        lines: impl FnOnce() -> Vec<String>,
    ) -> Result<(), Failure> {
        let lines = match self.json {
            true => vec![serde_json::to_string(value).map_err(std::io::Error::other)?],
            false => lines(),
        };
        let mut out = std::io::stdout().lock();
        for line in lines {
            match writeln!(out, "{line}") {
                // Whoever reads has seen enough: `… | head -n 1`. The work itself is done.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => break,
                written => written?,
            }
        }
        Ok(())
    }

    /// Shows that work goes on; `key` under `[say]` names what is counted.
    pub fn progress(&self, key: &str) -> Progress {
        Progress::new(self.json, self.words.say("say", key, &[]))
    }

    /// Something worth knowing that is no result.
    pub fn note(&self, key: &str, values: &[(&str, &str)]) {
        _ = writeln!(std::io::stderr(), "{}", self.words.say("say", key, values));
    }

    /// Ends the program.
    pub fn exit(&self, result: Result<(), Failure>) -> ExitCode {
        let Err(failure) = result else { return ExitCode::SUCCESS };
        let parts = match failure {
            Failure::Shown => return ExitCode::from(FAILED),
            Failure::Field(error) => self.field_error(&error),
            Failure::Town(TownError::People(error)) => {
                let (code, message) = crate::said::people(self.words, &error);
                ErrorParts { code, message, path: None }
            }
            Failure::Town(error) => {
                ErrorParts { code: "town".to_owned(), message: self.town_error(&error), path: None }
            }
            Failure::Said(key, values) => {
                let values: Vec<(&str, &str)> =
                    values.iter().map(|(k, v)| (*k, v.as_str())).collect();
                let message = self.words.say("say", key, &values);
                ErrorParts { code: key.to_owned(), message, path: None }
            }
        };
        if self.json {
            let text = serde_json::to_string(&ErrorOut { error: parts }).unwrap_or_default();
            _ = writeln!(std::io::stdout(), "{text}");
        } else {
            _ = writeln!(std::io::stderr(), "{}", parts.message);
        }
        ExitCode::from(FAILED)
    }

    /// What is wrong, in the person's language.
    pub fn detail(&self, error: &FieldError) -> String {
        crate::said::detail(self.words, error)
    }

    fn field_error(&self, error: &FieldError) -> ErrorParts {
        let code = serde_json::to_value(error.code()).ok();
        let code = code.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        let (path, detail) = (error.path(), self.detail(error));
        let values = [("path", path.as_deref().unwrap_or_default()), ("detail", detail.as_str())];
        ErrorParts { message: self.words.say("error", &code, &values), code, path }
    }

    fn town_error(&self, error: &TownError) -> String {
        let key = match error {
            TownError::Missing(_) => "town_missing",
            TownError::Exists(_) => "town_exists",
            TownError::Key(_) => "town_key",
            TownError::KeyExposed(_) => "town_key_exposed",
            TownError::KeyInside(_) => "town_key_inside",
            TownError::WrongKey => "town_wrong_key",
            TownError::SchemaNewer { .. } => "town_newer",
            TownError::StorageFull => "disk_full",
            TownError::Input(_) | TownError::People(_) => "town_input",
            TownError::InUse(_) => "town_in_use",
            TownError::OtherTown(_) => "town_other",
            TownError::BadBackup(_) => "town_bad_backup",
            TownError::Sqlite(_) | TownError::NotDurable(_) | TownError::Corrupt(_) => {
                "town_broken"
            }
            TownError::Certificate(_) | TownError::Io(_) | TownError::Postgres(_) => "town_broken",
            TownError::Away(_) => "town_away",
            TownError::NotEmbedded => "town_not_embedded",
            TownError::Moved(..) => "town_moved",
            TownError::Bucket(_) => "town_bucket",
        };
        self.words.say("error", key, &[("detail", &error.to_string())])
    }
}
