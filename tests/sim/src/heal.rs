//! The end of a run: faults are over, everybody syncs, and all must come together.

use std::collections::{BTreeMap, BTreeSet};

use crate::checker::{Found, Place, Sort, State, Violation, doubled};
use crate::world::{World, broken, works};

/// Rounds in which everybody syncs once, the office decides, and nothing may be left to do.
const ROUNDS: usize = 14;

impl World {
    /// Everything is whole again: disks, clocks, lines.
    fn calm_down(&mut self) -> Result<(), Violation> {
        self.calm = true;
        self.town.disk.revive();
        works(self.town.restart(None), "the town starts again");
        self.deliver_late()?;
        for who in 0..self.devices.len() {
            let device = &mut self.devices[who];
            device.kill();
            device.end = None;
            device.env.mend_clock();
            device.offline_until_ms = 0;
            self.start(who)?;
            self.look_at(who)?;
        }
        Ok(())
    }

    pub fn end(&mut self) -> Vec<Violation> {
        let ended = self
            .calm_down()
            .and_then(|()| if self.setting.heals { self.come_together() } else { Ok(Vec::new()) });
        let mut found = match ended {
            Ok(found) => found,
            Err(violation) => return vec![violation],
        };
        match self.last_look() {
            Ok(more) => found.extend(more),
            Err(violation) => found.push(violation),
        }
        found
    }

    fn come_together(&mut self) -> Result<Vec<Violation>, Violation> {
        for round in 0..ROUNDS {
            let mut moved = 0;
            for who in 0..self.devices.len() {
                // Weekly comparisons and daily roots come due.
                self.time.reach(self.time.now_ms() + 26 * 3_600_000);
                let said = self.sync(who, 0)?;
                self.trace.say(format!("end {round} {who}: {said}"));
                moved += usize::from(!is_quiet(&said));
                if said.starts_with("Transport Refused") {
                    self.enrol_again(who)?;
                }
                self.mend(who)?;
                self.look_at(who)?;
            }
            let taken = self.take_recovered();
            self.trace.say(format!("end {round}: {taken}"));
            while self.release(&mut yaoguan_testkit::dice::Dice::new(0)) == "released" {}
            if round > 2 && moved == 0 {
                break;
            }
        }
        self.compare()
    }

    /// Every phone has what the town has.
    fn compare(&mut self) -> Result<Vec<Violation>, Violation> {
        let diverged = |what: String| Violation { sort: Sort::Diverged, what };
        let mut found = Vec::new();
        let mut states = BTreeMap::new();
        for (id, body) in works(self.town.bodies(), "the town is read") {
            let found = Found { place: Place::Town, body: body.clone(), base: None };
            let state = self.checker.observe(&found)?;
            states.insert(
                id.replace('-', ""),
                (state, yaoguan_model::canonical::hash(&body).to_vec()),
            );
        }
        let mut by_account: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
        for who in 0..self.devices.len() {
            let (held, unsent) =
                self.devices[who].holdings().map_err(|error| broken(format!("{error}")))?;
            for id in &unsent {
                found.push(diverged(format!("phone {who} still has {id} unsent")));
            }
            for (id, hash) in &held {
                match states.get(id) {
                    None => found.push(diverged(format!("phone {who} has {id}, the town has not"))),
                    Some((state, at_town)) if at_town != hash && !unsent.contains(id) => {
                        found.push(diverged(format!(
                            "phone {who} has another {id} ({})",
                            state.kind
                        )));
                    }
                    Some(_) => {}
                }
            }
            let ids: BTreeSet<String> = held.into_keys().collect();
            found.extend(self.missing(who, &ids, &states).into_iter().map(diverged));
            let account = self.devices[who].account.to_string();
            let first = by_account.entry(account).or_insert_with(|| (who, ids.clone()));
            if first.1 != ids {
                let odd: Vec<_> = first.1.symmetric_difference(&ids).collect();
                found
                    .push(diverged(format!("phones {} and {who} of one person: {odd:?}", first.0)));
            }
        }
        found.extend(doubled(states.values().map(|(state, _)| state)));
        Ok(found)
    }

    /// What a phone must have and has not, by the few rules of scope that need no code of the product: a
    /// supervisor of the town has everything, a grid's people have its hazards.
    fn missing(
        &self,
        who: usize,
        held: &BTreeSet<String>,
        states: &BTreeMap<String, (State, Vec<u8>)>,
    ) -> Vec<String> {
        let identity =
            self.devices[who].phone.as_ref().and_then(|p| p.store().identity().ok().flatten());
        let Some(identity) = identity else { return vec![format!("phone {who} has no identity")] };
        let grids: BTreeSet<String> =
            identity.grids.iter().map(|grid| format!("\"{}\"", grid.as_str())).collect();
        let chief = identity.role.as_str() == "chief";
        let mut missing = Vec::new();
        for (id, (state, _)) in states.iter().filter(|(id, _)| !held.contains(*id)) {
            let kind = state.kind.as_str();
            let own = state.values("grid").iter().any(|grid| grids.contains(*grid));
            let must = match kind {
                "grid" => true,
                "hazard" => own || who == 0,
                "household" => (own && chief) || who == 0,
                // It stands where its household stands; where that was lost with a disk, its author alone has it.
                "household_check" => {
                    let household = |text: &&str| text.replace(['"', '-'], "");
                    let homes = state.values("household");
                    who == 0 && homes.iter().any(|home| states.contains_key(&household(home)))
                }
                _ => who == 0,
            };
            if must {
                missing.push(format!("phone {who} lacks the {kind} {id}"));
            }
        }
        missing
    }

    /// Safety, in every run: the stores are sound, and what was saved is somewhere.
    fn last_look(&mut self) -> Result<Vec<Violation>, Violation> {
        let mut found = Vec::new();
        let unsound = |what: String| Violation { sort: Sort::Unsound, what };
        self.look_at_town()?;
        let (mut there, mut apart) = self.words_left()?;
        for who in 0..self.devices.len() {
            self.look_at(who)?;
            let device = &self.devices[who];
            let Some(phone) = &device.phone else { continue };
            let findings =
                phone.verify().map_err(|error| broken(format!("phone {who}: {error}")))?;
            found.extend(findings.iter().map(|f| unsound(format!("phone {who}: {f:?}"))));
            let words = device.words().map_err(|error| broken(format!("{error}")))?;
            apart.extend(words.set_aside);
            if !self.setting.heals {
                there.extend(words.on_records);
                apart.extend(words.apart);
            }
        }
        let storage = self.town.storage();
        let verified = works(self.town.run(storage.verify()), "the town is verified");
        found.extend(verified.findings.iter().map(|f| unsound(format!("town: {f:?}"))));
        found.extend(self.checker.account(&there, &apart));
        Ok(found)
    }
}

/// A sync that neither brought nor took anything.
fn is_quiet(said: &str) -> bool {
    said.starts_with("sent 0 received 0 refused 0 held 0 recovered 0 evicted 0")
}
