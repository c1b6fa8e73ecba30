//! Records as features of a map: hazards as points, patrols as lines. Scope is in every statement.

use async_trait::async_trait;
use yaoguan_model::cells::Cell;
use yaoguan_model::{Kind, Record, RecordId};

use crate::error::TownError;

/// What maps are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    Hazards,
    /// Simplified lines, not the fixes.
    PatrolLines,
}

impl Collection {
    pub const ALL: [Self; 2] = [Self::Hazards, Self::PatrolLines];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hazards => "hazards",
            Self::PatrolLines => "patrol_lines",
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::Hazards => Kind::Hazard,
            Self::PatrolLines => Kind::Patrol,
        }
    }

    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.as_str() == name)
    }
}

/// A box in 1e-7 degrees. `west` beyond `east` goes over the 180th meridian (RFC 7946 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub west: i64,
    pub south: i64,
    pub east: i64,
    pub north: i64,
}

/// Which features are wanted.
#[derive(Debug, Clone)]
pub struct FeatureAsk {
    pub cells: Vec<Cell>,
    pub collection: Collection,
    /// Those whose own box touches it.
    pub bounds: Option<Bounds>,
    /// Those whose time touches it, in seconds; both ends belong to it.
    pub from: Option<i64>,
    pub until: Option<i64>,
    /// The last of the page before.
    pub after: Option<RecordId>,
    pub offset: u64,
    pub limit: u32,
}

/// A page of features, in the order of their ids.
#[derive(Debug, Clone)]
pub struct FeaturePage {
    pub records: Vec<Record>,
    /// All that are wanted, whatever the page.
    pub matched: u64,
    /// There are some behind this page.
    pub more: bool,
}

/// Where and when the features of a collection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub bounds: Bounds,
    pub begins: i64,
    pub ends: i64,
}

/// Features. Each method is one transaction.
#[async_trait]
pub trait Features: Send + Sync {
    async fn features(&self, ask: FeatureAsk) -> Result<FeaturePage, TownError>;
    async fn feature(
        &self,
        cells: Vec<Cell>,
        collection: Collection,
        id: RecordId,
    ) -> Result<Option<Record>, TownError>;
    /// None where no feature has a place.
    async fn extent(
        &self,
        cells: Vec<Cell>,
        collection: Collection,
    ) -> Result<Option<Extent>, TownError>;
}
