//! What is asked of a collection's items (OGC 17-069r4 §7.15): box, time, page.

use chrono::DateTime;
use serde::Deserialize;
use yaoguan_model::RecordId;
use yaoguan_model::position::PER_DEGREE;

use crate::storage::features::Bounds;

/// Features of a page unless said otherwise, and at most.
pub const DEFAULT_LIMIT: u32 = 100;
pub const MAX_LIMIT: u32 = 1_000;

/// What is wanted. What this does not know is refused, as the standard asks.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// West, south, east, north in degrees; with six numbers heights are not looked at.
    bbox: String,
    /// A time of RFC 3339, or two with a slash; an end left open is `..` or empty.
    datetime: String,
    /// Features of a page; more than 1000 are cut to that.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// Features that are passed over.
    pub(super) offset: u64,
    /// From the `next` link.
    #[param(value_type = Option<String>)]
    pub(super) after: Option<RecordId>,
}

impl Wanted {
    /// None where it is no number of features.
    pub(super) fn limit(&self) -> Option<u32> {
        Some(self.limit.unwrap_or(DEFAULT_LIMIT)).filter(|n| *n > 0).map(|n| n.min(MAX_LIMIT))
    }

    /// None where it is no box.
    pub(super) fn bounds(&self) -> Option<Option<Bounds>> {
        if self.bbox.is_empty() {
            return Some(None);
        }
        let numbers = self.bbox.split(',').map(|text| text.trim().parse::<f64>().ok());
        let numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
        let (west, south, east, north) = match *numbers.as_slice() {
            [west, south, east, north] | [west, south, _, east, north, _] => {
                (west, south, east, north)
            }
            _ => return None,
        };
        let fits = |n: f64, most: f64| n.is_finite() && n.abs() <= most;
        let lies = fits(west, 180.0) && fits(east, 180.0) && fits(south, 90.0) && fits(north, 90.0);
        // Outwards: a point on the edge is inside.
        let (low, high) =
            (|n: f64| (n * PER_DEGREE).floor() as i64, |n: f64| (n * PER_DEGREE).ceil() as i64);
        (lies && south <= north).then(|| {
            Some(Bounds {
                west: low(west),
                south: low(south),
                east: high(east),
                north: high(north),
            })
        })
    }

    /// None where it is no time.
    pub(super) fn times(&self) -> Option<(Option<i64>, Option<i64>)> {
        let at = |text: &str| Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp());
        let end = |text: &str| match text {
            "" | ".." => Some(None),
            text => at(text).map(Some),
        };
        match self.datetime.split_once('/') {
            None if self.datetime.is_empty() => Some((None, None)),
            None => at(&self.datetime).map(|at| (Some(at), Some(at))),
            Some((from, until)) => {
                let (from, until) = (end(from)?, end(until)?);
                let backwards = from.zip(until).is_some_and(|(from, until)| from > until);
                (!backwards).then_some((from, until))
            }
        }
    }
}

/// A query without these parameters.
pub(super) fn without(query: &str, names: &[&str]) -> String {
    let is_other = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && !names.contains(&name)
    };
    query.split('&').filter(is_other).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bbox: &str, datetime: &str) -> Wanted {
        Wanted { bbox: bbox.to_owned(), datetime: datetime.to_owned(), ..Wanted::default() }
    }

    #[test]
    fn a_box_has_four_or_six_numbers_in_range() {
        let bounds = |west, south, east, north| Some(Some(Bounds { west, south, east, north }));
        let e7 = 10_000_000;
        let plain = bounds(99 * e7, 24 * e7, 100 * e7, 25 * e7);
        assert_eq!(of("99,24,100,25", "").bounds(), plain);
        assert_eq!(of("99,24,-5,100,25,5000", "").bounds(), plain);
        assert_eq!(
            of("179,-10,-179,10", "").bounds(),
            bounds(179 * e7, -10 * e7, -179 * e7, 10 * e7)
        );
        assert_eq!(of("", "").bounds(), Some(None));
        for bad in ["1,2,3", "a,b,c,d", "0,10,1,5", "0,0,181,1", "0,0,NaN,1", "1,2,3,4,5", ","] {
            assert_eq!(of(bad, "").bounds(), None, "{bad}");
        }
    }

    #[test]
    fn a_time_is_an_instant_or_an_interval_with_open_ends() {
        let second = 1_767_225_600;
        assert_eq!(of("", "2026-01-01T00:00:00Z").times(), Some((Some(second), Some(second))));
        assert_eq!(of("", "2026-01-01T08:00:00+08:00/..").times(), Some((Some(second), None)));
        assert_eq!(of("", "/2026-01-01T00:00:00Z").times(), Some((None, Some(second))));
        for bad in ["yesterday", "2026-01-01", "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"] {
            assert_eq!(of("", bad).times(), None, "{bad}");
        }
    }

    #[test]
    fn a_page_has_a_size() {
        let limit = |limit| Wanted { limit, ..Wanted::default() }.limit();
        assert_eq!((limit(None), limit(Some(7))), (Some(DEFAULT_LIMIT), Some(7)));
        assert_eq!((limit(Some(0)), limit(Some(10_000))), (None, Some(MAX_LIMIT)));
    }

    #[test]
    fn the_next_link_keeps_what_else_was_asked() {
        assert_eq!(
            without("bbox=1,2,3,4&offset=5&limit=2&after=x", &["after", "offset"]),
            "bbox=1,2,3,4&limit=2"
        );
        assert_eq!(without("", &["after"]), "");
    }
}
