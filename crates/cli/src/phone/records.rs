//! Commands on records.

use std::path::Path;

use serde_json::json;
use yaoguan_field::{Changed, Edit, FieldError, Filter, Page, Phone, Shown, values};
use yaoguan_model::schema::{Invalid, Problem};
use yaoguan_model::{FieldPath, Kind, Position, RecordId, Value};

use crate::output::{Failure, Output};

/// Rows of a list that people read.
const LINES: u32 = 50;

fn pair(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('=').ok_or_else(|| Failure::Said("not_a_pair", vec![("text", text.to_owned())]))
}

pub(super) fn typed(kind: &Kind, set: &[String]) -> Result<Edit, Failure> {
    let mut edit = Edit::new();
    for text in set {
        let (field, value) = pair(text)?;
        let (path, value) = values::typed(kind, field, value).map_err(FieldError::from)?;
        edit.insert(path, value);
    }
    Ok(edit)
}

pub(super) fn add(
    phone: &mut Phone,
    output: &Output<'_>,
    kind: &Kind,
    set: &[String],
    from: Option<&Path>,
) -> Result<(), Failure> {
    let mut edit = Edit::new();
    if let Some(file) = from {
        let path = file.display().to_string();
        let text =
            std::fs::read_to_string(file).map_err(|source| FieldError::Io { path, source })?;
        let json: serde_json::Value = serde_json::from_str(&text).map_err(|e| {
            let values = vec![("file", file.display().to_string()), ("detail", e.to_string())];
            Failure::Said("not_json", values)
        })?;
        edit = values::from_json(kind, &json).map_err(FieldError::from)?;
    }
    edit.extend(typed(kind, set)?);
    let form = phone.new_form(kind.clone())?;
    changed(output, &phone.save(&form, edit)?)
}

pub(super) fn edit(
    phone: &mut Phone,
    output: &Output<'_>,
    id: RecordId,
    set: &[String],
    unset: &[String],
    note: Option<&str>,
) -> Result<(), Failure> {
    let form = phone.open_form(id)?;
    let kind = form.record().kind.clone();
    let mut edit = typed(&kind, set)?;
    for field in unset {
        let (path, _) = values::typed(&kind, field, "").map_err(FieldError::from)?;
        edit.insert(path, None);
    }
    if let Some(note) = note {
        let (path, value) = values::typed(&kind, "note", note).map_err(FieldError::from)?;
        edit.insert(path, value);
    }
    changed(output, &phone.save(&form, edit)?)
}

/// `--set field=value` writes a third value, `--keep field=N` the N-th of those that stand there.
pub(super) fn resolve(
    phone: &mut Phone,
    output: &Output<'_>,
    id: RecordId,
    set: &[String],
    keep: &[String],
) -> Result<(), Failure> {
    let form = phone.open_form(id)?;
    let mut edit = typed(&form.record().kind, set)?;
    for text in keep {
        let (field, number) = pair(text)?;
        let kept = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let siblings = form.record().siblings(field);
        let value = kept.and_then(|n| siblings.get(n)).map(|s| s.value.clone());
        let path = field.parse::<FieldPath>().ok();
        let (Some(path), Some(value)) = (path, value) else {
            let values = vec![("field", field.to_owned()), ("n", siblings.len().to_string())];
            return Err(Failure::Said("no_such_sibling", values));
        };
        edit.insert(path, Some(value));
    }
    if edit.is_empty() {
        return Err(FieldError::NothingToChange.into());
    }
    changed(output, &phone.resolve(id, edit)?)
}

pub(super) fn changed(output: &Output<'_>, changed: &Changed) -> Result<(), Failure> {
    let id = changed.ids.first().map(ToString::to_string).unwrap_or_default();
    output.result(&json!({ "id": id, "kind": changed.kind }), || vec![id.clone()])
}

pub(super) fn list(
    phone: &Phone,
    output: &Output<'_>,
    kind: &Kind,
    (status, grid, deleted): (Option<String>, Option<String>, bool),
    (limit, offset): (Option<u32>, u32),
) -> Result<(), Failure> {
    let filter = Filter { status, grid, deleted };
    let limit = limit.unwrap_or(if output.json { u32::MAX } else { LINES });
    let rows = phone.list(kind, &filter, Page { limit, offset })?;
    output.result(&rows, || rows.iter().map(line).collect())
}

pub(super) fn search(
    phone: &Phone,
    output: &Output<'_>,
    words: &str,
    kind: Option<&Kind>,
    limit: u32,
) -> Result<(), Failure> {
    let rows = phone.search(words, kind, limit)?;
    output.result(&rows, || rows.iter().map(line).collect())
}

pub(super) fn nearby(
    phone: &Phone,
    output: &Output<'_>,
    category: &str,
    at: &str,
) -> Result<(), Failure> {
    let (_, value) = values::typed(&Kind::Hazard, "position", at).map_err(FieldError::from)?;
    let at = value.as_ref().and_then(Position::of).ok_or_else(|| {
        let problem = Problem::WrongType("a position");
        FieldError::from(Invalid { path: yaoguan_model::path::deleted(), problem })
    })?;
    let found = phone.already_reported(category, at)?;
    let rows: Vec<_> = found
        .iter()
        .map(|(record, metres)| json!({ "id": record.id, "distance_m": metres.round() }))
        .collect();
    output.result(&rows, || {
        let title =
            |r: &yaoguan_model::Record| r.shown_text("title").unwrap_or_default().to_owned();
        found.iter().map(|(r, m)| format!("{}  {m:.0} m  {}", r.id, title(r))).collect()
    })
}

pub(super) fn show(phone: &Phone, output: &Output<'_>, id: RecordId) -> Result<(), Failure> {
    let shown = phone.show(id)?;
    output.result(&shown, || {
        let head = [shown.id.to_string(), shown.kind.to_string(), shown.state.to_owned()];
        let mut lines = vec![format!("{} {}", head.join("  "), shown.deletion)];
        lines
            .extend(shown.fields.iter().map(|(path, value)| format!("  {path}: {}", plain(value))));
        for (path, siblings) in &shown.siblings {
            lines.push(output.words.say("say", "in_conflict", &[("path", path.as_str())]));
            let numbered = siblings.iter().zip(1..);
            lines.extend(numbered.map(|(s, n)| format!("    {n}. {}", plain(&s.value))));
        }
        lines
    })
}

/// One line of a list: id, state, and what a person knows it by.
fn line(shown: &Shown) -> String {
    let known = ["title", "address", "name", "words", "team", "outcome", "title_zh"];
    let text = |path: &&str| shown.fields.get(*path).map(plain);
    let label = known.iter().find_map(text).unwrap_or_default();
    let status = shown.fields.get("status").map(plain).unwrap_or_default();
    let mark = if shown.siblings.is_empty() { "" } else { " ≠" };
    format!("{}  {}  {status}  {label}{mark}", shown.id, shown.state)
}

pub(super) fn plain(value: &Value) -> String {
    let json = || serde_json::to_string(value).unwrap_or_default();
    value.as_text().map_or_else(json, str::to_owned)
}
