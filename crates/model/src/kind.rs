//! The kinds of record.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::schema::KindSpec;

/// What a record is about. A phone keeps kinds that it does not know, and sends them back unharmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Patrol,
    Hazard,
    Household,
    HouseholdCheck,
    Task,
    Notice,
    /// A grid of the town with its boundary; written by the town.
    Grid,
    /// A household-check template; written by the town.
    Template,
    Unknown(Box<str>),
}

impl Kind {
    /// Every kind this program knows.
    pub const ALL: [Kind; 8] = [
        Kind::Patrol,
        Kind::Hazard,
        Kind::Household,
        Kind::HouseholdCheck,
        Kind::Task,
        Kind::Notice,
        Kind::Grid,
        Kind::Template,
    ];

    pub fn as_str(&self) -> &str {
        match self {
            Self::Patrol => "patrol",
            Self::Hazard => "hazard",
            Self::Household => "household",
            Self::HouseholdCheck => "household_check",
            Self::Task => "task",
            Self::Notice => "notice",
            Self::Grid => "grid",
            Self::Template => "template",
            Self::Unknown(word) => word,
        }
    }

    /// The paths and rules of the kind; `None` for one that this program does not know.
    pub fn spec(&self) -> Option<&'static KindSpec> {
        match self {
            Self::Patrol => Some(&crate::patrol::SPEC),
            Self::Hazard => Some(&crate::hazard::SPEC),
            Self::Household => Some(&crate::household::SPEC),
            Self::HouseholdCheck => Some(&crate::household_check::SPEC),
            Self::Task => Some(&crate::task::SPEC),
            Self::Notice => Some(&crate::notice::SPEC),
            Self::Grid => Some(&crate::grid::SPEC),
            Self::Template => Some(&crate::template::SPEC),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Kind {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        Ok(known.unwrap_or_else(|| Self::Unknown(text.into())))
    }
}
impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Ok(text.parse().unwrap_or_else(|never: Infallible| match never {}))
    }
}
