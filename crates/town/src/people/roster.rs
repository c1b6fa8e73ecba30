//! Accounts from a table: `login, name, role, grids`, in English or Chinese. Pure: a table and what is
//! there give what is to be written, and for each bad row every reason.

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_exchange::{Reason, TableError, table};
use yaoguan_model::{AccountId, Env, GridCode, Role};

use super::acts::checked_name;
use super::limits::MAX_ROSTER_ROWS;
use super::{Account, Coverage, NewPerson, PeopleError, Person, PersonChange, checked_login};

/// Why the whole table cannot be used.
#[derive(Debug)]
pub enum RosterError {
    Table(TableError),
    /// None of its names stands in the header.
    NoColumn(&'static str),
    /// A column that accounts have no place for: it may not be recorded, so it may not come along.
    OddColumn(String),
    TooManyRows,
}

/// One thing that is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Of the cells as such.
    Cells(Reason),
    BadLogin(String),
    /// It stands in an earlier line too.
    LoginTwice(u64),
    BadName,
    UnknownRole(String),
    UnknownGrid(String),
    /// Volunteers and chiefs need a grid, admins have none, only supervisors have the whole town.
    Coverage(Role),
}

/// A row that is not written.
#[derive(Debug)]
pub struct BadRow {
    pub line: u64,
    pub problems: Vec<Problem>,
    pub cells: Vec<String>,
}

/// What a table asks for.
#[derive(Debug, Default)]
pub struct Roster {
    pub encoding: String,
    pub header: Vec<String>,
    pub new: Vec<NewPerson>,
    pub changes: Vec<PersonChange>,
    pub unchanged: usize,
    pub bad: Vec<BadRow>,
}

const COLUMNS: [(&str, &[&str]); 4] = [
    ("login", &["login", "账号", "登录名"]),
    ("name", &["name", "姓名"]),
    ("role", &["role", "角色"]),
    ("grids", &["grids", "grid", "网格", "网格编码", "网格编号"]),
];

const ROLES: [(Role, &[&str]); 4] = [
    (Role::Volunteer, &["volunteer", "志愿者"]),
    (Role::Chief, &["chief", "联防长"]),
    (Role::Supervisor, &["supervisor", "督导", "督导员"]),
    (Role::Admin, &["admin", "管理员"]),
];

/// Reads a table and compares it with the accounts that are there, by login.
pub fn read(
    bytes: &[u8],
    people: &[Person],
    grids: &BTreeSet<GridCode>,
    env: &dyn Env,
) -> Result<Roster, RosterError> {
    let sheet = table::plain(bytes).map_err(RosterError::Table)?;
    if sheet.rows.len() > MAX_ROSTER_ROWS {
        return Err(RosterError::TooManyRows);
    }
    let columns = columns(&sheet.header)?;
    let known = people.iter().filter_map(|p| Some((p.login.as_deref()?, p)));
    let known: BTreeMap<&str, &Person> = known.collect();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut roster = Roster { encoding: sheet.encoding, header: sheet.header, ..Roster::default() };
    for row in sheet.rows {
        let read = if row.broken.is_empty() {
            let cell = |at: usize| row.cells.get(at).map_or("", |cell| cell.trim());
            wanted(columns.map(cell), grids)
        } else {
            Err(row.broken.into_iter().map(Problem::Cells).collect())
        };
        let twice = |w: Wanted| match seen.insert(w.login.clone(), row.line) {
            Some(line) => Err(vec![Problem::LoginTwice(line)]),
            None => Ok(w),
        };
        match read.and_then(twice) {
            Ok(wanted) => roster.add(wanted, &known, env),
            Err(problems) => {
                roster.bad.push(BadRow { line: row.line, problems, cells: row.cells });
            }
        }
    }
    Ok(roster)
}

/// Where each of the four stands.
fn columns(header: &[String]) -> Result<[usize; 4], RosterError> {
    let name_of = |heading: &str| {
        let heading = heading.trim().to_lowercase();
        COLUMNS.iter().find(|(_, names)| names.contains(&heading.as_str())).map(|(name, _)| *name)
    };
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, heading) in header.iter().enumerate() {
        let name = name_of(heading).ok_or_else(|| RosterError::OddColumn(heading.clone()))?;
        if found.insert(name, at).is_some() {
            let column = heading.clone();
            return Err(RosterError::Table(TableError::ColumnTwice { column }));
        }
    }
    let mut columns = [0; 4];
    for (slot, (name, _)) in columns.iter_mut().zip(COLUMNS) {
        *slot = *found.get(name).ok_or(RosterError::NoColumn(name))?;
    }
    Ok(columns)
}

/// A sound row.
struct Wanted {
    login: String,
    name: String,
    role: Role,
    coverage: Coverage,
}

fn wanted(
    [login, name, role, grids]: [&str; 4],
    town: &BTreeSet<GridCode>,
) -> Result<Wanted, Vec<Problem>> {
    let mut problems = Vec::new();
    let login = checked_login(login).map_err(|_| Problem::BadLogin(login.to_owned()));
    let login = login.map_err(|problem| problems.push(problem)).ok();
    if checked_name(name).is_err() {
        problems.push(Problem::BadName);
    }
    let word = role.to_lowercase();
    let role_found = ROLES.iter().find(|(_, names)| names.contains(&word.as_str()));
    if role_found.is_none() {
        problems.push(Problem::UnknownRole(role.to_owned()));
    }
    let coverage = coverage(grids, town);
    let coverage =
        coverage.map_err(|unknown| problems.extend(unknown.into_iter().map(Problem::UnknownGrid)));
    let coverage = coverage.ok();
    if let (Some((role, _)), Some(coverage)) = (role_found, &coverage)
        && !coverage.fits(*role)
    {
        problems.push(Problem::Coverage(*role));
    }
    match (login, role_found, coverage, problems.is_empty()) {
        (Some(login), Some((role, _)), Some(coverage), true) => {
            Ok(Wanted { login, name: name.to_owned(), role: *role, coverage })
        }
        _ => Err(problems),
    }
}

/// `*`, or codes of grids and villages; a village stands for all its grids. What is not one of the
/// town's is given back.
pub fn coverage(text: &str, town: &BTreeSet<GridCode>) -> Result<Coverage, Vec<String>> {
    if text == "*" {
        return Ok(Coverage::WholeTown);
    }
    let between = |c: char| c.is_whitespace() || matches!(c, ';' | ',' | '；' | '，' | '、');
    let (mut grids, mut unknown) = (BTreeSet::new(), Vec::new());
    for code in text.split(between).filter(|code| !code.is_empty()) {
        let is_village = code.len() == 12;
        let meant = |grid: &&GridCode| match is_village {
            true => grid.as_str().starts_with(code),
            false => grid.as_str() == code,
        };
        let found: Vec<_> = town.iter().filter(meant).cloned().collect();
        if found.is_empty() {
            unknown.push(code.to_owned());
        }
        grids.extend(found);
    }
    if unknown.is_empty() { Ok(Coverage::Grids(grids)) } else { Err(unknown) }
}

impl Roster {
    fn add(&mut self, wanted: Wanted, known: &BTreeMap<&str, &Person>, env: &dyn Env) {
        let Wanted { login, name, role, coverage } = wanted;
        let Some(person) = known.get(login.as_str()) else {
            let id = AccountId(env.new_record_id().0);
            let (whole_town, grids) = coverage.into_parts();
            let account = Account { id, name, role, whole_town, grids, scope_version: 1 };
            self.new.push(NewPerson { account, login: Some(login) });
            return;
        };
        let account = &person.account;
        let change = PersonChange {
            account: account.id,
            login: None,
            name: (account.name != name).then_some(name),
            role: (account.role != role).then_some(role),
            coverage: (Coverage::of(account) != coverage).then_some(coverage),
        };
        if change.is_empty() {
            self.unchanged += 1;
        } else {
            self.changes.push(change);
        }
    }
}

impl From<RosterError> for PeopleError {
    fn from(error: RosterError) -> Self {
        Self::Roster(Box::new(error))
    }
}

#[cfg(test)]
mod tests;
