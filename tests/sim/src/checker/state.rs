//! A record as it stands somewhere, read from its canonical JSON into plain maps. No code of the product.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Replica (as it is written) and counter.
pub type Dot = (String, u64);

#[derive(Debug, Clone, Default)]
pub struct State {
    pub record: String,
    pub kind: String,
    pub context: BTreeMap<String, u64>,
    /// What each save wrote that still stands: path and value as JSON text.
    pub writes: BTreeMap<Dot, BTreeMap<String, String>>,
    /// The words of this run (see [`token_of`]) that stand here, and under which dots.
    pub tokens: BTreeMap<String, BTreeSet<Dot>>,
}

/// The word of this run in a value: texts that people write begin with `w` and a number, and no two saves
/// write the same one. A timeline entry has it in its note.
pub fn token_of(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value.get("note")?.as_str())?;
    let rest = text.strip_prefix('w')?;
    rest.starts_with(|c: char| c.is_ascii_digit()).then(|| text.to_owned())
}

/// Every word of this run in some JSON.
pub fn tokens_in(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(_) => found.extend(token_of(value)),
        Value::Array(list) => list.iter().for_each(|value| tokens_in(value, found)),
        Value::Object(map) => map.values().for_each(|value| tokens_in(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl State {
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let json: Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        Self::read(&json).ok_or_else(|| "not a record in canonical form".to_owned())
    }

    fn read(json: &Value) -> Option<Self> {
        let mut state = Self {
            record: json.get("id")?.as_str()?.to_owned(),
            kind: json.get("kind")?.as_str()?.to_owned(),
            ..Self::default()
        };
        for entry in json.get("context")?.as_array()? {
            let replica = entry.get(0)?.as_str()?.to_owned();
            state.context.insert(replica, entry.get(1)?.as_u64()?);
        }
        for entry in json.get("writes")?.as_array()? {
            let dot = (entry.get(0)?.as_str()?.to_owned(), entry.get(1)?.as_u64()?);
            let mut written = BTreeMap::new();
            for (path, value) in entry.get(2)?.as_object()? {
                written.insert(path.clone(), value.to_string());
                if let Some(token) = token_of(value) {
                    state.tokens.entry(token).or_default().insert(dot.clone());
                }
            }
            state.writes.insert(dot, written);
        }
        Some(state)
    }

    /// The context says that this dot was seen.
    pub fn covers(&self, (replica, counter): &Dot) -> bool {
        self.context.get(replica).is_some_and(|seen| seen >= counter)
    }

    /// The values of a path.
    pub fn values(&self, path: &str) -> Vec<&str> {
        self.writes.values().filter_map(|written| written.get(path)).map(String::as_str).collect()
    }
}
