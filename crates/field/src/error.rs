//! What can go wrong for a person in the field. The screen branches on [`ErrorCode`] alone and has words
//! for each in the locale files.

use serde::Serialize;
use yaoguan_exchange::{ExportError, GpxError, MappingError, TableError};
use yaoguan_media::PhotoError;
use yaoguan_model::authorise::Refusal;
use yaoguan_model::schema::{Invalid, Problem};
use yaoguan_model::status::StepError;
use yaoguan_store::StoreError;
use yaoguan_sync::SyncError;
use yaoguan_transport::TransportError;

/// Closed: every code has words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub enum ErrorCode {
    NotEnrolled,
    AlreadyEnrolled,
    /// The invite is for another person than this phone's.
    OtherAccount,
    BadInvite,
    UnknownField,
    InvalidValue,
    MissingField,
    Immutable,
    TooLarge,
    UnknownGrid,
    ForeignGrid,
    GridMissing,
    OutOfScope,
    NotAllowed,
    StepNotAllowed,
    NoteMissing,
    NotFound,
    NothingToChange,
    NotInConflict,
    BadMapping,
    BadFile,
    NoFixes,
    /// HEIC: the remedy is a setting of the camera.
    PhotoHeic,
    PhotoTooLarge,
    /// No picture, or one that breaks off.
    PhotoUnreadable,
    /// A photo or track on this phone cannot be read any more.
    FileBroken,
    /// A photo or track is not on this phone, and could not be had.
    NotHere,
    StoreBroken,
    /// Others can read the key file of the command line.
    KeyExposed,
    StoreNewer,
    DiskFull,
    ReadOnly,
    /// The marker outside the data folder cannot be written: nothing is sent.
    StateUnwritable,
    Busy,
    Offline,
    NotTheTown,
    TownRefused,
    /// The save waits for a supervisor at the town.
    HeldByTown,
    Protocol,
    /// Nobody has entered a PIN.
    Locked,
    /// Not six digits.
    BadPin,
    /// One digit six times, or digits in a row.
    WeakPin,
    WrongPin,
    /// Too many wrong ones: the list of people says how long.
    PinWait,
    /// The system's key store has lost the key, or never had it.
    KeyGone,
    KeyStore,
    /// Not a file of map tiles, or of a sort that this app cannot show.
    BadMap,
}

/// An error with its code, the place it is about, and what else the words need.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    #[error("this phone is not enrolled")]
    NotEnrolled,
    #[error("this phone is enrolled already")]
    AlreadyEnrolled,
    #[error("the invite is for another person than this phone's")]
    OtherAccount,
    #[error("{0}")]
    BadInvite(String),
    #[error("{0}")]
    Invalid(#[from] Invalid),
    #[error("{0}")]
    Refused(Refusal),
    #[error("no grid was named and the position lies in none: name one")]
    GridMissing,
    #[error("there is no record {0} on this phone")]
    NotFound(String),
    #[error("the town holds this save: a supervisor decides on it")]
    HeldByTown,
    #[error("nothing was named to change")]
    NothingToChange,
    #[error("{0} has one value only: there is nothing to settle")]
    NotInConflict(String),
    #[error("{0}")]
    Mapping(#[from] MappingError),
    #[error("{0}")]
    Table(#[from] TableError),
    #[error("{0}")]
    Track(#[from] GpxError),
    #[error("{0}")]
    Export(#[from] ExportError),
    #[error("{0}")]
    Picture(#[from] PhotoError),
    #[error("the file {0} on this phone is damaged")]
    FileBroken(String),
    #[error("the file {0} is not on this phone, and the town has none that you may see")]
    NotHere(String),
    #[error("{path}: {source}")]
    Io { path: String, source: std::io::Error },
    #[error("others can read the key file {0}: run `chmod 600` on it")]
    KeyExposed(String),
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Nothing is sent before the marker is written.
    #[error("{path}: {source}")]
    Marker { path: String, source: std::io::Error },
    /// Another program of this phone is syncing.
    #[error("another program is syncing this phone's store: wait until it is done")]
    Busy,
    #[error("{0}")]
    Transport(#[from] TransportError),
    #[error("{0}")]
    Protocol(String),
    #[error("locked: nobody has entered a PIN")]
    Locked,
    #[error("a PIN is six digits")]
    BadPin,
    #[error("one digit six times, or digits in a row, are no PIN")]
    WeakPin,
    #[error("not the PIN")]
    WrongPin,
    #[error("too many wrong PINs: wait")]
    PinWait,
    #[error("the system's key store does not have the key")]
    KeyGone,
    /// The system's key store does not answer.
    #[error("{0}")]
    KeyStore(String),
    #[error("not a map that can be shown: {0}")]
    BadMap(String),
}

impl FieldError {
    /// What the screen branches on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotEnrolled => ErrorCode::NotEnrolled,
            Self::AlreadyEnrolled => ErrorCode::AlreadyEnrolled,
            Self::OtherAccount => ErrorCode::OtherAccount,
            Self::BadInvite(_) => ErrorCode::BadInvite,
            Self::Invalid(invalid) => of_problem(&invalid.problem),
            Self::Refused(refusal) => of_refusal(refusal),
            Self::GridMissing => ErrorCode::GridMissing,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::HeldByTown => ErrorCode::HeldByTown,
            Self::NothingToChange => ErrorCode::NothingToChange,
            Self::NotInConflict(_) => ErrorCode::NotInConflict,
            Self::Mapping(_) => ErrorCode::BadMapping,
            Self::Track(GpxError::NoFixes { .. }) => ErrorCode::NoFixes,
            Self::Picture(PhotoError::Heic) => ErrorCode::PhotoHeic,
            Self::Picture(PhotoError::TooLarge | PhotoError::TooManyPixels { .. }) => {
                ErrorCode::PhotoTooLarge
            }
            Self::Picture(PhotoError::OtherContent | PhotoError::Damaged(_)) => {
                ErrorCode::PhotoUnreadable
            }
            Self::FileBroken(_) => ErrorCode::FileBroken,
            Self::NotHere(_) => ErrorCode::NotHere,
            Self::Table(_) | Self::Track(_) | Self::Export(_) | Self::Io { .. } => {
                ErrorCode::BadFile
            }
            Self::Store(StoreError::SchemaNewer { .. }) => ErrorCode::StoreNewer,
            Self::Store(StoreError::DiskFull) => ErrorCode::DiskFull,
            Self::Store(StoreError::ReadOnly) => ErrorCode::ReadOnly,
            Self::Store(StoreError::Missing) => ErrorCode::NotEnrolled,
            Self::Store(_) => ErrorCode::StoreBroken,
            Self::KeyExposed(_) => ErrorCode::KeyExposed,
            Self::Marker { .. } => ErrorCode::StateUnwritable,
            Self::Busy => ErrorCode::Busy,
            Self::Transport(TransportError::Unreachable(_)) => ErrorCode::Offline,
            Self::Transport(TransportError::NotTheTown(_)) => ErrorCode::NotTheTown,
            Self::Transport(TransportError::Refused(_)) => ErrorCode::TownRefused,
            Self::Transport(_) | Self::Protocol(_) => ErrorCode::Protocol,
            Self::Locked => ErrorCode::Locked,
            Self::BadPin => ErrorCode::BadPin,
            Self::WeakPin => ErrorCode::WeakPin,
            Self::WrongPin => ErrorCode::WrongPin,
            Self::PinWait => ErrorCode::PinWait,
            Self::KeyGone => ErrorCode::KeyGone,
            Self::KeyStore(_) => ErrorCode::KeyStore,
            Self::BadMap(_) => ErrorCode::BadMap,
        }
    }

    /// The town's own word for its refusal; see docs/SYNC.md, *Errors*.
    pub fn town_code(&self) -> Option<String> {
        if let Self::Transport(error) = self {
            return error.code().map(|code| code.as_str().to_owned());
        }
        None
    }

    /// How long the town asks to be left alone, in seconds: for
    /// [`on_told_to_wait`](yaoguan_sync::Engine::on_told_to_wait).
    pub fn retry_after_s(&self) -> Option<u32> {
        if let Self::Transport(error) = self { error.retry_after_s() } else { None }
    }

    /// The field that it is about.
    pub fn path(&self) -> Option<String> {
        if let Self::Refused(Refusal::NotAllowed(path)) = self {
            return Some(path.to_string());
        }
        if let Self::Invalid(invalid) = self { Some(invalid.path.to_string()) } else { None }
    }
}

fn of_problem(problem: &Problem) -> ErrorCode {
    match problem {
        Problem::UnknownField => ErrorCode::UnknownField,
        Problem::Missing => ErrorCode::MissingField,
        Problem::Immutable => ErrorCode::Immutable,
        Problem::TooMany(_) | Problem::TooLarge(_) | Problem::TooLong(_) => ErrorCode::TooLarge,
        Problem::WrongType(_) | Problem::NotAWord(_) | Problem::OutOfRange { .. } => {
            ErrorCode::InvalidValue
        }
    }
}

fn of_refusal(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::Invalid(invalid) => of_problem(&invalid.problem),
        Refusal::UnknownGrid(_) => ErrorCode::UnknownGrid,
        Refusal::ForeignGrid(_) => ErrorCode::ForeignGrid,
        Refusal::OutOfScope => ErrorCode::OutOfScope,
        Refusal::Step(StepError::NoteMissing { .. }) => ErrorCode::NoteMissing,
        Refusal::Step(_) => ErrorCode::StepNotAllowed,
        Refusal::UnknownKind(_)
        | Refusal::IdentityChanged
        | Refusal::NotAllowed(_)
        | Refusal::KindNotAllowed(_) => ErrorCode::NotAllowed,
    }
}

impl From<Refusal> for FieldError {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::Invalid(invalid) = refusal {
            Self::Invalid(invalid)
        } else {
            Self::Refused(refusal)
        }
    }
}

impl From<SyncError<StoreError>> for FieldError {
    fn from(error: SyncError<StoreError>) -> Self {
        if let SyncError::Store(error) = error {
            Self::Store(error)
        } else {
            Self::Protocol(error.to_string())
        }
    }
}
