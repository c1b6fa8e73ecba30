//! Invented work in a demo town, so that a console has something to show: some weeks of patrols, reports and what
//! became of them, households and checks, tasks, conflicts, a lost phone.
//!
//! Everything is written as phones write it and judged as the town judges phones. One seed on one town at one
//! time gives the same records. No word in here is about a real person or place but the names of the villages.

mod crowd;
pub(crate) mod dice;
mod hazards;
mod places;
mod rounds;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::{AccountId, Env, GridCode, Kind, Record, RecordId, Role};
use yaoguan_wire::ErrorCode;

use crate::days::{DAY_S, day_began};
use crate::error::TownError;
use crate::people::Account;
use crate::storage::Storage;
use crowd::{Crowd, set};
use dice::Dice;
use places::Place;

/// The town's calendar is UTC+8.
/// Volunteers of a village that have a phone.
const VOLUNTEERS: usize = 2;
/// Days at the end in which two people write the same field.
const CONTESTED_DAYS: i64 = 4;
/// At most so many days are made up.
pub const MAX_DAYS: u32 = 366;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    pub seed: u64,
    pub days: u32,
}

/// What was made.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// Records by kind.
    pub records: BTreeMap<String, u64>,
    pub devices: usize,
}

/// Makes up `days` days that end now. Refuses on a town that is not a demo.
pub async fn fill(storage: &dyn Storage, env: &dyn Env, ask: Ask) -> Result<Made, TownError> {
    if !storage.info().await?.demo {
        return Err(TownError::Input("activity is made up for demo towns alone".to_owned()));
    }
    let now = env.now_s();
    let midnight = day_began(now);
    let days = i64::from(ask.days.min(MAX_DAYS));
    let first = midnight - (days - 1).max(0) * DAY_S;
    let dice = Dice::new(ask.seed);
    let places = storage.records(Kind::Grid).await?;
    let places = places.iter().filter_map(Place::of).map(|place| (place.code.clone(), place));
    let places: BTreeMap<GridCode, Place> = places.collect();
    let people = with_phones(storage.accounts().await?);
    let crowd = Crowd::enrol(storage, &dice, people, first - DAY_S).await?;
    let mut month = Month {
        chiefs: crowd.of_role(Role::Chief),
        crowd,
        places,
        now,
        households: BTreeMap::new(),
    };
    for day in 0..days {
        let begins = first + day * DAY_S;
        month.morning(begins, day)?;
        if days - day <= CONTESTED_DAYS {
            month.contest(begins)?;
        }
        month.afternoon(begins, day)?;
        month.crowd.deliver().await?;
    }
    month.tell_everybody()?;
    month.crowd.deliver().await?;
    month.lose_a_phone().await?;
    let devices = month.crowd.note_contacts().await?;
    let mut records = BTreeMap::new();
    for record in month.crowd.town.values() {
        *records.entry(record.kind.to_string()).or_default() += 1;
    }
    Ok(Made { records, devices })
}

/// The first chief of each grid, some volunteers of each village, all supervisors.
fn with_phones(mut accounts: Vec<Account>) -> Vec<Account> {
    accounts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut of_grids: BTreeMap<(Role, BTreeSet<GridCode>), usize> = BTreeMap::new();
    accounts.retain(|account| {
        let most = match account.role {
            Role::Chief | Role::Supervisor => 1,
            Role::Volunteer => VOLUNTEERS,
            Role::Admin => 0,
        };
        let count = of_grids.entry((account.role, account.grids.clone())).or_default();
        *count += 1;
        *count <= most
    });
    accounts
}

struct Month<'a> {
    crowd: Crowd<'a>,
    places: BTreeMap<GridCode, Place>,
    chiefs: Vec<Account>,
    households: BTreeMap<GridCode, Vec<RecordId>>,
    now: i64,
}

impl Month<'_> {
    /// Who is out on a day, with a time for each, in order. A seventh of the grids is seldom seen.
    fn out(&self, begins: i64, day: i64) -> Vec<(i64, Account)> {
        let dice = self.crowd.dice;
        let mut out = Vec::new();
        for (number, chief) in (0_i64..).zip(&self.chiefs) {
            let rare = number % 7 == 3;
            let owes = !self
                .crowd
                .find(&Kind::Hazard, &chief.grids, &["assigned", "rectifying"])
                .is_empty();
            if (number + day) % 6 == 0 && !rare || owes && dice.chance(30) {
                out.push((begins + dice.between(7 * 3600, 16 * 3600), chief.clone()));
            }
        }
        for volunteer in self.crowd.of_role(Role::Volunteer) {
            if dice.chance(45) {
                out.push((begins + dice.between(7 * 3600, 16 * 3600), volunteer));
            }
        }
        out.retain(|(at, _)| *at < self.now);
        out.sort_by_key(|(at, account)| (*at, account.name.clone()));
        out
    }

    /// The people in the grids: patrols, reports, visits, what was given to them.
    fn morning(&mut self, begins: i64, day: i64) -> Result<(), TownError> {
        for (at, account) in self.out(begins, day) {
            self.crowd.dice.set_now(at);
            let codes: Vec<&GridCode> = account.grids.iter().collect();
            let code = self.crowd.dice.pick(&codes).cloned();
            let Some(place) = code.and_then(|code| self.places.get(&code)) else { continue };
            let chief = account.role == Role::Chief;
            let team = if chief {
                "chief"
            } else {
                self.crowd.dice.word(&["qingping", "qingping", "anti_risk"])
            };
            let patrol = match self.crowd.dice.chance(75) {
                true => Some(rounds::patrol(&mut self.crowd, &account, place, team)?),
                false => None,
            };
            for _ in 0..self.crowd.dice.between(0, 3) {
                hazards::report(&mut self.crowd, account.id, place, (patrol, None))?;
            }
            if chief {
                let known = self.households.entry(place.code.clone()).or_default();
                visits(&mut self.crowd, &account, place, known)?;
                hazards::work(&mut self.crowd, &account)?;
                rounds::tasks(&mut self.crowd, &account)?;
            }
            self.crowd.push(account.id, at, None)?;
        }
        Ok(())
    }

    /// The supervisors: review, hand out, close, give tasks.
    fn afternoon(&mut self, begins: i64, day: i64) -> Result<(), TownError> {
        for person in self.crowd.of_role(Role::Supervisor).into_iter().filter(|p| !p.whole_town) {
            let at = begins + self.crowd.dice.between(16 * 3600, 18 * 3600);
            if at >= self.now {
                continue;
            }
            self.crowd.dice.set_now(at);
            let chiefs = self.chiefs.clone();
            hazards::review(&mut self.crowd, &person, &|record| chief_of(&chiefs, record))?;
            let codes: Vec<&GridCode> = person.grids.iter().collect();
            let place = self.crowd.dice.pick(&codes).and_then(|code| self.places.get(code));
            if let Some(place) = place.filter(|_| self.crowd.dice.chance(55)) {
                let households = self.households.get(&place.code).cloned().unwrap_or_default();
                let about = self.crowd.dice.pick(&households);
                let chief = chiefs.iter().find(|c| c.grids.contains(&place.code)).map(|c| c.id);
                rounds::give_task(&mut self.crowd, &person, place, chief, about)?;
            }
            if day % 14 == 5 && self.crowd.dice.chance(30) {
                rounds::notice(&mut self.crowd, &person)?;
            }
            self.crowd.push(person.id, at, None)?;
        }
        Ok(())
    }

    /// The supervisor of the whole town has given out a notice that still holds.
    fn tell_everybody(&mut self) -> Result<(), TownError> {
        let at = self.now - 3600;
        self.crowd.dice.set_now(at);
        let people = self.crowd.of_role(Role::Supervisor);
        if let Some(person) = people.into_iter().find(|person| person.whole_town) {
            rounds::notice(&mut self.crowd, &person)?;
            self.crowd.push(person.id, at, None)?;
        }
        Ok(())
    }

    /// Two people write the same thing without having heard of each other.
    fn contest(&mut self, begins: i64) -> Result<(), TownError> {
        let at = begins + 15 * 3600;
        if at >= self.now {
            return Ok(());
        }
        self.crowd.dice.set_now(at);
        for _ in 0..4 {
            let chiefs: Vec<usize> = (0..self.chiefs.len()).collect();
            let chief = self.crowd.dice.pick(&chiefs).and_then(|n| self.chiefs.get(n)).cloned();
            let Some(chief) = chief else { continue };
            let open = self.crowd.find(&Kind::Hazard, &chief.grids, &["reported"]);
            let Some(id) = self.crowd.dice.pick(&open) else { continue };
            let supervisors = self.crowd.of_role(Role::Supervisor);
            let mut over = supervisors.iter().filter(|s| s.grids.is_superset(&chief.grids));
            let Some(supervisor) = over.next().map(|s| s.id) else { continue };
            let title =
                self.crowd.town.get(&id).and_then(|r| r.shown_text("title")).unwrap_or_default();
            let (one, other) = (format!("{title}，已设警示"), format!("{title}（需尽快处理）"));
            self.crowd.save(chief.id, id, vec![set("title", one)])?;
            let more = vec![set("title", other)];
            self.crowd.step(supervisor, id, "verified", "", more)?;
            self.crowd.push(chief.id, at, None)?;
            self.crowd.push(supervisor, at + 60, None)?;
        }
        Ok(())
    }

    /// A phone is struck off while it still had reports: they are held.
    async fn lose_a_phone(&mut self) -> Result<(), TownError> {
        let Some(chief) = self.chiefs.first().cloned() else { return Ok(()) };
        let Some(place) = chief.grids.first().and_then(|code| self.places.get(code)) else {
            return Ok(());
        };
        self.crowd.dice.set_now(self.now - 3600);
        for _ in 0..3 {
            hazards::report(&mut self.crowd, chief.id, place, (None, None))?;
        }
        self.crowd.revoke(chief.id, self.now - 1800).await?;
        self.crowd.push(chief.id, self.now - 600, Some(ErrorCode::DeviceRevoked))?;
        self.crowd.deliver().await
    }
}

fn chief_of(chiefs: &[Account], record: &Record) -> Option<AccountId> {
    let grid: GridCode = record.shown_text("grid")?.parse().ok()?;
    chiefs.iter().find(|chief| chief.grids.contains(&grid)).map(|chief| chief.id)
}

/// New households until a grid has its number, then checks of those that are known.
fn visits(
    crowd: &mut Crowd<'_>,
    chief: &Account,
    place: &Place,
    known: &mut Vec<RecordId>,
) -> Result<(), TownError> {
    for _ in 0..crowd.dice.between(1, 4) {
        let household = match known.len() < rounds::HOUSEHOLDS {
            true => {
                let id = rounds::household(crowd, chief.id, place)?;
                known.push(id);
                Some(id)
            }
            false => crowd.dice.pick(known),
        };
        let Some(household) = household else { continue };
        rounds::check(crowd, chief.id, household)?;
        if crowd.dice.chance(7) {
            hazards::report(crowd, chief.id, place, (None, Some(household)))?;
        }
    }
    Ok(())
}
