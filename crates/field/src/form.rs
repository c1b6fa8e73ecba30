//! Forms of the screens: a draft from the first tap, patched as the person goes on, saved or thrown away.
//!
//! A draft has the id of the record that it becomes, so that saving it twice cannot make two.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use yaoguan_model::{FieldPath, Kind, Record, RecordId, Value};
use yaoguan_store::draft::Draft;

use crate::edit::{Changed, Edit, Form};
use crate::error::FieldError;
use crate::media::FileView;
use crate::phone::Phone;
use crate::values;

/// What a form starts with.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts", optional_fields))]
pub struct FormStart {
    /// Of a new record.
    pub kind: Option<String>,
    /// The record to be edited.
    #[cfg_attr(feature = "ts", ts(optional, type = "string"))]
    pub record: Option<RecordId>,
    #[cfg_attr(feature = "ts", ts(optional, type = "Record<string, unknown>"))]
    pub values: Option<serde_json::Value>,
}

/// Further values; `null` takes a value back.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct FormPatch {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub id: RecordId,
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>"))]
    pub values: serde_json::Value,
}

/// A form as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct FormView {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub id: RecordId,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub kind: Kind,
    pub is_new: bool,
    /// What was altered.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>"))]
    pub values: BTreeMap<FieldPath, Option<Value>>,
    /// What stands on the record, for an edit.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>"))]
    pub before: BTreeMap<FieldPath, Value>,
    /// The phone's clock, in milliseconds.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub updated_at: i64,
    /// As they would be saved.
    pub photos: Vec<FileView>,
}

impl Phone {
    /// Opens a form and keeps it. A form that is open on the record already goes on.
    pub fn start_form(&mut self, start: &FormStart) -> Result<FormView, FieldError> {
        let form = match start.record {
            Some(id) if self.store.has_draft(id.0)? => return self.form(id),
            Some(id) => self.open_form(id)?,
            None => {
                let word = start.kind.as_deref().unwrap_or("hazard");
                self.new_form(word.parse().unwrap_or_else(|never| match never {}))?
            }
        };
        let given = start.values.clone().unwrap_or_else(|| serde_json::json!({}));
        let edit = values::from_json(&form.record().kind, &given)?;
        self.keep_draft(&form, edit)?;
        self.form(form.record().id)
    }

    pub fn form(&self, id: RecordId) -> Result<FormView, FieldError> {
        let draft = self.open_draft(id)?;
        let before = match draft.record {
            Some(id) => self.find(id)?.fields,
            None => BTreeMap::new(),
        };
        let last = |(path, list): (FieldPath, Vec<yaoguan_model::Sibling>)| {
            list.into_iter().last().map(|sibling| (path, sibling.value))
        };
        Ok(FormView {
            id,
            kind: draft.kind,
            is_new: draft.record.is_none(),
            values: draft.values,
            before: before.into_iter().filter_map(last).collect(),
            updated_at: draft.updated_at,
            photos: self.photos(id)?,
        })
    }

    /// Keeps more of what the person has typed.
    pub fn patch_form(&mut self, patch: &FormPatch) -> Result<FormView, FieldError> {
        let mut draft = self.open_draft(patch.id)?;
        for (path, value) in values::from_json(&draft.kind, &patch.values)? {
            if value.is_none() && draft.record.is_none() {
                draft.values.remove(&path);
            } else {
                draft.values.insert(path, value);
            }
        }
        draft.updated_at = self.env.now_ms();
        self.put_draft(&draft)?;
        self.form(patch.id)
    }

    /// Saves a form; it is cleared in the same transaction.
    pub fn save_form(&mut self, id: RecordId) -> Result<Changed, FieldError> {
        let draft = self.open_draft(id)?;
        let form = self.form_of(&draft)?;
        self.save(&form, draft.values)
    }

    pub fn discard_form(&mut self, id: RecordId) -> Result<(), FieldError> {
        self.drop_draft(id)
    }

    /// Forms that are open, latest first.
    pub fn forms(&self) -> Result<Vec<FormView>, FieldError> {
        let drafts = self.store.drafts()?;
        drafts.iter().map(|draft| self.form(RecordId(draft.id))).collect()
    }

    fn open_draft(&self, id: RecordId) -> Result<Draft, FieldError> {
        let found = self.store.draft(id.0)?;
        found.ok_or_else(|| FieldError::NotFound(id.to_string()))
    }

    /// The form as it was opened: with the siblings that were in view then, whatever a sync has brought
    /// in behind it.
    fn form_of(&self, draft: &Draft) -> Result<Form, FieldError> {
        let in_view = match draft.record {
            None => Record::new(RecordId(draft.id), draft.kind.clone(), self.identity()?.account),
            Some(id) => {
                let mut record = self.find(id)?;
                for (path, list) in &mut record.fields {
                    let seen = draft.replaces.get(path);
                    list.retain(|sibling| seen.is_some_and(|seen| seen.contains(&sibling.dot)));
                }
                record.fields.retain(|_, list| !list.is_empty());
                record
            }
        };
        Ok(Form::of_draft(in_view, draft.record.is_none()))
    }

    /// Saves one or a few values on a record at once, without a form.
    pub fn set_values(&mut self, patch: &FormPatch) -> Result<Changed, FieldError> {
        let form = self.open_form(patch.id)?;
        let edit: Edit = values::from_json(&form.record().kind, &patch.values)?;
        self.save(&form, edit)
    }

    /// Settles fields that have several values.
    pub fn settle(&mut self, patch: &FormPatch) -> Result<Changed, FieldError> {
        let kind = self.find(patch.id)?.kind;
        self.resolve(patch.id, values::from_json(&kind, &patch.values)?)
    }
}
