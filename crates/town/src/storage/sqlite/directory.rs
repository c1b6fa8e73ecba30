//! A page of the accounts, as the console lists them.

use yaoguan_model::AccountId;

use super::super::people::{PEOPLE_PAGE, PeopleAsk, PeoplePage};
use super::{id16, people};
use crate::error::TownError;
use crate::storage::sql::{Connection, named_params};

pub(super) fn page(connection: &Connection, ask: &PeopleAsk) -> Result<PeoplePage, TownError> {
    let mut statement = connection.prepare_cached(include_str!("directory.sql"))?;
    let rows = statement.query_map(
        named_params! {
            ":words": ask.words.to_lowercase(),
            ":role": ask.role.map_or("", |role| role.as_str()),
            ":village": ask.village,
            ":after": ask.after.as_ref().map(AccountId::as_bytes),
            ":limit": PEOPLE_PAGE + 1,
        },
        |row| Ok((AccountId::from_bytes(id16(row, "id")?), row.get::<_, u64>("total")?)),
    )?;
    let found: Vec<(AccountId, u64)> = rows.collect::<Result<_, _>>()?;
    let total = found.first().map_or(0, |(_, total)| *total);
    let shown = found.iter().take(PEOPLE_PAGE as usize);
    let people: Result<Vec<_>, TownError> =
        shown.map(|(id, _)| people::somebody(connection, *id)).collect();
    Ok(PeoplePage { people: people?, total, more: found.len() > PEOPLE_PAGE as usize })
}
