//! Before a free text is saved: what in it looks like a number of a person.

use serde::Serialize;
use yaoguan_model::personal::{self, PersonalNumber};

/// A sort of number, for the words of the warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct FoundNumber {
    #[cfg_attr(feature = "ts", ts(type = "'id_card' | 'bank_card' | 'mobile'"))]
    pub looks_like: PersonalNumber,
}

/// What a text seems to hold, each sort once; nothing is kept of it.
pub fn personal_numbers(text: &str) -> Vec<FoundNumber> {
    personal::find(text).into_iter().map(|looks_like| FoundNumber { looks_like }).collect()
}
