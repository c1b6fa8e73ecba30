//! A town full of records with a mark in each, and who may see which: written by hand from
//! docs/RECORDS.md and the design's *Scope*, not computed by the product.

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::{AccountId, Change, Env as _, FieldPath, Kind, Role, Value};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::storage::{OwnWrite, Storage as _};

/// What a record is, as far as it matters who may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Patrol,
    Hazard,
    /// A hazard that is linked to a household.
    LinkedHazard,
    Household,
    Check,
    Task,
    Notice,
}

pub(crate) const SORTS: [Sort; 7] = [
    Sort::Patrol,
    Sort::Hazard,
    Sort::LinkedHazard,
    Sort::Household,
    Sort::Check,
    Sort::Task,
    Sort::Notice,
];

impl Sort {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Patrol => Kind::Patrol,
            Self::Hazard | Self::LinkedHazard => Kind::Hazard,
            Self::Household => Kind::Household,
            Self::Check => Kind::HouseholdCheck,
            Self::Task => Kind::Task,
            Self::Notice => Kind::Notice,
        }
    }

    /// Who reads it.
    pub(crate) fn is_read_by(self, role: Role, own_cell: bool, own_author: bool) -> bool {
        let in_charge = matches!(role, Role::Chief | Role::Supervisor);
        let has_grids = role != Role::Admin;
        match self {
            Self::Patrol | Self::Task => own_author || (own_cell && in_charge),
            Self::Hazard | Self::Notice => own_author || (own_cell && has_grids),
            Self::LinkedHazard | Self::Check => in_charge && (own_cell || own_author),
            Self::Household => in_charge && own_cell,
        }
    }
}

/// A record in the town.
#[derive(Debug, Clone)]
pub(crate) struct Marked {
    pub(crate) sort: Sort,
    pub(crate) own_cell: bool,
    pub(crate) author: AccountId,
    /// Stands in the record's text and nowhere else.
    pub(crate) canary: String,
}

/// The fields of a new record.
pub(crate) fn write(
    town: &TestTown,
    kind: Kind,
    author: AccountId,
    fields: &[(&str, Value)],
) -> OwnWrite {
    let change = |(path, value): &(&str, Value)| {
        let change = Change { replaces: Vec::new(), value: Some(value.clone()) };
        (path.parse::<FieldPath>().unwrap(), change)
    };
    let changes: BTreeMap<_, _> = fields.iter().map(change).collect();
    OwnWrite { id: town.clock.new_record_id(), kind, author, changes }
}

/// For each author a record of each sort in the own and in another grid.
pub(crate) async fn populate(town: &TestTown, authors: &[AccountId]) -> Vec<Marked> {
    let (mut writes, mut all) = (Vec::new(), Vec::new());
    for (own_cell, grid) in [(true, GRID), (false, OTHER_GRID)] {
        // Checks and linked hazards hang on a household that nobody looks for.
        let fields = [("address", "户".into()), ("grid", grid.into())];
        let household = write(town, Kind::Household, authors[0], &fields);
        let household_id = Value::text(household.id.to_string());
        writes.push(household);
        for (n, author) in authors.iter().enumerate() {
            for sort in SORTS {
                let canary =
                    format!("canary-{sort:?}-{}-{n}-end", if own_cell { "own" } else { "other" });
                let fields = fields_of(sort, grid, &canary, &household_id);
                let write = write(town, sort.kind(), *author, &fields);
                all.push(Marked { sort, own_cell, author: *author, canary });
                writes.push(write);
            }
        }
    }
    town.town.storage.write_own(writes, town.done()).await.unwrap();
    all
}

fn fields_of(
    sort: Sort,
    grid: &str,
    canary: &str,
    household: &Value,
) -> Vec<(&'static str, Value)> {
    let (grid, canary) = (Value::text(grid), Value::text(canary));
    let hazard = || {
        vec![
            ("category", "slope".into()),
            ("severity", "major".into()),
            ("grid", grid.clone()),
            ("seen_at", 1.into()),
            ("status", "reported".into()),
            ("title", canary.clone()),
        ]
    };
    match sort {
        Sort::Patrol => vec![
            ("team", "chief".into()),
            ("grid", grid),
            ("started_at", 1.into()),
            ("note", canary),
        ],
        Sort::Hazard => hazard(),
        Sort::LinkedHazard => {
            let mut fields = hazard();
            fields.push(("household", household.clone()));
            fields
        }
        Sort::Household => vec![("address", canary), ("grid", grid)],
        Sort::Check => vec![
            ("household", household.clone()),
            ("template", "home_safety".into()),
            ("template_version", 1.into()),
            ("outcome", "done".into()),
            ("checked_at", 1.into()),
            ("note", canary),
        ],
        Sort::Task => vec![
            ("what", "other".into()),
            ("words", canary),
            ("status", "open".into()),
            ("grid", grid),
        ],
        Sort::Notice => {
            vec![("title", canary), ("text", "注意".into()), ("grids", Value::List(vec![grid]))]
        }
    }
}

/// The marks that an answer holds.
pub(crate) fn seen<'a>(answer: &str, all: &'a [Marked]) -> BTreeSet<&'a str> {
    all.iter().map(|marked| marked.canary.as_str()).filter(|mark| answer.contains(mark)).collect()
}
