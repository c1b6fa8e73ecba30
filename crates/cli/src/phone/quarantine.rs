//! Commands on saves that the town did not take.

use serde_json::json;
use yaoguan_field::{FieldError, Phone, QuarantineEntry, values};

use super::arguments::Quarantine;
use super::records::{changed, plain, typed};
use crate::output::{Failure, Output};

pub(super) fn run(phone: &mut Phone, output: &Output<'_>, what: Quarantine) -> Result<(), Failure> {
    match what {
        Quarantine::List => list(phone, output),
        Quarantine::Show { number } => show(output, &phone.quarantine_entry(number)?),
        Quarantine::Mend { number, set, drop } => {
            let kind = phone.quarantine_entry(number)?.save.kept.about.kind;
            let mut edit = typed(&kind, &set)?;
            for field in drop {
                let (path, _) = values::typed(&kind, &field, "").map_err(FieldError::from)?;
                edit.insert(path, None);
            }
            changed(output, &phone.mend(number, &edit)?)
        }
        Quarantine::Resend { number } => changed(output, &phone.mend(number, &Default::default())?),
        Quarantine::Discard { number } => changed(output, &phone.discard(number)?),
    }
}

fn value_of(entry: &QuarantineEntry) -> serde_json::Value {
    let save = &entry.save;
    json!({
        "number": entry.number, "record": save.kept.about.id, "kind": save.kept.about.kind,
        "code": save.code.as_str(), "detail": save.detail, "retriable": save.retriable,
        "at": save.at, "held": save.hold.is_some(), "changes": save.kept.changes,
    })
}

fn list(phone: &Phone, output: &Output<'_>) -> Result<(), Failure> {
    let entries = phone.quarantined()?;
    let rows: Vec<_> = entries.iter().map(value_of).collect();
    output.result(&rows, || entries.iter().map(|entry| line(output, entry)).collect())
}

/// Number, record, and why in words.
fn line(output: &Output<'_>, entry: &QuarantineEntry) -> String {
    let why = output.words.say("refusal", entry.save.code.as_str(), &[]);
    let detail = match entry.save.detail.is_empty() {
        true => String::new(),
        false => format!(" ({})", entry.save.detail),
    };
    format!("{}  {}  {why}{detail}", entry.number, entry.save.kept.about.id)
}

fn show(output: &Output<'_>, entry: &QuarantineEntry) -> Result<(), Failure> {
    output.result(&value_of(entry), || {
        let mut lines = vec![line(output, entry)];
        for (path, change) in &entry.save.kept.changes.paths {
            let added = change.added.iter().map(|sibling| plain(&sibling.value));
            let text = added.collect::<Vec<_>>().join(" / ");
            let key = if change.added.is_empty() { "kept_removal" } else { "kept_value" };
            let values = [("path", path.as_str()), ("value", text.as_str())];
            lines.push(output.words.say("say", key, &values));
        }
        lines
    })
}
