//! Projection of patrols.

use crate::projection::{Column::*, Table};

pub(crate) const TABLE: Table = Table {
    name: "patrol",
    columns: &[
        Text("team"),
        Text("grid"),
        Int("started_at"),
        Int("distance_cm"),
        Int("duration_s"),
        Text("source"),
        Text("source_key"),
    ],
    order: "started_at",
    searched: &["note", "weather"],
    initials: &[],
};
