//! Projection of grids.

use crate::projection::{Column::*, Table};

pub(crate) const TABLE: Table = Table {
    name: "grid",
    columns: &[Text("code"), Text("name"), Text("village")],
    order: "code",
    searched: &["name", "village_name"],
    initials: &[],
};
