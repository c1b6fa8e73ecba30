//! The oracle: the full history of a run, in explicit sets. No code of `model` or `sync` in here.
//!
//! A save is an event; for each path it says which value it wrote and which events it replaced (they
//! were in view when the form was opened). What a replica shows of a path are the events that it knows,
//! that wrote a value there, and that no event it knows has replaced. There is nothing else to it.

use crate::events::{Events, MOST};

/// The fields of a record in a run, and behind them the register of deletion.
pub const FIELDS: usize = 4;
pub const DELETED: usize = FIELDS;
pub const PATHS: usize = FIELDS + 1;

#[derive(Debug, Clone)]
pub struct Effect {
    pub path: usize,
    /// None for a removal. For a deletion the number means nothing.
    pub value: Option<i64>,
    pub replaced: Events,
}

#[derive(Debug, Clone)]
pub struct Event {
    /// The line of writes (replica) that it belongs to.
    pub line: u32,
    pub effects: Vec<Effect>,
    /// What a deletion had in view: all events of the record.
    pub seen: Events,
    /// A deletion put again together with one that had seen other saves: a context cannot say both, so
    /// the record may stand as contested where it need not. Never the other way round.
    pub cautious: bool,
}

/// How a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Live,
    Deleted,
    Contested,
}

/// A record at some replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    pub known: Events,
    /// The events that are accounted for here: known, or put again by one that is known.
    pub accounted: Events,
}

impl State {
    pub fn or(&self, other: &Self) -> Self {
        Self { known: self.known.or(&other.known), accounted: self.accounted.or(&other.accounted) }
    }

    pub fn learn(&mut self, event: usize) {
        self.known.insert(event);
        self.accounted.insert(event);
    }
}

/// What one state changed on another: per path the events gone and the events come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Diff {
    pub removed: [Events; PATHS],
    pub added: [Events; PATHS],
}

#[derive(Debug, Clone, Default)]
pub struct History {
    pub events: Vec<Event>,
    /// Events that were put again with nothing left of them: what they wrote had been replaced since by
    /// their own writer, before anyone else saw it.
    pub came_to_nothing: Events,
}

impl History {
    /// True when a run has to end because its sets are full.
    pub fn is_full(&self) -> bool {
        self.events.len() + 40 > MOST
    }

    pub fn add(&mut self, event: Event) -> usize {
        self.events.push(event);
        self.events.len() - 1
    }

    /// The siblings of every path.
    pub fn view(&self, known: &Events) -> [Events; PATHS] {
        let (mut written, mut replaced) = ([Events::default(); PATHS], [Events::default(); PATHS]);
        for event in known.iter() {
            for effect in &self.events[event].effects {
                if effect.value.is_some() {
                    written[effect.path].insert(event);
                }
                replaced[effect.path] = replaced[effect.path].or(&effect.replaced);
            }
        }
        std::array::from_fn(|path| written[path].minus(&replaced[path]))
    }

    /// The value that an event wrote on a path.
    pub fn value(&self, event: usize, path: usize) -> i64 {
        let effects = &self.events[event].effects;
        effects.iter().find(|e| e.path == path).and_then(|e| e.value).expect("a value was written")
    }

    pub fn standing(&self, view: &[Events; PATHS]) -> Standing {
        if view[DELETED].is_empty() {
            return Standing::Live;
        }
        let content = view[..FIELDS].iter().fold(Events::default(), |all, path| all.or(path));
        match view[DELETED].iter().any(|deletion| content.within(&self.events[deletion].seen)) {
            true => Standing::Deleted,
            false => Standing::Contested,
        }
    }

    pub fn diff(&self, base: Option<&State>, now: &State) -> Diff {
        let old = base.map_or([Events::default(); PATHS], |base| self.view(&base.known));
        let new = self.view(&now.known);
        Diff {
            removed: std::array::from_fn(|path| old[path].minus(&new[path])),
            added: std::array::from_fn(|path| new[path].minus(&old[path])),
        }
    }

    /// Takes note of events whose changes are empty.
    pub fn nothing_left(&mut self, diff: &Diff, events: &Events) {
        if diff.is_empty() {
            self.came_to_nothing = self.came_to_nothing.or(events);
        }
    }

    /// Changes written again: each event in them gets a new one that stands for it. What they replace
    /// is exactly what the changes name, as far as the state has it.
    pub fn put_again(&mut self, state: &mut State, diff: &Diff, accounted: &Events, line: u32) {
        state.accounted = state.accounted.or(accounted);
        self.nothing_left(diff, accounted);
        let before = state.known;
        let olds: Vec<usize> = diff.all_added().iter().collect();
        let removals = (0..PATHS).filter(|path| !diff.removed[*path].is_empty());
        let removal =
            |path| Effect { path, value: None, replaced: diff.removed[path].and(&before) };
        // Whatever is put again in one go travels together, so one event may carry all removals.
        let removals: Vec<Effect> = removals.map(removal).collect();
        if !removals.is_empty() {
            let (seen, cautious) = (Events::default(), false);
            state.learn(self.add(Event { line, effects: removals, seen, cautious }));
        }
        let first = self.events.len();
        let news = |seen: &Events| {
            let again = olds.iter().enumerate().filter(|(_, old)| seen.has(**old));
            again.fold(seen.and(&before), |mut all, (index, _)| {
                all.insert(first + index);
                all
            })
        };
        let all = diff.all_added();
        let views = || diff.added[DELETED].iter().map(|d| self.events[d].seen.and(&all));
        let nested = views().all(|a| views().all(|b| a.within(&b) || b.within(&a)));
        let mut again = Vec::new();
        for old in &olds {
            let paths = (0..PATHS).filter(|path| diff.added[*path].has(*old));
            let value = |path| Some(self.value(*old, path));
            let effect = |path| Effect { path, value: value(path), replaced: Events::default() };
            let seen = self.events[*old].seen;
            // A context can name the new event only together with all that its line had written
            // before. What the deleter had not seen must not be covered: then the record is contested.
            let unseen = before.iter().any(|e| self.events[e].line == line && !seen.has(e));
            let seen = if unseen { seen.and(&before) } else { news(&seen) };
            let cautious = !nested || self.events[*old].cautious;
            again.push(Event { line, effects: paths.map(effect).collect(), seen, cautious });
        }
        for event in again {
            state.learn(self.add(event));
        }
    }
}

impl Diff {
    pub fn all_added(&self) -> Events {
        self.added.iter().fold(Events::default(), |all, path| all.or(path))
    }

    pub fn is_empty(&self) -> bool {
        self.added.iter().chain(&self.removed).all(Events::is_empty)
    }

    /// Parts (free, entangled): what replaced an event of `first`, and all that shares an event with it.
    pub fn split(&self, first: &Self) -> (Self, Self) {
        let (mut free, mut entangled) = (*self, Self::default());
        let mut tied = first.all_added();
        let mut grew = true;
        while std::mem::take(&mut grew) {
            for path in 0..PATHS {
                if !free.removed[path].or(&free.added[path]).and(&tied).is_empty() {
                    entangled.removed[path] = std::mem::take(&mut free.removed[path]);
                    entangled.added[path] = std::mem::take(&mut free.added[path]);
                    tied = tied.or(&entangled.added[path]);
                    grew = true;
                }
            }
        }
        (free, entangled)
    }

    pub fn then(&self, later: &Self) -> Self {
        Self {
            removed: std::array::from_fn(|path| self.removed[path].or(&later.removed[path])),
            added: std::array::from_fn(|path| {
                self.added[path].minus(&later.removed[path]).or(&later.added[path])
            }),
        }
    }
}
