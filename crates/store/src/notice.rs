//! Projection of notices.

use crate::projection::{Column::*, Table};

pub(crate) const TABLE: Table = Table {
    name: "notice",
    columns: &[Text("title"), Int("valid_until")],
    order: "valid_until",
    searched: &["title", "text"],
    initials: &[],
};
