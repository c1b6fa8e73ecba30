//! The map that phones fetch, as storage keeps it: what it is. The file lies in the data folder
//! (see [`crate::tiles`]).

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use yaoguan_media::pmtiles::TileKind;
use yaoguan_model::BlobHash;

use crate::audit::Attribution;
use crate::error::TownError;

/// A published map.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    pub hash: BlobHash,
    pub size: u64,
    pub about: AboutTiles,
    /// The town's time, in seconds.
    pub published_at: i64,
}

/// What whoever draws it has to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AboutTiles {
    /// `mvt`, `png`, `jpeg`, `webp`.
    #[schema(value_type = String)]
    pub kind: TileKind,
    pub min_zoom: u8,
    pub max_zoom: u8,
    /// West, south, east, north, in degrees.
    pub bounds: [f64; 4],
    /// Names of the layers of vector tiles.
    pub layers: Vec<String>,
    pub attribution: String,
}

/// The map. Each method is one transaction.
#[async_trait]
pub trait Maps: Send + Sync {
    /// The map that phones fetch; none: they have their own, or none.
    async fn published_tiles(&self) -> Result<Option<Published>, TownError>;
    /// Publishes a map in place of the one before, or none.
    async fn publish_tiles(
        &self,
        tiles: Option<Published>,
        done: Attribution,
    ) -> Result<(), TownError>;
}
