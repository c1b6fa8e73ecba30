//! Projection of hazards.

use crate::projection::{Column::*, Table};

pub(crate) const TABLE: Table = Table {
    name: "hazard",
    columns: &[
        Text("category"),
        Text("severity"),
        Text("status"),
        Text("grid"),
        Text("title"),
        Int("seen_at"),
        Text("assignee"),
        Text("household"),
        Text("patrol"),
        Text("due_on"),
        Text("source"),
        Text("source_key"),
    ],
    order: "seen_at",
    searched: &["title", "description", "address"],
    initials: &[],
};
