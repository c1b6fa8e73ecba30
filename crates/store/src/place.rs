//! Places: what lies in a box, and what lies nearest; both walk the R-tree.

use rusqlite::params;
use yaoguan_model::position::Around;
use yaoguan_model::{Kind, Position};

use crate::error::StoreError;
use crate::open::Store;
use crate::query::Stored;
use yaoguan_model::geodesy;

const WITHIN: &str = "SELECT record.body, unsent.record IS NOT NULL AS unsent \
     FROM place CROSS JOIN record ON record.seq = place.record \
     LEFT JOIN unsent ON unsent.record = record.seq \
     WHERE place.lat_max >= ?1 AND place.lat_min <= ?2 AND place.lon_max >= ?3 \
     AND place.lon_min <= ?4 AND record.kind = ?5 LIMIT ?6";

/// Circles in which the nearest are looked for, in metres: the smallest that holds enough is taken.
const CIRCLES_M: [f64; 4] = [300.0, 1_500.0, 8_000.0, 40_000.0];
/// Records that are looked at in one circle.
const MAX_LOOKED_AT: u32 = 2_000;

impl Store {
    /// Live records of a kind within a box, at most `limit`.
    pub fn within(&self, kind: &Kind, area: Around, limit: u32) -> Result<Vec<Stored>, StoreError> {
        let Around { lat_min, lat_max, lon_min, lon_max } = area;
        self.records(WITHIN, params![lat_min, lat_max, lon_min, lon_max, kind.as_str(), limit])
    }

    /// The records of a kind that lie nearest, with their distance in metres.
    pub fn nearest(
        &self,
        kind: &Kind,
        at: Position,
        limit: usize,
    ) -> Result<Vec<(Stored, f64)>, StoreError> {
        let mut found = Vec::new();
        for radius_m in CIRCLES_M {
            let inside = self.within(kind, at.around(radius_m), MAX_LOOKED_AT)?;
            found = inside
                .into_iter()
                .filter_map(|stored| {
                    let place = stored.record.shown("position").and_then(Position::of)?;
                    let distance = geodesy::distance_m(at, place);
                    (distance <= radius_m).then_some((stored, distance))
                })
                .collect();
            if found.len() >= limit {
                break;
            }
        }
        found.sort_by(|(a, x), (b, y)| x.total_cmp(y).then(a.record.id.cmp(&b.record.id)));
        found.truncate(limit);
        Ok(found)
    }

    /// Households whose address holds these few characters, in the order of addresses. For words too
    /// short for the search index; walks the index of addresses.
    pub fn by_address(&self, part: &str, limit: u32) -> Result<Vec<Stored>, StoreError> {
        let sql = "SELECT record.body, unsent.record IS NOT NULL AS unsent FROM household \
             JOIN record ON record.seq = household.record \
             LEFT JOIN unsent ON unsent.record = record.seq \
             WHERE household.deletion IN (0, 2) AND instr(household.address, ?1) > 0 \
             ORDER BY household.address, household.record LIMIT ?2";
        self.records(sql, params![part, limit])
    }
}
