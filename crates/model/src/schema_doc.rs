//! The table of every kind's registers as Markdown: docs/RECORDS.md, generated from the specs.
//!
//! The file is normative because it is this function's output and a test compares the two. Nothing is
//! said here that the specs do not say.

use std::fmt::Write as _;

use crate::kind::Kind;
use crate::limits;
use crate::schema::{Entry, KindSpec, PathSpec, Shape, Writer};
use crate::status::Step;

/// The whole document.
pub fn records_markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    for kind in Kind::ALL {
        if let Some(spec) = kind.spec() {
            // Writing into a String has no failing case.
            let _ = write_kind(&mut out, kind.as_str(), spec);
        }
    }
    out
}

const INTRODUCTION: &str = "\
# Records

Generated from the specifications in `crates/model`; do not edit. Renew with
`UPDATE_DOCS=1 cargo test -p yaoguan-model --test record_table`.

Every kind of record and every register it may hold. What has no line here cannot be recorded. Integers
only; times are seconds since 1970-01-01 UTC; positions are WGS-84 in 1e-7 degrees. A `?` marks an entry
that may be left out. *Required*: a record cannot be made without it, nor can it be removed. *Fixed*: once
written, never changed or removed. Writers are relations of a person to the record: its author, its
assignee (for a task of a grid also its chiefs), a chief or a supervisor of its grid, an administrator, or
whoever may read it. A star stands for the key of an element: of `photos.*` the photo's SHA-256, of
`timeline.*` a uuid, of `answers.*` the key of the template's item.
";

fn write_kind(out: &mut String, name: &str, spec: &KindSpec) -> std::fmt::Result {
    writeln!(out, "\n## {name}\n")?;
    writeln!(out, "- Basis: {}", spec.basis)?;
    writeln!(out, "- Retention: {}\n", spec.retention)?;
    writeln!(out, "| register | value | | writers | purpose |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for path in spec.paths {
        let PathSpec { path: name, shape, writers, purpose, .. } = path;
        let (shape, marks, writers) = (shape_words(*shape), marks(path), writer_words(writers));
        writeln!(out, "| `{name}` | {shape} | {marks} | {writers} | {purpose} |")?;
    }
    if spec.steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nA new record starts as `{}`. Steps of `status`:\n", spec.start)?;
    writeln!(out, "| from | to | who | |")?;
    writeln!(out, "|---|---|---|---|")?;
    for Step { from, to, by, needs_note } in spec.steps {
        let note = if *needs_note { "with a reason" } else { "" };
        writeln!(out, "| `{from}` | `{to}` | {} | {note} |", writer_words(by))?;
    }
    Ok(())
}

fn marks(path: &PathSpec) -> &'static str {
    match (path.required, path.immutable) {
        (true, true) => "required, fixed",
        (true, false) => "required",
        (false, true) => "fixed",
        (false, false) => "",
    }
}

fn writer_words(writers: &[Writer]) -> String {
    let word = |writer: &Writer| match writer {
        Writer::Author => "author",
        Writer::Assignee => "assignee",
        Writer::Chief => "chief",
        Writer::Supervisor => "supervisor",
        Writer::Admin => "admin",
        Writer::Reader => "reader",
    };
    writers.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// A shape in words.
fn shape_words(shape: Shape) -> String {
    let text = |what: &str, max: usize| format!("{what}, at most {max} characters");
    match shape {
        Shape::Word(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" · ")
        }
        Shape::Text => text("text", limits::MAX_TEXT_CHARS),
        Shape::Line => text("line", limits::MAX_LINE_CHARS),
        Shape::Name => text("name", limits::MAX_NAME_CHARS),
        Shape::Int { min, max: limits::MAX_INTEGER } => format!("integer from {min}"),
        Shape::Int { min, max } => format!("integer {min} to {max}"),
        Shape::Bool => "true or false".into(),
        Shape::Time => "time".into(),
        Shape::Date => "date `YYYY-MM-DD`".into(),
        Shape::Position => {
            let sources = crate::position::SOURCES.join(" · ");
            format!("{{lat, lon, accuracy_cm?, source: {sources}, fixed_at?}}")
        }
        Shape::Grid => "grid code".into(),
        Shape::Record => "record id".into(),
        Shape::Account => "account id".into(),
        Shape::Hash => "SHA-256".into(),
        Shape::Context => "causal context".into(),
        Shape::List(of) => format!("list of at most {}: {}", limits::MAX_LIST, shape_words(*of)),
        Shape::Object(entries) => {
            let entries: Vec<String> = entries.iter().map(entry_words).collect();
            format!("{{{}}}", entries.join("; "))
        }
    }
}

fn entry_words(entry: &Entry) -> String {
    let mark = if entry.required { "" } else { "?" };
    format!("`{}`{mark}: {}", entry.name, shape_words(entry.shape))
}
