//! The demo town: the real villages of Yaoguan, and 91 grids, 910 chiefs, volunteers and supervisors
//! that are all invented. No name here is a person's.

pub mod activity;

use std::collections::BTreeSet;

use yaoguan_model::geodesy::boundary::Area;
use yaoguan_model::template::builtin;
use yaoguan_model::{AccountId, Change, Env, Kind, Position, Role};

use crate::audit::Attribution;
use crate::error::TownError;
use crate::grids::{self, NewGrid};
use crate::people::{Account, Coverage, NewPerson};
use crate::storage::{OwnWrite, Storage};

/// The login of a new town's administrator.
pub const ADMIN: &str = "admin";
const GRIDS: usize = 91;
const CHIEFS_PER_GRID: usize = 10;
const VOLUNTEERS_PER_VILLAGE: usize = 4;
/// The invented grids are laid out as a sheet of 13 by 7 around 24.6° N, 99.2° E.
const COLUMNS: usize = 13;
const SOUTH_WEST: (f64, f64) = (24.556, 99.122);
/// Side of a cell in degrees, about 1.3 km.
const SIDE: f64 = 0.0125;

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoTown {
    pub villages: usize,
    pub grids: usize,
    pub chiefs: usize,
    pub volunteers: usize,
    pub supervisors: usize,
}

/// The account that grids and templates are written by.
pub async fn add_admin(storage: &dyn Storage, env: &dyn Env) -> Result<AccountId, TownError> {
    let admin = person(env, ADMIN, "镇管理员", Role::Admin, Coverage::Grids(BTreeSet::new()));
    let id = admin.account.id;
    storage.write_people(vec![admin], Vec::new(), Attribution::town(env.now_s())).await?;
    Ok(id)
}

/// Publishes the built-in home-safety template.
pub async fn publish_template(
    storage: &dyn Storage,
    author: AccountId,
    env: &dyn Env,
) -> Result<(), TownError> {
    let registers = builtin::registers().map_err(|e| TownError::Corrupt(e.to_string()))?;
    let change = |value| Change { replaces: Vec::new(), value: Some(value) };
    let changes = registers.into_iter().map(|(path, value)| (path, change(value))).collect();
    let id = env.new_record_id();
    let write = OwnWrite { id, kind: Kind::Template, author, changes };
    storage.write_own(vec![write], Attribution::town(env.now_s())).await
}

/// Fills a new town with invented grids and people.
pub async fn fill(
    storage: &dyn Storage,
    admin: AccountId,
    env: &dyn Env,
) -> Result<DemoTown, TownError> {
    let villages = villages();
    let grids = invented_grids(&villages)?;
    let mut plan = grids::plan(storage, grids.clone(), admin, env).await?;
    plan.write(storage, Attribution::town(env.now_s())).await?;
    let mut people = Vec::new();
    for grid in &grids {
        for number in 1..=CHIEFS_PER_GRID {
            let name = format!("{} 联防长{number:02}", grid.name);
            let login = format!("chief-{}-{number:02}", short(grid.code.as_str()));
            let own = Coverage::Grids(BTreeSet::from([grid.code.clone()]));
            people.push(person(env, &login, &name, Role::Chief, own));
        }
    }
    let chiefs = people.len();
    for (code, name) in &villages {
        let of_village = grids.iter().filter(|grid| grid.village == *code);
        let own = Coverage::Grids(of_village.map(|grid| grid.code.clone()).collect());
        let short = short(code);
        for number in 1..=VOLUNTEERS_PER_VILLAGE {
            let name = format!("{name} 清平巡逻队{number:02}");
            let login = format!("volunteer-{short}-{number:02}");
            people.push(person(env, &login, &name, Role::Volunteer, own.clone()));
        }
        let (login, name) = (format!("supervisor-{short}"), format!("{name} 网格督导"));
        people.push(person(env, &login, &name, Role::Supervisor, own));
    }
    let name = "镇综治中心 督导";
    people.push(person(env, "supervisor", name, Role::Supervisor, Coverage::WholeTown));
    let (volunteers, supervisors) = (villages.len() * VOLUNTEERS_PER_VILLAGE, villages.len() + 1);
    storage.write_people(people, Vec::new(), Attribution::town(env.now_s())).await?;
    Ok(DemoTown { villages: villages.len(), grids: grids.len(), chiefs, volunteers, supervisors })
}

fn villages() -> Vec<(String, String)> {
    crate::villages::all().map(|(code, name)| (code.to_owned(), name.to_owned())).collect()
}

/// The part of a village's or grid's code that differs within the town.
fn short(code: &str) -> &str {
    code.get(9..).unwrap_or(code)
}

fn person(env: &dyn Env, login: &str, name: &str, role: Role, coverage: Coverage) -> NewPerson {
    let (whole_town, grids) = coverage.into_parts();
    let id = AccountId(env.new_record_id().0);
    let account = Account { id, name: name.to_owned(), role, whole_town, grids, scope_version: 1 };
    NewPerson { account, login: Some(login.to_owned()) }
}

/// Seven or eight grids a village, in the order of codes.
fn invented_grids(villages: &[(String, String)]) -> Result<Vec<NewGrid>, TownError> {
    let mut grids = Vec::with_capacity(GRIDS);
    for (number, (code, name)) in villages.iter().enumerate() {
        let share = GRIDS / villages.len() + usize::from(number < GRIDS % villages.len());
        for in_village in 1..=share {
            let text = format!("{code}{in_village:03}");
            let code_of_grid =
                text.parse().map_err(|e| TownError::Corrupt(format!("demo grid: {e}")))?;
            let (row, column) = (grids.len() / COLUMNS, grids.len() % COLUMNS);
            grids.push(NewGrid {
                code: code_of_grid,
                name: format!("{name}第{in_village}网格"),
                village: code.clone(),
                village_name: name.clone(),
                areas: vec![Area { outer: cell(row, column), holes: Vec::new() }],
                invented: true,
            });
        }
    }
    Ok(grids)
}

/// The corners of a cell, counter-clockwise and closed. Neighbours share their shifted corners, so that
/// the sheet has no gaps and looks less like one.
fn cell(row: usize, column: usize) -> Vec<Position> {
    let corners = [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)];
    corners.iter().filter_map(|(up, right)| corner(row + up, column + right)).collect()
}

fn corner(row: usize, column: usize) -> Option<Position> {
    let shift = |salt: usize| ((row * 31 + column * 17 + salt) % 11) as f64 / 11.0 - 0.5;
    let lat = SOUTH_WEST.0 + (row as f64 + shift(3) * 0.5) * SIDE;
    let lon = SOUTH_WEST.1 + (column as f64 + shift(7) * 0.5) * SIDE;
    Position::from_degrees(lat, lon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_villages_make_ninety_one_grids() {
        let villages = villages();
        let grids = invented_grids(&villages).unwrap();
        assert_eq!((villages.len(), grids.len()), (12, 91));
        let codes: BTreeSet<_> = grids.iter().map(|grid| grid.code.clone()).collect();
        assert_eq!(codes.len(), 91);
        assert_eq!(codes.first().unwrap().as_str(), "530521103201001");
    }

    #[test]
    fn every_cell_holds_its_own_centre_alone() {
        let grids = invented_grids(&villages()).unwrap();
        let mut boundaries = yaoguan_model::geodesy::Boundaries::new();
        for grid in &grids {
            boundaries.insert(grid.code.clone(), &grid.areas);
        }
        for (number, grid) in grids.iter().enumerate() {
            let (row, column) = (number / COLUMNS, number % COLUMNS);
            let lat = SOUTH_WEST.0 + (row as f64 + 0.5) * SIDE;
            let lon = SOUTH_WEST.1 + (column as f64 + 0.5) * SIDE;
            let found = boundaries.find(Position::from_degrees(lat, lon).unwrap());
            assert_eq!(found, Some(&grid.code));
        }
    }
}
