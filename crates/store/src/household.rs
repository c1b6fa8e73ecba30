//! Projection of households.

use crate::projection::{Column::*, Table};

pub(crate) const TABLE: Table = Table {
    name: "household",
    columns: &[Text("address"), Text("grid")],
    order: "address",
    searched: &["address", "contact_name"],
    initials: &["address"],
};
