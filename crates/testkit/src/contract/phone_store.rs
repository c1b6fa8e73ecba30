//! The contract of a phone's store: transactions, the outbox, and plan and apply on top of it.

use std::collections::BTreeMap;

use yaoguan_model::env::System;
use yaoguan_model::{
    AccountId, Change, Env as _, Kind, Record, RecordId, ReplicaId, Value, canonical,
};
use yaoguan_store::Store;
use yaoguan_sync::{
    Applied, Local, PhoneStore, Quarantined, Returned, SyncError, SyncState, Tx, apply, plan,
};
use yaoguan_wire::packing::unpack;
use yaoguan_wire::{
    Epoch, ErrorCode, FeedItem, HoldId, Judgement, ReplicaTable, Scope, SyncRequest, SyncResponse,
    Verdict,
};

use crate::memory::MemoryStore;

/// A store that the suite can look into.
pub trait Subject: PhoneStore {
    fn quarantined(&self) -> Vec<Quarantined>;
}
impl Subject for MemoryStore {
    fn quarantined(&self) -> Vec<Quarantined> {
        self.quarantined.clone()
    }
}
impl Subject for Store {
    fn quarantined(&self) -> Vec<Quarantined> {
        Store::quarantined(self).unwrap().into_iter().map(|entry| entry.save).collect()
    }
}

type Changes = BTreeMap<yaoguan_model::FieldPath, Change>;

fn set(record: Option<&Record>, path: &str, text: &str) -> Changes {
    let replaces = record.map(|r| r.dots(path)).unwrap_or_default();
    let value = Some(Value::text(text));
    BTreeMap::from([(path.parse().unwrap(), Change { replaces, value })])
}

fn on<S: Subject, R>(store: &mut S, work: impl FnOnce(&mut S::Tx<'_>) -> R) -> R {
    store.transact(|tx| Ok::<R, SyncError<S::Error>>(work(tx))).unwrap()
}

fn state<S: Subject>(store: &mut S) -> SyncState {
    on(store, |tx| tx.state().unwrap())
}

fn load<S: Subject>(store: &mut S, id: RecordId) -> Option<Local> {
    on(store, |tx| tx.load(id).unwrap())
}

fn create<S: Subject>(store: &mut S, title: &str) -> RecordId {
    create_of(store, Kind::Hazard, title)
}

fn create_of<S: Subject>(store: &mut S, kind: Kind, title: &str) -> RecordId {
    let author = AccountId::from_bytes([7; 16]);
    let blank = Record::new(System.new_record_id(), kind, author);
    on(store, |tx| {
        let mut state = tx.state().unwrap();
        let dot = state.next_dot();
        tx.set_state(&state).unwrap();
        tx.put(&Local::created(blank.clone(), &set(None, "title", title), dot)).unwrap();
    });
    blank.id
}

fn edit<S: Subject>(store: &mut S, id: RecordId, path: &str, text: &str) {
    on(store, |tx| {
        let (mut state, mut local) = (tx.state().unwrap(), tx.load(id).unwrap().unwrap());
        let changes = set(Some(&local.record), path, text);
        local.save(&changes, state.next_dot());
        tx.set_state(&state).unwrap();
        tx.put(&local).unwrap();
    });
}

fn next<S: Subject>(store: &mut S) -> SyncRequest {
    store.transact(|tx| plan(tx, &System)).unwrap()
}

fn take<S: Subject>(
    store: &mut S,
    request: &SyncRequest,
    response: &SyncResponse,
) -> Result<Applied, SyncError<S::Error>> {
    store.transact(|tx| apply(tx, &System, request, response))
}

const EPOCH: [u8; 16] = [9; 16];

/// An answer that judges every pushed record alike and brings `feed`.
fn answer(request: &SyncRequest, judgement: &Judgement, feed: &[Record]) -> SyncResponse {
    let mut table = ReplicaTable::default();
    let mut verdicts = Vec::new();
    for packed in &request.records {
        let record = unpack(&request.replicas, packed.clone()).unwrap();
        let context = table.pack_context(&record.context);
        verdicts.push(Verdict { id: record.id, context, judgement: judgement.clone() });
    }
    let item = |record: &Record, table: &mut ReplicaTable| FeedItem {
        record: Some(table.pack(record)),
        ..FeedItem::default()
    };
    let feed = feed.iter().map(|record| item(record, &mut table)).collect();
    SyncResponse {
        epoch: Epoch::new(EPOCH),
        verdicts,
        replicas: table.into_ids(),
        feed,
        cursor: "cursor-1".to_owned(),
        more: false,
        head: 1,
        scope: Scope { version: 4, role: None, grids: None },
        root: None,
        reconcile: false,
        holds: Vec::new(),
        town_time: System.now_s(),
    }
}

fn refusal() -> Judgement {
    let detail = "because".to_owned();
    Judgement::Refused { code: ErrorCode::NotAllowed, retriable: false, detail }
}

/// A fact and its name.
type Fact<S> = (&'static str, fn(&mut S));

/// Runs every fact on a new store each.
pub fn run<S: Subject, G>(new: impl Fn() -> (G, S)) {
    let facts: [Fact<S>; 14] = [
        ("a_failed_transaction_leaves_nothing", a_failed_transaction_leaves_nothing),
        ("state_comes_back_whole", state_comes_back_whole),
        ("what_was_put_is_loaded_with_its_base", what_was_put_is_loaded_with_its_base),
        ("the_outbox_is_in_the_order_of_first_saves", the_outbox_is_in_the_order_of_first_saves),
        ("a_removed_record_is_gone_from_everywhere", a_removed_record_is_gone_from_everywhere),
        ("what_was_taken_is_sent_no_more", what_was_taken_is_sent_no_more),
        ("a_save_during_the_push_stays_unsent", a_save_during_the_push_stays_unsent),
        ("a_lost_answer_is_resent_in_the_chain", a_lost_answer_is_resent_in_the_chain),
        ("an_answer_applied_twice_changes_nothing", an_answer_applied_twice_changes_nothing),
        ("what_is_refused_or_held_is_set_apart", what_is_refused_or_held_is_set_apart),
        ("an_unknown_judgement_keeps_the_save", an_unknown_judgement_keeps_the_save),
        ("a_broken_answer_changes_nothing", a_broken_answer_changes_nothing),
        ("a_new_epoch_voids_cursor_and_chain", a_new_epoch_voids_cursor_and_chain),
        ("an_unknown_kind_goes_back_unharmed", an_unknown_kind_goes_back_unharmed),
    ];
    for (name, fact) in facts {
        println!("{name}");
        let (_guard, mut store) = new();
        fact(&mut store);
    }
}

fn a_failed_transaction_leaves_nothing<S: Subject>(store: &mut S) {
    let before = state(store);
    let blank = Record::new(System.new_record_id(), Kind::Hazard, AccountId::from_bytes([7; 16]));
    let failed: Result<(), SyncError<S::Error>> = store.transact(|tx| {
        let mut state = tx.state()?;
        let local = Local::created(blank.clone(), &set(None, "title", "x"), state.next_dot());
        tx.set_state(&state)?;
        tx.put(&local)?;
        Err(SyncError::Protocol("asked to fail"))
    });
    assert!(matches!(failed, Err(SyncError::Protocol(_))));
    assert_eq!((state(store), load(store, blank.id)), (before, None));
    assert_eq!(on(store, |tx| tx.outbox().unwrap()), []);
}

fn state_comes_back_whole<S: Subject>(store: &mut S) {
    let token = |n| yaoguan_wire::PushToken::new([n; 16]);
    let whole = SyncState {
        replica: ReplicaId([3; 16]),
        counter: 77,
        epoch: Some(Epoch::new(EPOCH)),
        cursor: Some("c".to_owned()),
        scope_version: 5,
        acked: Some(token(1)),
        attempts: vec![token(2), token(3)],
        attempt_counter: 76,
        clock_offset_s: -12,
        last_contact_s: Some(1_795_000_000),
        reconcile: true,
        evict_owed: true,
        returned: None,
    };
    let asking = Returned::Asking { former: ReplicaId([4; 16]), last_push: token(4) };
    for returned in [Some(asking), Some(Returned::Known), None] {
        let whole = SyncState { returned, ..whole.clone() };
        on(store, |tx| tx.set_state(&whole).unwrap());
        assert_eq!(state(store), whole);
    }
}

fn what_was_put_is_loaded_with_its_base<S: Subject>(store: &mut S) {
    let id = create(store, "一");
    let request = next(store);
    take(store, &request, &answer(&request, &Judgement::Taken, &[])).unwrap();
    edit(store, id, "title", "二");
    let local = load(store, id).unwrap();
    let unsent = local.unsent.clone().unwrap();
    assert_eq!(unsent.base.unwrap().shown_text("title"), Some("一"));
    assert_eq!((local.record.shown_text("title"), unsent.sent), (Some("二"), None));
    next(store);
    let sent = load(store, id).unwrap().unsent.unwrap().sent.unwrap();
    assert_eq!(sent, local.record);
    edit(store, id, "title", "三");
    assert_eq!(load(store, id).unwrap().unsent.unwrap().sent.unwrap(), sent);
}

fn the_outbox_is_in_the_order_of_first_saves<S: Subject>(store: &mut S) {
    let ids: Vec<_> = (0..5).map(|n| create(store, &n.to_string())).collect();
    edit(store, ids[0], "title", "again");
    assert_eq!(on(store, |tx| tx.outbox().unwrap()), ids);
    assert_eq!(on(store, |tx| tx.unsent_count().unwrap()), 5);
}

fn a_removed_record_is_gone_from_everywhere<S: Subject>(store: &mut S) {
    let id = create(store, "x");
    on(store, |tx| tx.remove(id).unwrap());
    assert_eq!(load(store, id), None);
    assert_eq!(on(store, |tx| tx.outbox().unwrap()), []);
}

fn what_was_taken_is_sent_no_more<S: Subject>(store: &mut S) {
    let id = create(store, "x");
    let request = next(store);
    let applied = take(store, &request, &answer(&request, &Judgement::Taken, &[])).unwrap();
    assert_eq!((applied.taken, applied.scope_changed), (1, true));
    assert_eq!(load(store, id).unwrap().unsent, None);
    let empty = next(store);
    assert_eq!((empty.records.len(), empty.push.next), (0, None));
    assert_eq!(empty.push.tokens, [request.push.next.unwrap()]);
    assert_eq!(empty.cursor.as_deref(), Some("cursor-1"));
}

fn a_save_during_the_push_stays_unsent<S: Subject>(store: &mut S) {
    let id = create(store, "一");
    let request = next(store);
    edit(store, id, "title", "二");
    take(store, &request, &answer(&request, &Judgement::Taken, &[])).unwrap();
    let local = load(store, id).unwrap();
    assert_eq!(local.unsent.unwrap().base.unwrap().shown_text("title"), Some("一"));
    assert_eq!(next(store).records.len(), 1);
}

fn a_lost_answer_is_resent_in_the_chain<S: Subject>(store: &mut S) {
    let id = create(store, "x");
    let (first, again) = (next(store), next(store));
    assert_eq!(first.push.next, again.push.next, "nothing was written since");
    assert_eq!(again.push.tokens, [first.push.next.unwrap()]);
    edit(store, id, "title", "y");
    let later = next(store);
    assert_ne!(later.push.next, first.push.next, "something was written since");
    assert_eq!(later.push.tokens, [first.push.next.unwrap()]);
    assert_eq!(next(store).push.tokens, [first.push.next.unwrap(), later.push.next.unwrap()]);
}

fn an_answer_applied_twice_changes_nothing<S: Subject>(store: &mut S) {
    let id = create(store, "x");
    let request = next(store);
    let mut other = load(store, id).unwrap().record;
    let dot = yaoguan_model::Dot::new(ReplicaId([5; 16]), 1);
    other.put(&set(Some(&other.clone()), "address", "村口"), dot);
    let response = answer(&request, &Judgement::Taken, &[other]);
    take(store, &request, &response).unwrap();
    let once = (state(store), load(store, id));
    take(store, &request, &response).unwrap();
    let twice = (state(store), load(store, id));
    assert_eq!(once.1, twice.1);
    assert_eq!((once.0.cursor, once.0.acked), (twice.0.cursor, twice.0.acked));
    assert_eq!(store.quarantined().len(), 0);
}

fn what_is_refused_or_held_is_set_apart<S: Subject>(store: &mut S) {
    for (n, judgement) in
        [refusal(), Judgement::Held { hold: HoldId::new([3; 16]) }].into_iter().enumerate()
    {
        let id = create(store, "一");
        let request = next(store);
        take(store, &request, &answer(&request, &Judgement::Taken, &[])).unwrap();
        edit(store, id, "title", "二");
        let request = next(store);
        edit(store, id, "address", "村口");
        let replica = state(store).replica;
        take(store, &request, &answer(&request, &judgement, &[])).unwrap();
        let local = load(store, id).unwrap();
        assert_eq!(local.record.shown_text("title"), Some("一"), "back to the base");
        assert_eq!(local.record.shown_text("address"), Some("村口"), "a later save stays");
        let apart = store.quarantined();
        assert_eq!(apart.len(), n + 1);
        assert!(apart[n].kept.changes.paths.contains_key("title"));
        assert_ne!(state(store).replica, replica, "the saves set apart keep the old id");
        let request = next(store);
        assert_eq!((request.push.tokens.len(), request.records.len()), (0, 1));
        take(store, &request, &answer(&request, &Judgement::Taken, &[])).unwrap();
    }
}

fn an_unknown_judgement_keeps_the_save<S: Subject>(store: &mut S) {
    let id = create(store, "x");
    let request = next(store);
    take(store, &request, &answer(&request, &Judgement::Unknown, &[])).unwrap();
    assert!(load(store, id).unwrap().unsent.is_some());
    assert_eq!(next(store).records.len(), 1);
}

fn a_broken_answer_changes_nothing<S: Subject>(store: &mut S) {
    let id = create(store, "x");
    let request = next(store);
    let before = (state(store), load(store, id));
    let mut response = answer(&request, &Judgement::Taken, &[before.1.clone().unwrap().record]);
    response.feed[0].record.as_mut().unwrap().context[0].0 = 99;
    assert!(take(store, &request, &response).is_err());
    assert_eq!((state(store), load(store, id)), before, "page and cursor are one");
}

fn a_new_epoch_voids_cursor_and_chain<S: Subject>(store: &mut S) {
    let id = create(store, "一");
    let request = next(store);
    take(store, &request, &answer(&request, &Judgement::Taken, &[])).unwrap();
    edit(store, id, "title", "二");
    let request = next(store);
    let other = Epoch::new([1; 16]);
    let answer = SyncResponse { epoch: other, ..answer(&request, &Judgement::Taken, &[]) };
    let replica = state(store).replica;
    assert!(take(store, &request, &answer).unwrap().more);
    let after = state(store);
    assert_eq!((after.cursor, after.acked, after.epoch), (None, None, Some(other)));
    assert!(after.reconcile && after.attempts.is_empty() && after.replica != replica);
    let local = load(store, id).unwrap();
    assert_eq!(local.record.shown_text("title"), Some("二"), "the save is there, unsent");
    assert_eq!(next(store).records.len(), 1);
}

fn an_unknown_kind_goes_back_unharmed<S: Subject>(store: &mut S) {
    let mut foreign = Record::new(
        System.new_record_id(),
        Kind::Unknown("dispute".into()),
        AccountId::from_bytes([8; 16]),
    );
    let dot = yaoguan_model::Dot::new(ReplicaId([5; 16]), 3);
    foreign.put(&set(None, "mediated.x-1", "调解"), dot);
    let request = next(store);
    take(store, &request, &answer(&request, &Judgement::Taken, &[foreign.clone()])).unwrap();
    let kept = load(store, foreign.id).unwrap().record;
    assert_eq!(canonical::encode(&kept), canonical::encode(&foreign));
    edit(store, foreign.id, "title", "own");
    let request = next(store);
    let sent = unpack(&request.replicas, request.records[0].clone()).unwrap();
    assert_eq!(sent.siblings("mediated.x-1"), foreign.siblings("mediated.x-1"));
}
