//! The contract of what the console asks: the same town answers every question alike, whatever keeps it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use yaoguan_model::cells::{self, Cell};
use yaoguan_model::{Env, GridCode, Kind, Role};
use yaoguan_town::audit::Attribution;
use yaoguan_town::demo::{self, activity};
use yaoguan_town::people::Account;
use yaoguan_town::storage::desk::{InboxAsk, TaskAsk};
use yaoguan_town::storage::exports::SpanAsk;
use yaoguan_town::storage::features::{Bounds, Collection, FeatureAsk};
use yaoguan_town::storage::figures::{
    CoverageAsk, DueAsk, Extent, FiguresAsk, LinesAsk, MarksAsk, Period,
};
use yaoguan_town::storage::people::PeopleAsk;
use yaoguan_town::storage::{AuditAsk, Reader, Storage};

/// The end of the invented weeks.
pub const NOW: i64 = 1_795_000_000;
const DAY_S: i64 = 86_400;

/// A clock that stands still, and numbers that come in the same order each time.
#[derive(Debug, Default)]
pub struct Counted(AtomicU64);

impl Env for Counted {
    fn now_ms(&self) -> i64 {
        NOW * 1000
    }
    fn boot_elapsed_ms(&self) -> i64 {
        0
    }
    fn random_16(&self) -> [u8; 16] {
        let n = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (u128::from(spread) << 64 | u128::from(n)).to_be_bytes()
    }
}

/// Fills a new demo town with some weeks of work.
pub async fn fill(town: &dyn Storage, env: &Counted, days: u32) {
    let admin = demo::add_admin(town, env).await.unwrap();
    demo::publish_template(town, admin, env).await.unwrap();
    demo::fill(town, admin, env).await.unwrap();
    activity::fill(town, env, activity::Ask { seed: 7, days }).await.unwrap();
}

/// Questions, and how they were answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answers(pub Vec<(String, String)>);

impl Answers {
    fn note(&mut self, question: &str, answer: impl Debug) {
        self.0.push((question.to_owned(), format!("{answer:?}")));
    }
}

/// Asks everything that the console asks, as a supervisor of the whole town and as a chief.
pub async fn answers(town: &dyn Storage) -> Answers {
    let mut all = Answers::default();
    let accounts = town.accounts().await.unwrap();
    let first = |role: Role| accounts.iter().find(|one| one.role == role).unwrap().clone();
    for asker in [first(Role::Supervisor), first(Role::Chief)] {
        let own = cells::of_reader(asker.id, asker.role, &asker.grids);
        let own: Vec<Cell> = own.into_iter().collect();
        lists(town, &asker, &own, &mut all).await;
        counts(town, &asker, &mut all).await;
        maps(town, &own, &mut all).await;
        records(town, &own, &mut all).await;
    }
    people(town, &mut all).await;
    all
}

async fn lists(town: &dyn Storage, asker: &Account, cells: &[Cell], all: &mut Answers) {
    let base = InboxAsk {
        cells: cells.to_vec(),
        account: Some(asker.id),
        now: NOW,
        ..InboxAsk::default()
    };
    let text = |text: &str| text.to_owned();
    let asks = [
        base.clone(),
        InboxAsk { state: text("open"), ..base.clone() },
        InboxAsk { state: text("closed"), ..base.clone() },
        InboxAsk { stage: text("new"), ..base.clone() },
        InboxAsk { category: text("fire"), severity: text("major"), ..base.clone() },
        InboxAsk { grid: text(crate::town::GRID), ..base.clone() },
        InboxAsk { conflict: true, ..base.clone() },
        InboxAsk { due_before: Some(text("2026-12-31")), ..base.clone() },
        InboxAsk { claimed_by: Some(asker.id), ..base.clone() },
        InboxAsk { words: text("电线"), ..base.clone() },
        InboxAsk { words: text("路"), ..base.clone() },
        InboxAsk { words: text("电线 老化"), ..base.clone() },
        InboxAsk { words: text("100%_"), ..base.clone() },
    ];
    for ask in asks {
        let question = format!("{ask:?}");
        let page = town.inbox(ask.clone()).await.unwrap();
        if let Some(last) = page.last() {
            let next = InboxAsk { after: Some((last.changed_at, last.id)), ..ask.clone() };
            all.note("the next page", town.inbox(next).await.unwrap());
        }
        all.note(&question, page);
        all.note("exported", town.listed(ask, 500).await.unwrap());
    }
    all.note("waiting", town.waiting(base, text("2026-11-18")).await.unwrap());
    let base = TaskAsk { cells: cells.to_vec(), ..TaskAsk::default() };
    for ask in [
        base.clone(),
        TaskAsk { state: text("active"), ..base.clone() },
        TaskAsk { giver: Some(asker.id), words: text("a"), ..base.clone() },
        TaskAsk { due_before: Some(text("2026-12-31")), ..base.clone() },
    ] {
        let question = format!("{ask:?}");
        let page = town.tasks(ask.clone()).await.unwrap();
        if let Some(middle) = page.get(page.len() / 2) {
            let after = Some((middle.due_on.clone(), middle.id));
            all.note("tasks after", town.tasks(TaskAsk { after, ..ask }).await.unwrap());
        }
        all.note(&question, page);
    }
    spans(town, cells, all).await;
    all.note("listed tasks", town.listed_tasks(base, 200).await.unwrap());
    all.note("held", town.held_rows(Reader::Cells(cells.to_vec())).await.unwrap());
    let grids = asker.grids.clone();
    let actor = yaoguan_model::authorise::Actor { account: asker.id, role: asker.role, grids };
    all.note("colleagues", town.colleagues(actor).await.unwrap());
    all.note("views", town.views(asker.id).await.unwrap());
}

async fn spans(town: &dyn Storage, cells: &[Cell], all: &mut Answers) {
    let spans = [
        SpanAsk { cells: cells.to_vec(), ..SpanAsk::default() },
        SpanAsk {
            cells: cells.to_vec(),
            grid: Some(crate::town::GRID.to_owned()),
            from: Some(NOW - 9 * DAY_S),
            until: Some(NOW),
        },
    ];
    for ask in spans {
        let patrols = town.listed_patrols(ask.clone(), 200).await.unwrap();
        all.note("records of", town.records_of(cells.to_vec(), patrols.clone()).await.unwrap());
        all.note("patrols", patrols);
        all.note("checks", town.listed_checks(ask, 200).await.unwrap());
    }
}

async fn counts(town: &dyn Storage, asker: &Account, all: &mut Answers) {
    let grids: Vec<GridCode> = asker.grids.iter().cloned().collect();
    let today = "2026-11-18".to_owned();
    for days in [1, 7, 40] {
        let period = Period { from: NOW - days * DAY_S, until: NOW };
        for grid in [None, grids.first().cloned()] {
            let grids = grids.clone();
            let ask = FiguresAsk { grids, grid, period, today: today.clone(), now: NOW };
            all.note("figures", town.figures(ask).await.unwrap());
        }
        let ask = CoverageAsk { grids: grids.clone(), period, today: today.clone() };
        all.note("coverage", town.coverage(ask).await.unwrap());
    }
    let seen = Attribution::town(NOW);
    let within = Some(EVERYWHERE);
    for (within, until) in [(None, "2027-12-31"), (within, "2026-12-31")] {
        let (grids, until) = (grids.clone(), until.to_owned());
        let ask = DueAsk { grids, grid: None, until, within, after: None };
        all.note("due", town.households_due(ask, seen.clone()).await.unwrap());
    }
    for cell in [1, 50_000, 10_000_000] {
        let ask = MarksAsk { grids: grids.clone(), within: EVERYWHERE, at: NOW, cell };
        let mut marks = town.marks(ask).await.unwrap();
        // Marks of one rank stand in any order.
        marks.sort_by_key(|mark| format!("{mark:?}"));
        all.note("marks", marks);
    }
    let period = Period { from: NOW - 30 * DAY_S, until: NOW };
    let ask = LinesAsk { grids, within: EVERYWHERE, period, tolerance_m: 5.0 };
    all.note("lines", town.patrol_lines(ask).await.unwrap());
}

const EVERYWHERE: Extent =
    Extent { south: 240_000_000, west: 990_000_000, north: 260_000_000, east: 1_000_000_000 };

async fn maps(town: &dyn Storage, cells: &[Cell], all: &mut Answers) {
    for collection in Collection::ALL {
        let cells = || cells.to_vec();
        let base = FeatureAsk {
            cells: cells(),
            collection,
            bounds: None,
            from: None,
            until: None,
            after: None,
            offset: 0,
            limit: 20,
        };
        let bounds = Some(Bounds {
            west: 990_000_000,
            south: 240_000_000,
            east: 1_000_000_000,
            north: 250_000_000,
        });
        let over = Bounds { west: 1_700_000_000, south: 0, east: 995_000_000, north: 900_000_000 };
        for ask in [
            base.clone(),
            FeatureAsk { offset: 7, ..base.clone() },
            FeatureAsk { bounds, ..base.clone() },
            FeatureAsk { bounds: Some(over), ..base.clone() },
            FeatureAsk { from: Some(NOW - 9 * DAY_S), until: Some(NOW), ..base },
        ] {
            all.note(&format!("{ask:?}"), town.features(ask).await.unwrap());
        }
        all.note("extent", town.extent(cells(), collection).await.unwrap());
    }
}

async fn records(town: &dyn Storage, cells: &[Cell], all: &mut Answers) {
    let since = town.changed_since(cells.to_vec(), NOW - 3 * DAY_S).await.unwrap();
    let mut since: Vec<String> = since.iter().map(|one| format!("{one:?}")).collect();
    since.sort();
    all.note("changed since", since);
    all.note("changed", town.changed(cells.to_vec(), 100).await.unwrap());
    let (mut hashes, head) = town.hashes(cells.to_vec()).await.unwrap();
    hashes.sort_unstable();
    all.note("by hashes", town.by_hashes(cells.to_vec(), hashes.clone()).await.unwrap());
    all.note("hashes", (hashes, head));
    for kind in [Kind::Hazard, Kind::Task, Kind::Household, Kind::Patrol] {
        let page = town.readable(cells.to_vec(), kind.clone(), None, 25).await.unwrap();
        for record in page.iter().take(12) {
            let seen = Attribution::town(NOW);
            all.note("view", town.view(cells.to_vec(), record.id, seen).await.unwrap());
            all.note("files", town.with_files(cells.to_vec(), record.id).await.unwrap());
        }
        all.note(kind.as_str(), page);
        all.note("records", town.records(kind).await.unwrap());
    }
}

async fn people(town: &dyn Storage, all: &mut Answers) {
    for ask in [
        PeopleAsk::default(),
        PeopleAsk { words: "网格".to_owned(), ..PeopleAsk::default() },
        PeopleAsk { role: Some(Role::Chief), ..PeopleAsk::default() },
        PeopleAsk { village: "530521103201".to_owned(), ..PeopleAsk::default() },
    ] {
        let page = town.people_page(ask.clone()).await.unwrap();
        let after = page.people.last().map(|person| person.account.id);
        all.note("people", page);
        all.note("more people", town.people_page(PeopleAsk { after, ..ask }).await.unwrap());
    }
    all.note("everybody", town.people().await.unwrap());
    all.note("devices", town.devices().await.unwrap());
    all.note("invites", town.invites(true, NOW).await.unwrap());
    all.note("standing", town.standing(NOW).await.unwrap());
    all.note("counts", town.counts().await.unwrap());
    all.note(
        "audit",
        town.audit(AuditAsk { after: 0, subject: None, limit: 10_000 }).await.unwrap(),
    );
    all.note("verified", town.verify().await.unwrap());
}
