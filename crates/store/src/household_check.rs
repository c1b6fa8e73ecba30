//! Projection of household checks.

use crate::projection::{Column::*, Table};

pub(crate) const TABLE: Table = Table {
    name: "household_check",
    columns: &[Text("household"), Text("outcome"), Int("checked_at"), Text("due_on")],
    order: "checked_at",
    searched: &["note", "advice"],
    initials: &[],
};
