//! Drafts: a form is kept from the first tap, with what was in view when it was opened.

use std::collections::BTreeMap;

use yaoguan_model::RecordId;
use yaoguan_store::draft::Draft;

use crate::edit::{Edit, Form};
use crate::error::FieldError;
use crate::phone::Phone;

impl Phone {
    /// Keeps what a person has typed so far; call it again with the same form to keep more.
    pub fn keep_draft(&mut self, form: &Form, values: Edit) -> Result<(), FieldError> {
        let record = form.record();
        let dots = |path: &yaoguan_model::FieldPath| (path.clone(), record.dots(path.as_str()));
        let draft = Draft {
            id: record.id.0,
            kind: record.kind.clone(),
            record: (!record.context.is_empty()).then_some(record.id),
            replaces: record.fields.keys().map(dots).collect::<BTreeMap<_, _>>(),
            values,
            updated_at: self.env.now_ms(),
        };
        self.put_draft(&draft)
    }

    pub(crate) fn put_draft(&mut self, draft: &Draft) -> Result<(), FieldError> {
        self.transact(|tx| Ok::<_, FieldError>(tx.put_draft(draft)?))
    }

    /// Forms that were open when the app ended, latest first.
    pub fn drafts(&self) -> Result<Vec<Draft>, FieldError> {
        Ok(self.store.drafts()?)
    }

    /// Throws a draft away.
    pub fn drop_draft(&mut self, id: RecordId) -> Result<(), FieldError> {
        self.transact(|tx| Ok::<_, FieldError>(tx.remove_draft(id.0)?))
    }
}
