//! What a person may be in the town.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::BadId;

/// Roles, least first. An account has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Own patrols, and hazards of own grids.
    Volunteer,
    /// 联防长: also the households of own grids.
    Chief,
    /// Grids of own villages or the whole town: review, dispatch, return, close.
    Supervisor,
    /// Accounts, devices, grids, templates; no household content.
    Admin,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Volunteer, Role::Chief, Role::Supervisor, Role::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volunteer => "volunteer",
            Self::Chief => "chief",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        }
    }
}
impl FromStr for Role {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId { text: text.to_owned(), expected: "role" };
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(bad)
    }
}
