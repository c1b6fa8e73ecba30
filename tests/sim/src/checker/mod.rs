//! The full history of a run, and whether what is found anywhere agrees with it. Shares no code with the
//! product: plain maps, and a few lines of version-vector logic of its own.
//!
//! A save writes words that no other save writes, and notes which words were in view where it wrote. So:
//!
//! - wherever a record's context covers a save, its words stand there, or words that replaced them do;
//! - where a save is covered, what it replaced is gone, for good;
//! - a dot stands for one save of one record, whoever shows it. Of a replica that may have a twin (a phone that was
//!   cloned with its marker, or put back) this holds of what the town confirmed: until the push chain parts them,
//!   two phones write under the same dots, which nobody else ever sees;
//! - a word stands in one record;
//! - in the end each acknowledged word stands at the town, was replaced by one that had it in view, or is kept
//!   apart with its reason.

mod state;

use std::collections::{BTreeMap, BTreeSet};

pub use state::{Dot, State, token_of, tokens_in};

/// A word, or none for a removal, and what stood there in view.
pub type Wrote = (Option<String>, BTreeSet<(String, Dot)>);

/// Where a state was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Town,
    Phone(usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Town => f.write_str("town"),
            Self::Phone(who) => write!(f, "phone {who}"),
        }
    }
}

/// A state as it was found.
#[derive(Debug)]
pub struct Found {
    pub place: Place,
    pub body: Vec<u8>,
    /// Of a record that waits on a phone: what the town confirmed of it; empty: nothing yet.
    pub base: Option<Vec<u8>>,
}

/// A dot, and the phone whose it is as long as the town has not confirmed it and there may be a twin.
type Key = (Dot, Option<usize>);

/// A state, where it stands, and what of its context the town confirmed.
struct Sight {
    place: Place,
    state: State,
    confirmed: BTreeMap<String, u64>,
}

impl Sight {
    fn is_confirmed(&self, (replica, counter): &Dot) -> bool {
        self.confirmed.get(replica).is_some_and(|seen| seen >= counter)
    }
}

/// One save that a person made.
#[derive(Debug, Clone)]
pub struct Save {
    pub record: String,
    /// What it wrote: a word, or none for a removal, and the words in view there.
    pub wrote: Vec<Wrote>,
    /// What was in view are the very siblings that it dropped. A draft that outlives a new replica id drops
    /// fewer: the unconfirmed ones are written again.
    pub exact: bool,
    /// The phone said that it is saved. Else nobody knows: it may be there.
    pub acknowledged: bool,
}

/// What a violation is, for the last line of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Lost,
    Doubled,
    Diverged,
    /// A rule of the stores themselves.
    Unsound,
}

#[derive(Debug, Clone)]
pub struct Violation {
    pub sort: Sort,
    pub what: String,
}

fn violation<T>(sort: Sort, what: String) -> Result<T, Violation> {
    Err(Violation { sort, what })
}

#[derive(Debug, Default)]
pub struct Checker {
    saves: Vec<Save>,
    /// Word → its save.
    by_token: BTreeMap<String, usize>,
    /// Words of a record.
    of_record: BTreeMap<String, BTreeSet<String>>,
    /// Word → what replaced it: a word, or a removal.
    replaced_by: BTreeMap<String, Vec<Option<String>>>,
    /// Under which dots a word was seen, and under which one first: that of its save.
    dots: BTreeMap<String, BTreeSet<Key>>,
    first: BTreeMap<String, Key>,
    /// A word under a dot → the words that dropped exactly that.
    dropped_by: BTreeMap<(String, Dot), Vec<String>>,
    /// What was seen of a dot: its record, and what it wrote on which path.
    seen: BTreeMap<Key, (String, BTreeMap<String, String>)>,
    /// Dots that the town confirmed somewhere.
    confirmed: BTreeSet<Dot>,
    /// Replicas that may have a twin.
    shared: BTreeSet<String>,
    /// Words whose last copy went with a phone or town that was put back from before.
    gone: BTreeSet<String>,
    pub acknowledged: usize,
}

impl Checker {
    pub fn note(&mut self, save: Save) {
        let index = self.saves.len();
        self.acknowledged += usize::from(save.acknowledged);
        for (token, replaced) in &save.wrote {
            for (old, dot) in replaced {
                self.replaced_by.entry(old.clone()).or_default().push(token.clone());
                if let (Some(token), true) = (token, save.exact) {
                    let dropped = self.dropped_by.entry((old.clone(), dot.clone())).or_default();
                    dropped.push(token.clone());
                }
            }
            if let Some(token) = token {
                self.by_token.insert(token.clone(), index);
                self.of_record.entry(save.record.clone()).or_default().insert(token.clone());
            }
        }
        self.saves.push(save);
    }

    /// From now on this replica may have a twin, or write dots again that never left a phone that was put back
    /// (`again`). Every phone is to be looked at anew.
    pub fn share(&mut self, replica: &str, again: Option<usize>) {
        self.shared.insert(replica.to_owned());
        let confirmed = &self.confirmed;
        let stays = |(dot, own): &Key| match own {
            None => dot.0 != replica || confirmed.contains(dot),
            Some(who) => again != Some(*who),
        };
        self.seen.retain(|key, _| stays(key));
        self.first.retain(|_, key| stays(key));
        self.dots.values_mut().for_each(|keys| keys.retain(stays));
    }

    fn key(&self, sight: &Sight, dot: &Dot) -> Key {
        let own = match sight.place {
            Place::Phone(who) if self.shared.contains(&dot.0) && !sight.is_confirmed(dot) => {
                Some(who)
            }
            Place::Phone(_) | Place::Town => None,
        };
        (dot.clone(), own)
    }

    fn covers(&self, sight: &Sight, (dot, own): &Key) -> bool {
        match own {
            None if self.shared.contains(&dot.0) => sight.is_confirmed(dot),
            None => sight.state.covers(dot),
            Some(who) => {
                let is_here = sight.place == Place::Phone(*who);
                is_here && sight.state.covers(dot) && !sight.is_confirmed(dot)
            }
        }
    }

    /// A state that was found somewhere.
    pub fn observe(&mut self, found: &Found) -> Result<State, Violation> {
        let place = found.place;
        let base = match &found.base {
            Some(base) if base.is_empty() => Some(Ok(State::default())),
            Some(base) => Some(State::parse(base)),
            None => None,
        };
        let (state, base) = match (State::parse(&found.body), base.transpose()) {
            (Ok(state), Ok(base)) => (state, base),
            (Err(error), _) | (_, Err(error)) => {
                return violation(Sort::Unsound, format!("{place}: {error}"));
            }
        };
        let confirmed = base.map_or_else(|| state.context.clone(), |base| base.context);
        let sight = Sight { place, state, confirmed };
        self.one_dot_is_one_save(&sight)?;
        self.words_stand_in_their_record(&sight)?;
        self.nothing_is_missing(&sight)?;
        self.nothing_came_back(&sight)?;
        Ok(sight.state)
    }

    fn one_dot_is_one_save(&mut self, sight: &Sight) -> Result<(), Violation> {
        let Sight { place, state, .. } = sight;
        for (dot, written) in &state.writes {
            if !state.covers(dot) {
                let what = format!("{place}: {dot:?} of {} is not covered", state.record);
                return violation(Sort::Unsound, what);
            }
            if sight.is_confirmed(dot) {
                self.confirmed.insert(dot.clone());
            }
            let key = self.key(sight, dot);
            let known =
                self.seen.entry(key).or_insert_with(|| (state.record.clone(), BTreeMap::new()));
            if known.0 != state.record {
                let what = format!("{place}: {dot:?} stands in {} and {}", known.0, state.record);
                return violation(Sort::Lost, what);
            }
            for (path, value) in written {
                let before = known.1.entry(path.clone()).or_insert_with(|| value.clone());
                if before != value {
                    let what = format!("{place}: {dot:?} stands for {before} and {value}");
                    return violation(Sort::Lost, what);
                }
            }
        }
        Ok(())
    }

    fn words_stand_in_their_record(&mut self, sight: &Sight) -> Result<(), Violation> {
        let Sight { place, state, .. } = sight;
        for (token, dots) in &state.tokens {
            let keys: Vec<Key> = dots.iter().map(|dot| self.key(sight, dot)).collect();
            if let Some(key) = keys.first() {
                self.first.entry(token.clone()).or_insert_with(|| key.clone());
            }
            self.dots.entry(token.clone()).or_default().extend(keys);
            let save = self.by_token.get(token).and_then(|index| self.saves.get(*index));
            match save {
                None => {
                    let what = format!("{place}: {token} in {} was never written", state.record);
                    return violation(Sort::Unsound, what);
                }
                Some(save) if save.record != state.record => {
                    let what =
                        format!("{place}: {token} of {} stands in {}", save.record, state.record);
                    return violation(Sort::Doubled, what);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Where a save is covered, what it dropped does not stand under the same dot.
    fn nothing_came_back(&self, sight: &Sight) -> Result<(), Violation> {
        let Sight { place, state, .. } = sight;
        for (token, dots) in &state.tokens {
            for dot in dots {
                let key = (token.clone(), dot.clone());
                let dropped = self.dropped_by.get(&key).map(Vec::as_slice).unwrap_or_default();
                let by = dropped
                    .iter()
                    .find(|by| self.first.get(*by).is_some_and(|key| self.covers(sight, key)));
                if let Some(by) = by {
                    let what = format!(
                        "{place}: {token} of {} is back, which {by} replaced",
                        state.record
                    );
                    return violation(Sort::Lost, what);
                }
            }
        }
        Ok(())
    }

    /// What the context covers stands here, or what replaced it.
    fn nothing_is_missing(&self, sight: &Sight) -> Result<(), Violation> {
        let Sight { place, state, .. } = sight;
        let Some(tokens) = self.of_record.get(&state.record) else { return Ok(()) };
        for token in tokens {
            if state.tokens.contains_key(token) || !self.is_covered(sight, token) {
                continue;
            }
            if !self.is_replaced(token, &|token| {
                state.tokens.contains_key(token) || self.is_covered(sight, token)
            }) {
                let dots = self.dots.get(token);
                let what = format!(
                    "{place}: {token} of {} is covered and gone ({dots:?} within {:?})",
                    state.record, state.context
                );
                return violation(Sort::Lost, what);
            }
        }
        Ok(())
    }

    fn is_covered(&self, sight: &Sight, token: &str) -> bool {
        self.dots.get(token).is_some_and(|keys| keys.iter().any(|key| self.covers(sight, key)))
    }

    /// True when something replaced this word that is there itself, as `there` says, or was a removal, or was
    /// itself replaced so: several saves that wait are written again as one, under a new replica id, and those
    /// between are then nowhere.
    fn is_replaced(&self, token: &str, there: &dyn Fn(&str) -> bool) -> bool {
        let (mut left, mut asked) = (vec![token], BTreeSet::new());
        while let Some(token) = left.pop() {
            for later in self.replaced_by.get(token).map(Vec::as_slice).unwrap_or_default() {
                match later.as_deref() {
                    Some(later) if !there(later) => {
                        if asked.insert(later) {
                            left.push(later);
                        }
                    }
                    Some(_) | None => return true,
                }
            }
        }
        false
    }

    /// Something was put back from before: of what stands nowhere any more nobody can give account.
    pub fn disaster(&mut self, left: &BTreeSet<String>) -> usize {
        let before = self.gone.len();
        self.gone.extend(self.by_token.keys().filter(|token| !left.contains(*token)).cloned());
        self.gone.len() - before
    }

    /// The end: what people were told is saved is at the town (`there`), replaced, or kept apart.
    pub fn account(&self, there: &BTreeSet<String>, apart: &BTreeSet<String>) -> Vec<Violation> {
        let mut accounted: BTreeMap<&str, bool> = BTreeMap::new();
        // Later saves first: what replaces stands behind what it replaced.
        for (token, _) in self.in_order().into_iter().rev() {
            let replaced =
                self.is_replaced(token, &|later| accounted.get(later).copied().unwrap_or_default());
            let is = there.contains(token)
                || apart.contains(token)
                || self.gone.contains(token)
                || replaced;
            accounted.insert(token, is);
        }
        let mut lost = Vec::new();
        for (token, index) in self.in_order() {
            let Some(save) = self.saves.get(index) else { continue };
            if save.acknowledged && !accounted.get(token).copied().unwrap_or_default() {
                let what = format!("{token} of {} was saved and is nowhere", save.record);
                lost.push(Violation { sort: Sort::Lost, what });
            }
        }
        lost
    }

    fn in_order(&self) -> Vec<(&str, usize)> {
        let mut all: Vec<(&str, usize)> =
            self.by_token.iter().map(|(token, index)| (token.as_str(), *index)).collect();
        all.sort_by_key(|(_, index)| *index);
        all
    }
}

/// Words that stand in two records.
pub fn doubled<'a>(states: impl Iterator<Item = &'a State>) -> Vec<Violation> {
    let mut at: BTreeMap<&str, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for state in states {
        for token in state.tokens.keys() {
            let first = at.entry(token).or_insert(&state.record);
            if *first != state.record {
                let what = format!("{token} stands in {first} and {}", state.record);
                found.push(Violation { sort: Sort::Doubled, what });
            }
        }
    }
    found
}
