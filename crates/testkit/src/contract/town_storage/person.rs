//! A person with one phone, as far as a storage sees them: what they write, push and read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use yaoguan_model::cells::{self, Cell};
use yaoguan_model::env::System;
use yaoguan_model::{
    AccountId, Change, DeviceId, Dot, Env as _, FieldPath, Kind, Record, RecordId, ReplicaId, Role,
    Value,
};
use yaoguan_town::people::{Account, Enrolment, NewDevice, NewInvite};
use yaoguan_town::pull::{Ask, Page, Row};
use yaoguan_town::push::Pusher;
use yaoguan_town::storage::{Batch, Outcome, Pushed, Storage};
use yaoguan_wire::{ErrorCode, Judgement, PushToken};

pub(super) const NOW: i64 = 1_795_000_000;

pub(super) type Town = Arc<dyn Storage>;

/// A person with one phone, as far as a storage sees them.
pub(super) struct Person {
    pub(super) account: Account,
    pub(super) device: DeviceId,
    pub(super) replica: ReplicaId,
    pub(super) counter: u64,
    pub(super) token: Option<PushToken>,
}

pub(super) async fn person(town: &Town, role: Role, grids: &[&str]) -> Person {
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

pub(super) fn hash_of(device: DeviceId) -> [u8; 32] {
    yaoguan_town::people::hash_code(&device.to_string())
}

pub(super) fn changes(
    record: Option<&Record>,
    fields: &[(&str, Value)],
) -> BTreeMap<FieldPath, Change> {
    let change = |(path, value): &(&str, Value)| {
        let replaces = record.map(|r| r.dots(path)).unwrap_or_default();
        (path.parse().unwrap(), Change { replaces, value: Some(value.clone()) })
    };
    fields.iter().map(change).collect()
}

impl Person {
    pub(super) fn dot(&mut self) -> Dot {
        self.counter += 1;
        Dot::new(self.replica, self.counter)
    }

    pub(super) fn write(&mut self, kind: Kind, fields: &[(&str, Value)]) -> Record {
        let mut record = Record::new(System.new_record_id(), kind, self.account.id);
        record.put(&changes(None, fields), self.dot());
        record
    }

    pub(super) fn hazard(&mut self, grid: &str, title: &str) -> Record {
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

    pub(super) fn household(&mut self, grid: &str) -> Record {
        let fields = [("address", Value::text("12 号")), ("grid", Value::text(grid))];
        self.write(Kind::Household, &fields)
    }

    pub(super) fn check(&mut self, household: RecordId) -> Record {
        let fields = [
            ("household", Value::text(household.to_string())),
            ("template", Value::text("home_safety")),
            ("template_version", Value::Int(1)),
            ("outcome", Value::text("done")),
            ("checked_at", Value::Int(NOW)),
        ];
        self.write(Kind::HouseholdCheck, &fields)
    }

    pub(super) fn edit(&mut self, record: &Record, path: &str, value: Value) -> Record {
        let mut record = record.clone();
        record.put(&changes(Some(&record), &[(path, value)]), self.dot());
        record
    }

    pub(super) fn batch(&self, records: &[Record], next: PushToken) -> Batch {
        Batch {
            pusher: Pusher::new(self.account.actor(), self.replica, self.counter),
            device: self.device,
            tokens: self.token.into_iter().collect(),
            next: Some(next),
            records: records.to_vec(),
            now: NOW,
        }
    }

    pub(super) async fn push(&mut self, town: &Town, records: &[Record]) -> Vec<Outcome> {
        let next = PushToken::new(System.random_16());
        let pushed = town.push(self.batch(records, next)).await.unwrap();
        self.token = Some(next);
        match pushed {
            Pushed::Done(outcomes) => outcomes,
            Pushed::Forked => panic!("the chain fits"),
        }
    }

    pub(super) async fn take(&mut self, town: &Town, records: &[Record]) {
        for outcome in self.push(town, records).await {
            assert_eq!(outcome.judgement, Judgement::Taken);
        }
    }

    pub(super) async fn refuse(&mut self, town: &Town, record: Record, expected: ErrorCode) {
        let outcome = self.push(town, &[record]).await.remove(0);
        let Judgement::Refused { code, .. } = outcome.judgement else { panic!("{outcome:?}") };
        assert_eq!(code, expected);
    }

    pub(super) fn ask(&self, after: u64) -> Ask {
        let (id, role) = (self.account.id, self.account.role);
        let cells: Vec<Cell> =
            cells::of_reader(id, role, &self.account.grids).into_iter().collect();
        Ask { cells, after, upto: None, skip_origin: None, skip_records: Vec::new() }
    }

    /// Records of people (no grids, no templates) that a pull from the start brings.
    pub(super) async fn sees(&self, town: &Town) -> BTreeMap<RecordId, Record> {
        let page = town.pull(self.ask(0)).await.unwrap();
        assert!(!page.more);
        records(page)
    }
}

pub(super) fn records(page: Page) -> BTreeMap<RecordId, Record> {
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

pub(super) async fn head(town: &Town, person: &Person) -> u64 {
    town.pull(person.ask(0)).await.unwrap().head
}
