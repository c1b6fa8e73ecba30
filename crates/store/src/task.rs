//! Projection of tasks.

use crate::projection::{Column::*, Table};

pub(crate) const TABLE: Table = Table {
    name: "task",
    columns: &[
        Text("what"),
        Text("status"),
        Text("assignee"),
        Text("grid"),
        Text("about"),
        Text("due_on"),
    ],
    order: "due_on",
    searched: &["words"],
    initials: &[],
};
