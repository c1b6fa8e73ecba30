//! Which part of the feed a phone gets next: news in all of its cells, after what lies in cells that
//! were added to its scope. Pure.

use std::collections::BTreeSet;

use yaoguan_model::ReplicaId;
use yaoguan_model::authorise::Actor;
use yaoguan_model::cells::{self, Cell};

use crate::cursor::{Backfill, Cursor};
use crate::pull::{Ask, Page};

/// What to ask the storage for, and how to go on from its answer.
#[derive(Debug, Clone)]
pub struct Plan {
    pub ask: Ask,
    scope_version: u64,
    backfill: Option<Held>,
}

/// The news that wait behind a backfill.
#[derive(Debug, Clone, Copy)]
struct Held {
    from: u64,
    position: u64,
}

/// The cells of a person.
pub fn cells_of(actor: &Actor) -> BTreeSet<Cell> {
    cells::of_reader(actor.account, actor.role, &actor.grids)
}

/// The scope version whose cells a cursor has read to its position, when that is not the present one.
pub fn complete_at(cursor: &Cursor, scope_version: u64) -> Option<u64> {
    let from = cursor.backfill.map_or(cursor.scope_version, |backfill| backfill.from);
    (from != scope_version).then_some(from)
}

impl Plan {
    /// `earlier` is the scope at [`complete_at`]; none when the town does not know it any more, and the
    /// feed then starts again. `skip_origin`: states that this replica pushed itself are passed over.
    pub fn new(
        cursor: Option<Cursor>,
        (now, scope_version): (&Actor, u64),
        earlier: Option<&Actor>,
        skip_origin: Option<ReplicaId>,
    ) -> Self {
        let own = cells_of(now);
        let news = |after, skip_origin| {
            let cells = own.iter().cloned().collect();
            let ask = Ask { cells, after, upto: None, skip_origin, skip_records: Vec::new() };
            Self { ask, scope_version, backfill: None }
        };
        let Some(cursor) = cursor else { return news(0, None) };
        let Some(from) = complete_at(&cursor, scope_version) else {
            return news(cursor.position, skip_origin);
        };
        let Some(earlier) = earlier else { return news(0, None) };
        let added: Vec<Cell> = own.difference(&cells_of(earlier)).cloned().collect();
        if added.is_empty() {
            return news(cursor.position, skip_origin);
        }
        // A scope that changed again while this went on starts over: its cells are others.
        let same = cursor.scope_version == scope_version;
        let after = cursor.backfill.filter(|_| same).map_or(0, |backfill| backfill.position);
        let (upto, skip_records) = (Some(cursor.position), Vec::new());
        // What this phone once pushed there it may have given up since.
        let ask = Ask { cells: added, after, upto, skip_origin: None, skip_records };
        Self { ask, scope_version, backfill: Some(Held { from, position: cursor.position }) }
    }

    /// Where the phone goes on, and whether more waits.
    pub fn next(&self, page: &Page) -> (Cursor, bool) {
        let scope_version = self.scope_version;
        match self.backfill {
            None => (Cursor { scope_version, position: page.position, backfill: None }, page.more),
            Some(Held { from, position }) if page.more => {
                let backfill = Some(Backfill { from, position: page.position });
                (Cursor { scope_version, position, backfill }, true)
            }
            Some(Held { position, .. }) => {
                (Cursor { scope_version, position, backfill: None }, true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use yaoguan_model::{AccountId, Role};

    use super::*;

    fn actor(grids: &[&str]) -> Actor {
        let grids = grids.iter().map(|grid| grid.parse().unwrap()).collect();
        Actor { account: AccountId::from_bytes([1; 16]), role: Role::Chief, grids }
    }

    const A: &str = "530521103200001";
    const B: &str = "530521103201001";
    const C: &str = "530521103202001";
    const AT: Cursor = Cursor { scope_version: 1, position: 50, backfill: None };

    fn page(position: u64, more: bool) -> Page {
        Page { rows: Vec::new(), position, more, head: 99 }
    }

    #[test]
    fn the_same_scope_goes_on_at_its_position() {
        let me = ReplicaId([7; 16]);
        let plan = Plan::new(Some(AT), (&actor(&[A]), 1), None, Some(me));
        assert_eq!((plan.ask.after, plan.ask.upto, plan.ask.skip_origin), (50, None, Some(me)));
        let after = Cursor { position: 80, ..AT };
        assert_eq!(plan.next(&page(80, false)), (after, false));
    }

    #[test]
    fn an_added_grid_is_brought_up_to_the_position_and_then_the_news_follow() {
        let (now, earlier) = (actor(&[A, B]), actor(&[A]));
        let plan = Plan::new(Some(AT), (&now, 2), Some(&earlier), None);
        assert!(plan.ask.cells.iter().all(|cell| cell.to_string().contains(B)));
        assert_eq!((plan.ask.after, plan.ask.upto), (0, Some(50)));
        let (half, more) = plan.next(&page(20, true));
        assert!(more);
        let plan = Plan::new(Some(half), (&now, 2), Some(&earlier), None);
        assert_eq!((plan.ask.after, plan.ask.upto), (20, Some(50)));
        let (done, more) = plan.next(&page(50, false));
        assert!(more);
        assert_eq!(done, Cursor { scope_version: 2, ..AT });
        assert_eq!(Plan::new(Some(done), (&now, 2), None, None).ask.after, 50);
    }

    #[test]
    fn a_scope_that_changes_during_a_backfill_starts_it_over() {
        let earlier = actor(&[A]);
        let plan = Plan::new(Some(AT), (&actor(&[A, B]), 2), Some(&earlier), None);
        let (half, _) = plan.next(&page(20, true));
        assert_eq!(complete_at(&half, 3), Some(1));
        let plan = Plan::new(Some(half), (&actor(&[A, B, C]), 3), Some(&earlier), None);
        assert_eq!((plan.ask.after, plan.ask.upto), (0, Some(50)));
        assert!(plan.ask.cells.iter().any(|cell| cell.to_string().contains(C)));
    }

    #[test]
    fn a_lost_grid_needs_no_backfill() {
        let plan = Plan::new(Some(AT), (&actor(&[A]), 2), Some(&actor(&[A, B])), None);
        assert_eq!((plan.ask.after, plan.ask.upto), (50, None));
        assert!(plan.ask.cells.iter().all(|cell| !cell.to_string().contains(B)));
    }

    #[test]
    fn an_unknown_earlier_scope_reads_all_again() {
        let plan = Plan::new(Some(AT), (&actor(&[A]), 2), None, None);
        assert_eq!((plan.ask.after, plan.ask.upto), (0, None));
    }
}
