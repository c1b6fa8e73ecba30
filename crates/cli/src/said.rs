//! The details of an error in the person's language: what is wrong with which value, which step is not
//! allowed, why a file cannot be used.

use yaoguan_exchange::{GpxError, Reason, TableError};
use yaoguan_field::FieldError;
use yaoguan_field::media::{MAX_SOURCE_BYTES, PhotoError};
use yaoguan_model::authorise::Refusal;
use yaoguan_model::schema::{Invalid, Problem};
use yaoguan_model::status::StepError;
use yaoguan_store::StoreError;

use yaoguan_town::people::PeopleError;
use yaoguan_town::people::password::Rule;
use yaoguan_town::people::roster::{Problem as RowProblem, RosterError};

use crate::words::Words;

/// The code and the words of what is refused about accounts, invites and devices.
pub(crate) fn people(words: &Words, error: &PeopleError) -> (String, String) {
    let say = |key: &'static str, values: &[(&str, &str)]| {
        (key.to_owned(), words.say("people", key, values))
    };
    let said = |key: &'static str, values: &[(&str, &str)]| {
        (key.to_owned(), words.say("say", key, values))
    };
    match error {
        PeopleError::LastAdmin => say("last_admin", &[]),
        PeopleError::LoginTaken(login) => say("login_taken", &[("login", login)]),
        PeopleError::BadLogin(login) => say("bad_login", &[("login", login)]),
        PeopleError::BadName => say("bad_name", &[]),
        PeopleError::NoGrid(grid) => said("no_such_grid", &[("grid", grid)]),
        PeopleError::InviteMinutes(max) => said("invite_minutes", &[("max", &max.to_string())]),
        PeopleError::SheetWhom => said("sheet_whom", &[]),
        PeopleError::SheetNobody => said("sheet_nobody", &[]),
        PeopleError::SheetMany => {
            let max = yaoguan_town::people::limits::MAX_INVITES.to_string();
            said("sheet_many", &[("max", &max)])
        }
        PeopleError::SheetUnknown(login) => said("sheet_unknown", &[("login", login)]),
        PeopleError::Coverage(role) => say("coverage", &[("role", role.as_str())]),
        PeopleError::NoAccount(id) => say("no_such_account", &[("id", id)]),
        PeopleError::NoDevice(id) => say("no_such_device", &[("id", id)]),
        PeopleError::NoInvite(id) => say("no_such_invite", &[("id", id)]),
        PeopleError::NoLogin => say("no_login", &[]),
        PeopleError::Password(Rule::TooShort) => say("password_short", &[]),
        PeopleError::Password(Rule::TooLong) => say("password_long", &[]),
        PeopleError::Password(Rule::Spaces) => say("password_spaces", &[]),
        PeopleError::Password(Rule::Login) => say("password_login", &[]),
        PeopleError::ResetGone => say("reset_gone", &[]),
        PeopleError::TotpThere => say("totp_there", &[]),
        PeopleError::TotpWrong => say("totp_wrong", &[]),
        PeopleError::Roster(error) => {
            let detail = match error.as_ref() {
                RosterError::Table(error) => of_table(words, error),
                RosterError::NoColumn(column) => {
                    words.say("people", "no_column", &[("column", column)])
                }
                RosterError::OddColumn(column) => {
                    words.say("people", "odd_column", &[("column", column)])
                }
                RosterError::TooManyRows => {
                    let max = yaoguan_town::people::limits::MAX_ROSTER_ROWS.to_string();
                    words.say("detail", "too_many_rows", &[("max", &max)])
                }
            };
            say("bad_table", &[("detail", &detail)])
        }
    }
}

/// What is wrong with a row of a table of accounts.
pub(crate) fn of_row(words: &Words, problem: &RowProblem) -> String {
    let say = |key: &str, values: &[(&str, &str)]| words.say("people", key, values);
    match problem {
        RowProblem::Cells(reason) => of_reason(words, reason),
        RowProblem::BadLogin(login) => say("bad_login", &[("login", login)]),
        RowProblem::LoginTwice(line) => say("login_twice", &[("line", &line.to_string())]),
        RowProblem::BadName => say("bad_name", &[]),
        RowProblem::UnknownRole(role) => say("unknown_role", &[("role", role)]),
        RowProblem::UnknownGrid(grid) => say("unknown_grid", &[("grid", grid)]),
        RowProblem::Coverage(role) => say("coverage", &[("role", role.as_str())]),
    }
}

/// Why a row of a table cannot be read, in the person's language.
pub(crate) fn of_reason(words: &Words, reason: &Reason) -> String {
    let column = reason.column.as_deref().or(reason.field.as_deref()).unwrap_or_default();
    let mut values = vec![("column", column), ("value", reason.value.as_str())];
    values.extend(reason.params.iter().map(|(name, value)| (*name, value.as_str())));
    words.say("reason", reason.code, &values)
}

/// The words of `[detail]`; English text of the error itself where there are none.
pub(crate) fn detail(words: &Words, error: &FieldError) -> String {
    let say = |key: &str, values: &[(&str, &str)]| words.say("detail", key, values);
    match error {
        FieldError::Invalid(invalid) => of_invalid(words, invalid),
        FieldError::Refused(refusal) => of_refusal(words, refusal),
        FieldError::NotFound(id) => say("not_found", &[("id", id)]),
        FieldError::NotInConflict(path) => say("not_in_conflict", &[("path", path)]),
        FieldError::Table(error) => of_table(words, error),
        FieldError::Track(error) => of_track(words, error),
        FieldError::Picture(error) => of_picture(words, error),
        FieldError::FileBroken(name) => say("file_broken", &[("name", name)]),
        FieldError::NotHere(name) => say("not_here", &[("name", name)]),
        FieldError::Io { path, source } => {
            say("io", &[("path", path), ("detail", &source.to_string())])
        }
        FieldError::Store(StoreError::SchemaNewer { found, known }) => {
            say("schema_newer", &[("found", &found.to_string()), ("known", &known.to_string())])
        }
        FieldError::Marker { path, source } => {
            say("io", &[("path", path), ("detail", &source.to_string())])
        }
        FieldError::Store(StoreError::WrongKey) => say("wrong_key", &[]),
        FieldError::NotEnrolled
        | FieldError::AlreadyEnrolled
        | FieldError::OtherAccount
        | FieldError::BadInvite(_)
        | FieldError::GridMissing
        | FieldError::HeldByTown
        | FieldError::NothingToChange
        | FieldError::Mapping(_)
        | FieldError::Export(_)
        | FieldError::Store(_)
        | FieldError::KeyExposed(_)
        | FieldError::Busy
        | FieldError::Transport(_)
        | FieldError::Protocol(_)
        | FieldError::Locked
        | FieldError::BadPin
        | FieldError::WeakPin
        | FieldError::WrongPin
        | FieldError::PinWait
        | FieldError::KeyGone
        | FieldError::KeyStore(_)
        | FieldError::BadMap(_) => error.to_string(),
    }
}

fn of_invalid(words: &Words, Invalid { path, problem }: &Invalid) -> String {
    let path = path.as_str();
    let say = |key: &str, more: &[(&str, &str)]| {
        let values: Vec<_> = [("path", path)].iter().chain(more).copied().collect();
        words.say("detail", key, &values)
    };
    match problem {
        Problem::UnknownField => say("unknown_field", &[]),
        Problem::Missing => say("missing", &[]),
        Problem::WrongType(form) => say("wrong_type", &[("form", &words.say("form", form, &[]))]),
        Problem::NotAWord(list) => say("not_a_word", &[("words", &list.join(", "))]),
        Problem::TooLong(max) => say("too_long", &[("max", &max.to_string())]),
        Problem::OutOfRange { min, max } => {
            say("out_of_range", &[("min", &min.to_string()), ("max", &max.to_string())])
        }
        Problem::TooMany(max) => say("too_many", &[("max", &max.to_string())]),
        Problem::Immutable => say("immutable", &[]),
        Problem::TooLarge(max) => say("too_large", &[("max", &max.to_string())]),
    }
}

fn of_refusal(words: &Words, refusal: &Refusal) -> String {
    let say = |key: &str, values: &[(&str, &str)]| words.say("detail", key, values);
    match refusal {
        Refusal::UnknownKind(kind) => say("unknown_kind", &[("kind", kind)]),
        Refusal::Invalid(invalid) => of_invalid(words, invalid),
        Refusal::IdentityChanged => say("identity_changed", &[]),
        Refusal::OutOfScope => say("out_of_scope", &[]),
        Refusal::UnknownGrid(grid) => say("unknown_grid", &[("grid", grid.as_str())]),
        Refusal::ForeignGrid(grid) => say("foreign_grid", &[("grid", grid.as_str())]),
        Refusal::KindNotAllowed(kind) => say("kind_not_allowed", &[("kind", kind.as_str())]),
        Refusal::NotAllowed(path) => say("not_allowed", &[("path", path.as_str())]),
        Refusal::Step(step) => match step {
            StepError::WrongStart(start) => say("wrong_start", &[("status", start)]),
            StepError::NoSuchStep { from, to } => {
                say("no_such_step", &[("from", from), ("to", to)])
            }
            StepError::NotAllowed { from, to } => {
                say("step_not_yours", &[("from", from), ("to", to)])
            }
            StepError::NoteMissing { from, to } => say("step_note", &[("from", from), ("to", to)]),
            StepError::NotExplained(status) => say("step_not_explained", &[("status", status)]),
        },
    }
}

fn of_table(words: &Words, error: &TableError) -> String {
    let say = |key: &str, values: &[(&str, &str)]| words.say("detail", key, values);
    match error {
        TableError::Empty => say("empty", &[]),
        TableError::TooLarge { max } => say("file_too_large", &[("max", &max.to_string())]),
        TableError::TooManyRows { max } => say("too_many_rows", &[("max", &max.to_string())]),
        TableError::TooManyColumns { max } => say("too_many_columns", &[("max", &max.to_string())]),
        TableError::Utf16 => say("utf16", &[]),
        TableError::OldWorkbook => say("old_workbook", &[]),
        TableError::NoSuchSheet { wanted, there } => {
            say("no_such_sheet", &[("sheet", wanted), ("there", &there.join(", "))])
        }
        TableError::HeaderEncoding => say("header_encoding", &[]),
        TableError::NoSuchColumn { column } => say("no_such_column", &[("column", column)]),
        TableError::ColumnTwice { column } => say("column_twice", &[("column", column)]),
        TableError::Workbook(_) | TableError::Csv(_) => {
            say("unreadable", &[("detail", &error.to_string())])
        }
    }
}

fn of_track(words: &Words, error: &GpxError) -> String {
    let say = |key: &str, values: &[(&str, &str)]| words.say("detail", key, values);
    match error {
        GpxError::Empty => say("empty", &[]),
        GpxError::TooLarge { max } => say("file_too_large", &[("max", &max.to_string())]),
        GpxError::NoFixes { waypoints } => say("no_fixes", &[("n", &waypoints.to_string())]),
        GpxError::Broken(_) | GpxError::TooDeep { .. } => {
            say("unreadable", &[("detail", &error.to_string())])
        }
    }
}

fn of_picture(words: &Words, error: &PhotoError) -> String {
    let say = |key: &str, values: &[(&str, &str)]| words.say("detail", key, values);
    match error {
        PhotoError::TooLarge => say("file_too_large", &[("max", &MAX_SOURCE_BYTES.to_string())]),
        PhotoError::Heic => say("picture_heic", &[]),
        PhotoError::OtherContent => say("picture_other", &[]),
        PhotoError::TooManyPixels { width, height } => {
            say("picture_pixels", &[("width", &width.to_string()), ("height", &height.to_string())])
        }
        PhotoError::Damaged(_) => say("picture_damaged", &[]),
    }
}
