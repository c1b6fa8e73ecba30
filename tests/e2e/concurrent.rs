//! Two phones edit the same record offline: what merges by itself, what a person has to settle.

use serde_json::{Value, json};

use crate::GRID;
use crate::phone::{Phone, sync_each};
use crate::town::Town;

/// A town and three phones of one grid; the first two hold the same record.
struct Case {
    town: Town,
    a: Phone,
    b: Phone,
    c: Phone,
    id: String,
}

impl Case {
    fn new(role: &str) -> Self {
        let town = Town::serving();
        let [a, b, c] = ["a", "b", "c"].map(|name| town.phone(name, role, GRID));
        let sets = ["category=slope", "title=Crack", "address=Behind the school"];
        let id = a.add("hazard", &sets);
        a.sync();
        b.sync();
        assert_eq!(a.show(&id), b.show(&id));
        Self { town, a, b, c, id }
    }

    /// One sync each, and one more of the first, which went before the others had sent.
    fn sync_all(&self) {
        sync_each(&[&self.a, &self.b, &self.c, &self.a]);
    }

    /// What every phone shows, which is the same.
    fn shown(&self) -> Value {
        let shown = self.a.show(&self.id);
        for phone in [&self.b, &self.c] {
            assert_eq!(phone.show(&self.id), shown);
        }
        shown
    }

    /// The record as the town itself has it.
    fn at_the_town(&self) -> Value {
        let page = self.a.ok(&["api", "/v1/records/hazard"]);
        let found = page["records"].as_array().unwrap().iter().find(|r| r["id"] == *self.id);
        found.cloned().unwrap_or_else(|| panic!("the town has no {}: {page}", self.id))
    }

    /// The values of a path, on every phone and at the town.
    fn siblings(&self, path: &str) -> Vec<Value> {
        let (shown, town) = (self.shown(), self.at_the_town());
        assert_eq!(town["fields"], shown["fields"]);
        let at_town = town["siblings"][path].as_array().cloned().unwrap_or_default();
        let list = shown["siblings"][path].as_array().cloned().unwrap_or_default();
        let mut values: Vec<Value> = list.iter().map(|s| s["value"].clone()).collect();
        values.sort_by_key(Value::to_string);
        assert_eq!(values.len(), at_town.len(), "{town}");
        assert!(at_town.iter().all(|value| values.contains(value)), "{town}");
        values
    }

    fn to_settle(&self) -> [Value; 3] {
        [&self.a, &self.b, &self.c].map(|phone| phone.status()["siblings"].clone())
    }

    fn assert_sound(&self) {
        for phone in [&self.a, &self.b, &self.c] {
            phone.assert_sound();
        }
        self.town.assert_sound();
        let counts = [self.a.hazards(), self.b.hazards(), self.c.hazards()];
        assert!(counts.iter().all(|count| *count <= self.town.hazards()), "{counts:?}");
    }
}

#[test]
fn edits_of_different_fields_merge_by_themselves() {
    let case = Case::new("chief");
    case.a.edit(&case.id, "title=Crack of two metres");
    case.b.edit(&case.id, "address=Behind the middle school");
    case.sync_all();
    let shown = case.shown();
    assert_eq!(shown["fields"]["title"], "Crack of two metres");
    assert_eq!(shown["fields"]["address"], "Behind the middle school");
    assert_eq!(shown["siblings"], json!({}));
    assert_eq!(case.to_settle(), [0, 0, 0]);
    case.assert_sound();
}

#[test]
fn edits_of_one_field_are_all_kept_until_one_person_settles_them() {
    let case = Case::new("chief");
    case.c.sync();
    case.a.edit(&case.id, "title=by a");
    case.b.edit(&case.id, "title=by b");
    case.c.edit(&case.id, "title=by c");
    case.sync_all();
    case.b.sync();
    assert_eq!(case.siblings("title"), ["by a", "by b", "by c"]);
    assert_eq!(case.to_settle(), [1, 1, 1]);
    // A phone that was not there when it happened gets all of them from the town.
    let fourth = case.town.phone("d", "chief", GRID);
    assert_eq!(fourth.show(&case.id), case.shown());
    case.assert_sound();

    // The number is the one that `show` gives the value.
    let list = case.b.show(&case.id)["siblings"]["title"].clone();
    let number = 1 + list.as_array().unwrap().iter().position(|s| s["value"] == "by a").unwrap();
    case.b.ok(&["resolve", &case.id, "--keep", &format!("title={number}")]);
    sync_each(&[&case.b, &case.a, &case.c]);
    assert_eq!(case.siblings("title"), Vec::<Value>::new());
    assert_eq!(case.shown()["fields"]["title"], "by a");
    assert_eq!(case.to_settle(), [0, 0, 0]);
    case.assert_sound();
}

#[test]
fn two_people_who_settle_at_once_make_siblings_again() {
    let case = Case::new("chief");
    case.a.edit(&case.id, "title=by a");
    case.b.edit(&case.id, "title=by b");
    case.sync_all();
    assert_eq!(case.siblings("title"), ["by a", "by b"]);
    case.a.ok(&["resolve", &case.id, "--set", "title=settled by a"]);
    case.b.ok(&["resolve", &case.id, "--set", "title=settled by b"]);
    case.sync_all();
    assert_eq!(case.siblings("title"), ["settled by a", "settled by b"]);
    case.c.ok(&["resolve", &case.id, "--set", "title=settled by c"]);
    sync_each(&[&case.c, &case.a, &case.b]);
    assert_eq!(case.shown()["fields"]["title"], "settled by c");
    assert_eq!(case.to_settle(), [0, 0, 0]);
    case.assert_sound();
}

#[test]
fn a_deletion_against_an_edit_is_shown_and_loses_nothing() {
    for (settle, ends_as) in [("undelete", "live"), ("delete", "deleted")] {
        let case = Case::new("chief");
        case.a.ok(&["delete", &case.id]);
        assert_eq!(case.a.show(&case.id)["deletion"], "deleted");
        case.b.edit(&case.id, "description=It has grown since");
        case.sync_all();
        let shown = case.shown();
        assert_eq!(
            (&shown["deletion"], &case.at_the_town()["contested"]),
            (&"contested".into(), &true.into())
        );
        assert_eq!(shown["fields"]["title"], "Crack");
        assert_eq!(shown["fields"]["description"], "It has grown since");
        assert_eq!(case.to_settle(), [1, 1, 1]);
        assert_eq!(case.b.ok(&["list", "hazards"]).as_array().unwrap().len(), 1);

        case.b.ok(&[settle, &case.id]);
        sync_each(&[&case.b, &case.a, &case.c]);
        let shown = case.shown();
        assert_eq!(shown["deletion"], ends_as);
        assert_eq!(shown["fields"]["description"], "It has grown since");
        assert_eq!(case.to_settle(), [0, 0, 0]);
        let live = case.c.ok(&["list", "hazards"]);
        assert_eq!(live.as_array().unwrap().len(), usize::from(ends_as == "live"));
        case.assert_sound();
    }
}

#[test]
fn concurrent_steps_of_two_supervisors_are_both_kept_until_one_settles() {
    let case = Case::new("supervisor");
    case.a.edit(&case.id, "status=verified");
    case.b.ok(&["edit", &case.id, "--set", "status=unfounded", "--note", "Painted, not cracked"]);
    case.sync_all();
    assert_eq!(case.siblings("status"), ["unfounded", "verified"]);
    assert_eq!(case.shown()["fields"]["status"], "verified", "the least finished one is shown");
    case.c.ok(&["resolve", &case.id, "--set", "status=verified"]);
    sync_each(&[&case.c, &case.a, &case.b]);
    assert_eq!(case.siblings("status"), Vec::<Value>::new());
    let shown = case.shown();
    let steps = shown["fields"].as_object().unwrap().iter();
    let told =
        steps.filter(|(path, entry)| path.starts_with("timeline.") && entry["step"] != Value::Null);
    assert_eq!(told.count(), 2, "{shown}");
    assert_eq!(case.to_settle(), [0, 0, 0]);
    case.assert_sound();
}
