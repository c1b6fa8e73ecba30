//! Patrols: what the phone fills in by itself.

use yaoguan_model::{Role, Value};

use crate::edit::{Edit, set};
use crate::error::FieldError;
use crate::phone::Phone;

impl Phone {
    pub(crate) fn patrol_defaults(&self, edit: &mut Edit) -> Result<(), FieldError> {
        self.fill_grid(edit)?;
        let team = if self.identity()?.role == Role::Volunteer { "qingping" } else { "chief" };
        set(edit, "team", Value::text(team))?;
        set(edit, "started_at", Value::Int(self.env.now_s()))
    }
}
