//! Households and their checks: what the phone fills in by itself.

use yaoguan_model::template::builtin;
use yaoguan_model::{Kind, Value};

use crate::edit::{Edit, set};
use crate::error::FieldError;
use crate::phone::Phone;

impl Phone {
    pub(crate) fn household_defaults(&self, edit: &mut Edit) -> Result<(), FieldError> {
        self.fill_grid(edit)
    }

    /// The newest home-safety template that the town published, else the built-in one.
    pub(crate) fn check_defaults(&self, edit: &mut Edit) -> Result<(), FieldError> {
        let mut version = builtin::VERSION;
        self.store.each(&Kind::Template, |record| {
            if record.shown_text("code") == Some(builtin::CODE) {
                let published = record.shown("version").and_then(Value::as_int).unwrap_or(0);
                version = version.max(published);
            }
            Ok(())
        })?;
        set(edit, "template", Value::text(builtin::CODE))?;
        set(edit, "template_version", Value::Int(version))?;
        set(edit, "outcome", Value::text("done"))?;
        set(edit, "checked_at", Value::Int(self.env.now_s()))
    }
}
