//! `POST /console/v1/admin/accounts/import`: accounts from a table. Without `write` it says what the table would
//! do; nothing is written until it is sent again with it.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use serde::{Deserialize, Serialize};
use yaoguan_exchange::TableError;
use yaoguan_wire::ErrorCode;

use super::super::App;
use super::super::error::ApiError;
use super::super::sent::{Sent, read};
use super::refused::refused;
use super::session::Admin;
use crate::people::roster::{self, BadRow, Problem, Roster, RosterError};
use crate::people::{Coverage, Person};

/// A table, and whether it is meant.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Import {
    /// CSV or XLSX, base64.
    file: String,
    #[serde(default)]
    write: bool,
    /// Write the good rows although others are bad.
    #[serde(default)]
    skip_bad: bool,
}

/// What the table does, or would do.
#[derive(Default, Serialize, utoipa::ToSchema)]
pub struct Plan {
    written: bool,
    encoding: String,
    added: Vec<Added>,
    changed: Vec<Changed>,
    unchanged: usize,
    bad: Vec<Bad>,
    /// Why the table cannot be used at all.
    table: Option<Trouble>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Added {
    login: String,
    name: String,
    role: &'static str,
    grids: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Changed {
    login: String,
    name: String,
    /// What becomes other than it is: `name`, `role`, `grids`.
    what: Vec<&'static str>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Bad {
    line: u64,
    cells: Vec<String>,
    troubles: Vec<Trouble>,
}

/// What is wrong: a word that the page has words for, and the value.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ImportTrouble)]
struct Trouble {
    code: &'static str,
    value: String,
}

/// Imports accounts.
#[utoipa::path(
    post,
    path = "/console/v1/admin/accounts/import",
    request_body = Import,
    responses((status = 200, body = Plan))
)]
pub async fn import(
    State(app): State<App>,
    Admin(session): Admin,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Json<Plan>, ApiError> {
    let Import { file, write, skip_bad } = read::<Import>(&app, &headers, &sent).await?.message;
    let bytes = B64.decode(file);
    let bytes = bytes.map_err(|_| ApiError::new(&headers, ErrorCode::BadRequest, "file"))?;
    let fail = |error| refused(&headers, error);
    let people = app.storage.people().await.map_err(fail)?;
    let grids = app.storage.grids().await.map_err(fail)?;
    let roster = match roster::read(&bytes, &people, &grids, app.env.as_ref()) {
        Ok(roster) => roster,
        Err(error) => {
            return Ok(Json(Plan { table: Some(of_table(&error)), ..Plan::default() }));
        }
    };
    let mut plan = Plan::of(&roster, &people);
    if write && (roster.bad.is_empty() || skip_bad) {
        let done = session.done(&app, "");
        app.storage.write_people(roster.new, roster.changes, done).await.map_err(fail)?;
        plan.written = true;
    }
    Ok(Json(plan))
}

impl Plan {
    fn of(roster: &Roster, people: &[Person]) -> Self {
        let grids = |coverage: Coverage| match coverage {
            Coverage::WholeTown => vec!["*".to_owned()],
            Coverage::Grids(grids) => grids.iter().map(|g| g.as_str().to_owned()).collect(),
        };
        let added = roster.new.iter().map(|new| Added {
            login: new.login.clone().unwrap_or_default(),
            name: new.account.name.clone(),
            role: new.account.role.as_str(),
            grids: grids(Coverage::of(&new.account)),
        });
        let changed = roster.changes.iter().filter_map(|change| {
            let person = people.iter().find(|person| person.account.id == change.account)?;
            let what = [
                ("name", change.name.is_some()),
                ("role", change.role.is_some()),
                ("grids", change.coverage.is_some()),
            ];
            Some(Changed {
                login: person.login.clone().unwrap_or_default(),
                name: change.name.clone().unwrap_or_else(|| person.account.name.clone()),
                what: what.into_iter().filter(|(_, is)| *is).map(|(word, _)| word).collect(),
            })
        });
        Self {
            written: false,
            encoding: roster.encoding.clone(),
            added: added.collect(),
            changed: changed.collect(),
            unchanged: roster.unchanged,
            bad: roster.bad.iter().map(bad).collect(),
            table: None,
        }
    }
}

fn bad(row: &BadRow) -> Bad {
    let troubles = row.problems.iter().map(|problem| {
        let (code, value) = match problem {
            Problem::Cells(reason) => ("cells", reason.value.clone()),
            Problem::BadLogin(login) => ("bad_login", login.clone()),
            Problem::LoginTwice(line) => ("login_twice", line.to_string()),
            Problem::BadName => ("bad_name", String::new()),
            Problem::UnknownRole(role) => ("unknown_role", role.clone()),
            Problem::UnknownGrid(grid) => ("no_grid", grid.clone()),
            Problem::Coverage(role) => ("coverage", role.as_str().to_owned()),
        };
        Trouble { code, value }
    });
    Bad { line: row.line, cells: row.cells.clone(), troubles: troubles.collect() }
}

fn of_table(error: &RosterError) -> Trouble {
    let (code, value) = match error {
        RosterError::NoColumn(column) => ("no_column", (*column).to_owned()),
        RosterError::OddColumn(column) => ("odd_column", column.clone()),
        RosterError::TooManyRows => ("too_many_rows", String::new()),
        RosterError::Table(TableError::Empty) => ("empty", String::new()),
        RosterError::Table(TableError::ColumnTwice { column }) => ("column_twice", column.clone()),
        RosterError::Table(error) => ("unreadable", error.to_string()),
    };
    Trouble { code, value }
}
