//! Scope: which cells a record stands in, and which cells a person reads (records.md, *Scope*).
//!
//! A record is readable when the two sets meet. Both are computed here, on the phone and at the town,
//! and the town keeps them in SQL, so that no query can reach past them.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use crate::ids::{AccountId, GridCode};
use crate::kind::Kind;
use crate::record::Record;
use crate::role::Role;

/// From which role on a cell is read. Ordered: a higher level includes the readers below it no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Everyone,
    Chiefs,
    Supervisors,
}

/// What scope is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    Grid(GridCode, Level),
    /// One person's own; with [`Level::Chiefs`] only while that person is chief or supervisor.
    Account(AccountId, Level),
    Town(Level),
    TownRole(Role),
}

/// The text that the town's database keys cells by.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |level: &Level| match level {
            Level::Everyone => 'e',
            Level::Chiefs => 'c',
            Level::Supervisors => 's',
        };
        match self {
            Self::Grid(code, level) => write!(f, "g/{code}/{}", letter(level)),
            Self::Account(account, level) => write!(f, "a/{account}/{}", letter(level)),
            Self::Town(level) => write!(f, "t/{}", letter(level)),
            Self::TownRole(role) => write!(f, "r/{}", role.as_str()),
        }
    }
}

/// What a record's cells depend on beside the record itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// Grids of the household that a check belongs to, over all siblings.
    pub household_grids: BTreeSet<GridCode>,
}

/// The cells of a record, over all its siblings: the union of cells, the strictest restriction.
pub fn of_record(record: &Record, around: &Around) -> BTreeSet<Cell> {
    let mut cells = BTreeSet::new();
    let author = |level| Cell::Account(record.created_by, level);
    let grids = |level| grids_of(record).into_iter().map(move |g| Cell::Grid(g, level));
    let assignees = |level| accounts(record, "assignee").map(move |a| Cell::Account(a, level));
    match &record.kind {
        Kind::Patrol => {
            cells.extend(grids(Level::Chiefs));
            cells.insert(author(Level::Everyone));
        }
        Kind::Hazard => {
            let linked = !record.siblings("household").is_empty();
            let level = if linked { Level::Chiefs } else { Level::Everyone };
            cells.extend(grids(level));
            cells.extend(assignees(level));
            cells.insert(author(level));
        }
        Kind::Household => cells.extend(grids(Level::Chiefs)),
        Kind::HouseholdCheck => {
            let household = around.household_grids.iter();
            cells.extend(household.map(|g| Cell::Grid(g.clone(), Level::Chiefs)));
            cells.insert(author(Level::Chiefs));
        }
        Kind::Task => {
            cells.extend(grids(Level::Chiefs));
            cells.extend(assignees(Level::Everyone));
            cells.insert(author(Level::Everyone));
        }
        Kind::Notice => {
            cells.extend(audience(record));
            cells.insert(author(Level::Everyone));
        }
        Kind::Grid | Kind::Template => _ = cells.insert(Cell::Town(Level::Everyone)),
        Kind::Unknown(_) => _ = cells.insert(author(Level::Everyone)),
    }
    cells
}

/// The cells that a person reads.
pub fn of_reader(account: AccountId, role: Role, grids: &BTreeSet<GridCode>) -> BTreeSet<Cell> {
    let levels: &[Level] = match role {
        Role::Volunteer => &[Level::Everyone],
        Role::Chief => &[Level::Everyone, Level::Chiefs],
        Role::Supervisor => &[Level::Everyone, Level::Chiefs, Level::Supervisors],
        Role::Admin => &[],
    };
    let mut cells = BTreeSet::from([Cell::Town(Level::Everyone), Cell::TownRole(role)]);
    cells.insert(Cell::Account(account, Level::Everyone));
    // Administrators have no household content, not even what they wrote in an earlier role.
    if matches!(role, Role::Chief | Role::Supervisor) {
        cells.insert(Cell::Account(account, Level::Chiefs));
    }
    for grid in grids {
        cells.extend(levels.iter().map(|level| Cell::Grid(grid.clone(), *level)));
    }
    cells
}

/// The grids that a record names, over all siblings.
pub fn grids_of(record: &Record) -> BTreeSet<GridCode> {
    let texts = record.siblings("grid").iter().filter_map(|s| s.value.as_text());
    texts.filter_map(|text| text.parse().ok()).collect()
}

/// The accounts that stand in a register, over all siblings.
pub fn accounts<'a>(record: &'a Record, path: &str) -> impl Iterator<Item = AccountId> + use<'a> {
    record.siblings(path).iter().filter_map(|s| s.value.as_text()?.parse().ok())
}

/// The grids that a notice speaks to: without any, all of the town.
pub fn audience_grids(record: &Record, town: &BTreeSet<GridCode>) -> BTreeSet<GridCode> {
    let grids: BTreeSet<GridCode> = parsed(record, "grids");
    if grids.is_empty() { town.clone() } else { grids }
}

/// What stands in the lists of a register, over all siblings.
fn parsed<T: Ord + std::str::FromStr>(record: &Record, path: &str) -> BTreeSet<T> {
    let lists = record.siblings(path).iter().filter_map(|s| s.value.as_list());
    lists.flatten().filter_map(|v| v.as_text()?.parse().ok()).collect()
}

fn audience(record: &Record) -> BTreeSet<Cell> {
    let roles: BTreeSet<Role> = parsed(record, "roles");
    let grids: BTreeSet<GridCode> = parsed(record, "grids");
    if grids.is_empty() {
        return match roles.is_empty() {
            true => BTreeSet::from([Cell::Town(Level::Everyone)]),
            false => roles.into_iter().map(Cell::TownRole).collect(),
        };
    }
    let mut cells = BTreeSet::new();
    let level = match roles.first() {
        None | Some(Role::Volunteer) => Level::Everyone,
        Some(Role::Chief) => Level::Chiefs,
        Some(Role::Supervisor | Role::Admin) => Level::Supervisors,
    };
    if roles.iter().any(|role| *role != Role::Admin) || roles.is_empty() {
        cells.extend(grids.into_iter().map(|grid| Cell::Grid(grid, level)));
    }
    // Administrators have no grids.
    if roles.contains(&Role::Admin) {
        cells.insert(Cell::TownRole(Role::Admin));
    }
    cells
}
