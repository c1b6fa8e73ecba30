//! The contract of a town's storage: enrolment, the push chain, judgement, the feed within cells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use yaoguan_model::cells::{self, Cell};
use yaoguan_model::env::System;
use yaoguan_model::{
    AccountId, Change, DeviceId, Dot, Env as _, FieldPath, Kind, Record, RecordId, ReplicaId, Role,
    Value,
};
use yaoguan_town::demo;
use yaoguan_town::people::{Account, Enrolment, NewDevice, NewInvite};
use yaoguan_town::pull::{Ask, Page, Row};
use yaoguan_town::push::Pusher;
use yaoguan_town::storage::{Batch, Outcome, Pushed, Storage};
use yaoguan_wire::{ErrorCode, Judgement, PushToken};

use crate::town::{GRID, OTHER_GRID};

const NOW: i64 = 1_795_000_000;

/// A person with one phone, as far as a storage sees them.
struct Person {
    account: Account,
    device: DeviceId,
    replica: ReplicaId,
    counter: u64,
    token: Option<PushToken>,
}

type Town = Arc<dyn Storage>;

/// Runs every fact on a new demo town each.
pub async fn run<G>(new: impl AsyncFn() -> (G, Town)) {
    macro_rules! facts {
        ($($fact:ident),+ $(,)?) => {$(
            println!(stringify!($fact));
            let (_guard, town) = new().await;
            let admin = demo::add_admin(town.as_ref(), &System).await.unwrap();
            demo::fill(town.as_ref(), admin, &System).await.unwrap();
            $fact(&town).await;
            assert_eq!(town.verify().await.unwrap().findings, [], "{}", stringify!($fact));
        )+};
    }
    facts!(
        a_town_tells_the_same_of_itself_each_time,
        an_invite_enrols_once,
        a_push_taken_twice_changes_nothing,
        a_chain_that_does_not_fit_is_a_twin,
        a_replica_id_belongs_to_one_person,
        one_bad_record_does_not_block_the_others,
        dots_that_a_phone_cannot_have_are_refused,
        a_reader_gets_its_own_cells_alone,
        a_household_and_what_hangs_on_it_is_hidden_from_volunteers,
        own_states_do_not_come_back_and_merged_ones_do,
        a_record_that_moves_leaves_the_old_readers,
        checks_move_with_their_household,
        pages_bring_every_record_once,
        the_town_writes_as_a_replica_of_its_own,
    );
}

async fn person(town: &Town, role: Role, grids: &[&str]) -> Person {
    let id = AccountId(System.new_record_id().0);
    let grids: BTreeSet<_> = grids.iter().map(|code| code.parse().unwrap()).collect();
    let name = role.as_str().to_owned();
    let account = Account { id, name, role, whole_town: false, grids, scope_version: 1 };
    town.add_accounts(vec![account.clone()], NOW).await.unwrap();
    let device = DeviceId(System.new_record_id().0);
    let invite = NewInvite { code_hash: hash_of(device), account: id, expires_at: NOW };
    town.add_invite(invite, NOW).await.unwrap();
    let new = NewDevice { id: device, name: "x".to_owned(), public_key: "k".to_owned() };
    let done = town.enrol(hash_of(device), new, NOW).await.unwrap();
    assert!(matches!(done, Enrolment::Done(_)));
    Person { account, device, replica: System.new_replica_id(), counter: 0, token: None }
}

fn hash_of(device: DeviceId) -> [u8; 32] {
    yaoguan_town::people::hash_code(&device.to_string())
}

fn changes(record: Option<&Record>, fields: &[(&str, Value)]) -> BTreeMap<FieldPath, Change> {
    let change = |(path, value): &(&str, Value)| {
        let replaces = record.map(|r| r.dots(path)).unwrap_or_default();
        (path.parse().unwrap(), Change { replaces, value: Some(value.clone()) })
    };
    fields.iter().map(change).collect()
}

impl Person {
    fn dot(&mut self) -> Dot {
        self.counter += 1;
        Dot::new(self.replica, self.counter)
    }

    fn write(&mut self, kind: Kind, fields: &[(&str, Value)]) -> Record {
        let mut record = Record::new(System.new_record_id(), kind, self.account.id);
        record.put(&changes(None, fields), self.dot());
        record
    }

    fn hazard(&mut self, grid: &str, title: &str) -> Record {
        let fields = [
            ("category", Value::text("slope")),
            ("severity", Value::text("general")),
            ("status", Value::text("reported")),
            ("seen_at", Value::Int(NOW)),
            ("grid", Value::text(grid)),
            ("title", Value::text(title)),
        ];
        self.write(Kind::Hazard, &fields)
    }

    fn household(&mut self, grid: &str) -> Record {
        let fields = [("address", Value::text("12 号")), ("grid", Value::text(grid))];
        self.write(Kind::Household, &fields)
    }

    fn check(&mut self, household: RecordId) -> Record {
        let fields = [
            ("household", Value::text(household.to_string())),
            ("template", Value::text("home_safety")),
            ("template_version", Value::Int(1)),
            ("outcome", Value::text("done")),
            ("checked_at", Value::Int(NOW)),
        ];
        self.write(Kind::HouseholdCheck, &fields)
    }

    fn edit(&mut self, record: &Record, path: &str, value: Value) -> Record {
        let mut record = record.clone();
        record.put(&changes(Some(&record), &[(path, value)]), self.dot());
        record
    }

    fn batch(&self, records: &[Record], next: PushToken) -> Batch {
        Batch {
            pusher: Pusher::new(self.account.actor(), self.replica, self.counter),
            device: self.device,
            tokens: self.token.into_iter().collect(),
            next: Some(next),
            records: records.to_vec(),
            now: NOW,
        }
    }

    async fn push(&mut self, town: &Town, records: &[Record]) -> Vec<Outcome> {
        let next = PushToken::new(System.random_16());
        let pushed = town.push(self.batch(records, next)).await.unwrap();
        self.token = Some(next);
        match pushed {
            Pushed::Done(outcomes) => outcomes,
            Pushed::Forked => panic!("the chain fits"),
        }
    }

    async fn take(&mut self, town: &Town, records: &[Record]) {
        for outcome in self.push(town, records).await {
            assert_eq!(outcome.judgement, Judgement::Taken);
        }
    }

    async fn refuse(&mut self, town: &Town, record: Record, expected: ErrorCode) {
        let outcome = self.push(town, &[record]).await.remove(0);
        let Judgement::Refused { code, .. } = outcome.judgement else { panic!("{outcome:?}") };
        assert_eq!(code, expected);
    }

    fn ask(&self, after: u64) -> Ask {
        let (id, role) = (self.account.id, self.account.role);
        let cells: Vec<Cell> =
            cells::of_reader(id, role, &self.account.grids).into_iter().collect();
        Ask { cells, after, upto: None, skip_origin: None, skip_records: Vec::new() }
    }

    /// Records of people (no grids, no templates) that a pull from the start brings.
    async fn sees(&self, town: &Town) -> BTreeMap<RecordId, Record> {
        let page = town.pull(self.ask(0)).await.unwrap();
        assert!(!page.more);
        records(page)
    }
}

fn records(page: Page) -> BTreeMap<RecordId, Record> {
    let mut found = BTreeMap::new();
    for row in page.rows {
        if let Row::Record(record) = row
            && !matches!(record.kind, Kind::Grid | Kind::Template)
        {
            assert_eq!(found.insert(record.id, *record), None, "once a page");
        }
    }
    found
}

async fn head(town: &Town, person: &Person) -> u64 {
    town.pull(person.ask(0)).await.unwrap().head
}

async fn a_town_tells_the_same_of_itself_each_time(town: &Town) {
    let (a, b) = (town.info().await.unwrap(), town.info().await.unwrap());
    assert_eq!((a.epoch, a.replica, a.cursor_secret), (b.epoch, b.replica, b.cursor_secret));
    town.set_secret("ca_cert", "pem".to_owned()).await.unwrap();
    assert_eq!(town.secret("ca_cert").await.unwrap().as_deref(), Some("pem"));
    assert_eq!(town.secret("ca_key").await.unwrap(), None);
    assert_eq!((town.grids().await.unwrap().len(), town.counts().await.unwrap()["grid"]), (91, 91));
}

async fn an_invite_enrols_once(town: &Town) {
    let chief = person(town, Role::Chief, &[GRID]).await;
    let new = |n: u8| NewDevice {
        id: DeviceId::from_bytes([n; 16]),
        name: "x".to_owned(),
        public_key: "k".to_owned(),
    };
    let enrol = async |hash, now| town.enrol(hash, new(1), now).await.unwrap();
    assert!(matches!(enrol(hash_of(chief.device), NOW).await, Enrolment::Gone), "used");
    assert!(matches!(enrol([1; 32], NOW).await, Enrolment::Unknown));
    let invite = NewInvite { code_hash: [2; 32], account: chief.account.id, expires_at: NOW };
    town.add_invite(invite, NOW).await.unwrap();
    assert!(matches!(enrol([2; 32], NOW + 1).await, Enrolment::Gone), "stale");
    assert!(matches!(enrol([2; 32], NOW).await, Enrolment::Done(_)), "a late try uses nothing up");
    let device = town.device(DeviceId::from_bytes([1; 16])).await.unwrap().unwrap();
    assert_eq!((device.account, device.barred), (chief.account, None));
    assert!(town.device(DeviceId::from_bytes([9; 16])).await.unwrap().is_none());
}

async fn a_push_taken_twice_changes_nothing(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let hazard = a.hazard(GRID, "一");
    let token = PushToken::new([1; 16]);
    let batch = a.batch(std::slice::from_ref(&hazard), token);
    town.push(batch.clone()).await.unwrap();
    let before = (head(town, &a).await, a.sees(town).await);
    // The answer was lost: the same push again, now with its own token among those known.
    let again = Batch { tokens: vec![token], ..batch };
    let Pushed::Done(outcomes) = town.push(again).await.unwrap() else { panic!("the chain fits") };
    assert_eq!(outcomes[0].judgement, Judgement::Taken);
    assert_eq!((head(town, &a).await, a.sees(town).await), before);
}

async fn a_chain_that_does_not_fit_is_a_twin(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let first = a.hazard(GRID, "一");
    a.take(town, &[first]).await;
    let twin =
        Batch { tokens: vec![PushToken::new([8; 16])], ..a.batch(&[], PushToken::new([9; 16])) };
    let second = a.hazard(GRID, "二");
    let forked = town.push(Batch { records: vec![second.clone()], ..twin.clone() }).await.unwrap();
    assert!(matches!(forked, Pushed::Forked));
    assert!(!a.sees(town).await.contains_key(&second.id), "nothing is merged");
    let empty = Batch { next: None, ..twin };
    assert!(matches!(town.push(empty).await.unwrap(), Pushed::Forked), "an empty push is checked");
    let empty = Batch { next: None, ..a.batch(&[], PushToken::new([9; 16])) };
    assert!(matches!(town.push(empty).await.unwrap(), Pushed::Done(_)));
    a.take(town, &[second]).await;
}

async fn a_replica_id_belongs_to_one_person(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut thief = person(town, Role::Chief, &[GRID]).await;
    let hazard = a.hazard(GRID, "一");
    a.take(town, &[hazard]).await;
    thief.replica = a.replica;
    thief.token = a.token;
    let pushed = town.push(thief.batch(&[], PushToken::new([3; 16]))).await.unwrap();
    assert!(matches!(pushed, Pushed::Forked));
}

async fn one_bad_record_does_not_block_the_others(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut batch: Vec<Record> = (0..500).map(|n| a.hazard(GRID, &n.to_string())).collect();
    let bad = Value::text("closed");
    batch[250] = a.edit(&batch[250], "status", bad);
    let outcomes = a.push(town, &batch).await;
    let taken = |o: &&Outcome| o.judgement == Judgement::Taken;
    assert_eq!((outcomes.len(), outcomes.iter().filter(taken).count()), (500, 499));
    let Judgement::Refused { code, .. } = &outcomes[250].judgement else { panic!("refused") };
    assert_eq!(*code, ErrorCode::StepNotAllowed);
    assert_eq!(a.sees(town).await.len(), 499);
}

async fn dots_that_a_phone_cannot_have_are_refused(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut b = person(town, Role::Chief, &[GRID]).await;
    let hazard = a.hazard(GRID, "一");
    a.take(town, std::slice::from_ref(&hazard)).await;
    let mut huge = b.edit(&hazard, "title", Value::text("二"));
    huge.context.join_dot(Dot::new(a.replica, 1 << 52));
    b.refuse(town, huge, ErrorCode::ForeignDot).await;
    let mut ahead = b.edit(&hazard, "title", Value::text("二"));
    ahead.context.join_dot(Dot::new(b.replica, b.counter + 1));
    b.refuse(town, ahead, ErrorCode::ForeignDot).await;
    let mut unknown = b.edit(&hazard, "title", Value::text("二"));
    unknown.context.join_dot(Dot::new(ReplicaId([4; 16]), 1 << 40));
    b.refuse(town, unknown, ErrorCode::ForeignDot).await;
    let towns = town.info().await.unwrap().replica;
    let mut as_town = b.edit(&hazard, "title", Value::text("二"));
    as_town.context.join_dot(Dot::new(towns, 1));
    b.refuse(town, as_town, ErrorCode::ForeignDot).await;
    let mut changed = b.edit(&hazard, "title", Value::text("二"));
    changed.kind = Kind::Patrol;
    b.refuse(town, changed, ErrorCode::IdentityChanged).await;
    let mut stolen = b.edit(&hazard, "title", Value::text("二"));
    stolen.created_by = b.account.id;
    b.refuse(town, stolen, ErrorCode::IdentityChanged).await;
    assert_eq!(a.sees(town).await[&hazard.id], hazard, "without effect");
}

async fn a_reader_gets_its_own_cells_alone(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut other = person(town, Role::Chief, &[OTHER_GRID]).await;
    let hazard = a.hazard(GRID, "一");
    a.take(town, std::slice::from_ref(&hazard)).await;
    assert!(other.sees(town).await.is_empty());
    let readable = async |person: &Person| {
        let cells = person.ask(0).cells;
        town.readable(cells, Kind::Hazard, None, 10).await.unwrap().len()
    };
    assert_eq!((readable(&a).await, readable(&other).await), (1, 0));
    // Knowing an id gives nothing, also with a grid of one's own beside the real one.
    let mut forged = hazard.clone();
    let dot = other.dot();
    let grid = Change { replaces: Vec::new(), value: Some(Value::text(OTHER_GRID)) };
    forged.put(&BTreeMap::from([("grid".parse().unwrap(), grid)]), dot);
    other.refuse(town, forged, ErrorCode::OutOfScope).await;
    assert_eq!(a.sees(town).await[&hazard.id], hazard);
}

async fn a_household_and_what_hangs_on_it_is_hidden_from_volunteers(town: &Town) {
    let mut chief = person(town, Role::Chief, &[GRID]).await;
    let mut volunteer = person(town, Role::Volunteer, &[GRID]).await;
    let household = chief.household(GRID);
    let check = chief.check(household.id);
    chief.take(town, &[check.clone(), household.clone()]).await;
    let seen = volunteer.hazard(GRID, "一");
    volunteer.take(town, std::slice::from_ref(&seen)).await;
    assert_eq!(volunteer.sees(town).await.len(), 1);
    let link = Value::text(household.id.to_string());
    let linked = chief.edit(&seen, "household", link);
    let after = head(town, &volunteer).await;
    chief.take(town, &[linked]).await;
    assert!(volunteer.sees(town).await.is_empty(), "even where a volunteer wrote it");
    let page = town.pull(volunteer.ask(after)).await.unwrap();
    assert!(matches!(page.rows.as_slice(), [Row::Left(id)] if *id == seen.id));
    assert_eq!(chief.sees(town).await.len(), 3);
    let own = volunteer.household(GRID);
    volunteer.refuse(town, own, ErrorCode::KindNotAllowed).await;
}

async fn own_states_do_not_come_back_and_merged_ones_do(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut b = person(town, Role::Chief, &[GRID]).await;
    let hazard = a.hazard(GRID, "一");
    let after = head(town, &a).await;
    a.take(town, std::slice::from_ref(&hazard)).await;
    let pull = async |person: &Person, after| {
        let ask = Ask { skip_origin: Some(person.replica), ..person.ask(after) };
        records(town.pull(ask).await.unwrap())
    };
    assert!(pull(&a, after).await.is_empty(), "no echo");
    assert_eq!(pull(&b, after).await.len(), 1);
    let (ours, theirs) =
        (a.edit(&hazard, "title", Value::text("甲")), b.edit(&hazard, "title", Value::text("乙")));
    a.take(town, &[ours]).await;
    let after = head(town, &a).await;
    b.take(town, &[theirs]).await;
    let merged = pull(&b, after).await;
    assert_eq!(merged[&hazard.id].distinct("title").len(), 2, "a merge goes back to its pusher");
}

async fn a_record_that_moves_leaves_the_old_readers(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let b = person(town, Role::Chief, &[GRID]).await;
    let other = person(town, Role::Chief, &[OTHER_GRID]).await;
    let hazard = a.hazard(GRID, "一");
    a.take(town, std::slice::from_ref(&hazard)).await;
    let after = head(town, &a).await;
    let moved = a.edit(&hazard, "grid", Value::text(OTHER_GRID));
    a.take(town, &[moved]).await;
    let rows = town.pull(b.ask(after)).await.unwrap().rows;
    assert!(matches!(rows.as_slice(), [Row::Left(id)] if *id == hazard.id));
    let rows = town.pull(a.ask(after)).await.unwrap().rows;
    assert!(matches!(rows.as_slice(), [Row::Record(_)]), "authors keep what they wrote");
    assert!(other.sees(town).await.contains_key(&hazard.id));
}

async fn checks_move_with_their_household(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID, OTHER_GRID]).await;
    let old = person(town, Role::Chief, &[GRID]).await;
    let new = person(town, Role::Chief, &[OTHER_GRID]).await;
    let household = a.household(GRID);
    let check = a.check(household.id);
    a.take(town, &[household.clone(), check.clone()]).await;
    assert_eq!((old.sees(town).await.len(), new.sees(town).await.len()), (2, 0));
    let moved = a.edit(&household, "grid", Value::text(OTHER_GRID));
    a.take(town, &[moved]).await;
    assert_eq!((old.sees(town).await.len(), new.sees(town).await.len()), (0, 2));
}

async fn pages_bring_every_record_once(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut written = BTreeSet::new();
    let mut noise = 1_u64;
    for _ in 0..6 {
        // Text that hardly compresses, so that the page's limit on the wire is what ends it.
        let batch: Vec<Record> = (0..100)
            .map(|_| {
                let text: String = std::iter::repeat_with(|| {
                    noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from_u32(0x4E00 + (noise >> 40) as u32 % 20_000).unwrap()
                })
                .take(1_500)
                .collect();
                let hazard = a.hazard(GRID, "长");
                a.edit(&hazard, "description", Value::text(text))
            })
            .collect();
        written.extend(batch.iter().map(|record| record.id));
        a.take(town, &batch).await;
    }
    let (mut after, mut pages, mut found) = (0, 0, BTreeSet::new());
    loop {
        let page = town.pull(a.ask(after)).await.unwrap();
        let (position, more) = (page.position, page.more);
        for id in records(page).into_keys() {
            assert!(found.insert(id), "each once over all pages");
        }
        pages += 1;
        assert!(position > after || !more, "each page goes on");
        after = position;
        if !more {
            break;
        }
    }
    assert!(pages > 1, "{pages} pages");
    assert_eq!((found, after), (written, head(town, &a).await));
}

async fn the_town_writes_as_a_replica_of_its_own(town: &Town) {
    let replica = town.info().await.unwrap().replica;
    let grids = town.records(Kind::Grid).await.unwrap();
    let dots: BTreeSet<u64> = grids
        .iter()
        .flat_map(|grid| grid.context.iter())
        .inspect(|dot| assert_eq!(dot.replica, replica))
        .map(|dot| dot.counter)
        .collect();
    assert_eq!(dots.len(), 91, "a dot for each");
    let volunteer = person(town, Role::Volunteer, &[GRID]).await;
    let page = town.pull(volunteer.ask(0)).await.unwrap();
    assert_eq!(page.rows.len(), 91, "everyone enrolled reads them");
}
