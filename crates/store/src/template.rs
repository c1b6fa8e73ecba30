//! Projection of household-check templates.

use crate::projection::{Column::*, Table};

pub(crate) const TABLE: Table = Table {
    name: "template",
    columns: &[Text("code"), Int("version")],
    order: "code",
    searched: &["title_zh", "title_en"],
    initials: &[],
};
