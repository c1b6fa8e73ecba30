//! Which aggregates over households may be told (privacy.md: those under 5 are shown as "<5"), and which sums
//! beside them, so that none can be had by subtraction. Pure.
//!
//! A table of households has a row for each grid. A row's sum is told only where every cell of the row is: it
//! says nothing new. A column's sum is told only where what is hidden in the column stays hidden (see
//! [`sum`]). So each hidden cell stands in one equation at most, that of its column, and no combination of
//! answers says more than that equation does.

use serde::{Serialize, Serializer};

/// The least number of households that is told.
pub const LEAST: u64 = 5;

/// What is told of a number of households.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Count(u64),
    /// Under [`LEAST`], none included.
    Few,
    /// At least [`LEAST`], and it would give a hidden number away.
    Withheld,
}

/// A number, `"<5"`, or null.
impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(n) => serializer.serialize_u64(*n),
            Self::Few => serializer.serialize_str("<5"),
            Self::Withheld => serializer.serialize_none(),
        }
    }
}

/// A number by itself.
pub fn cell(n: u64) -> Shown {
    if n < LEAST { Shown::Few } else { Shown::Count(n) }
}

/// The sum of numbers that are told as [`cell`]s. Taking away those that are told leaves the sum of the
/// hidden ones: that must be an aggregate of at least [`LEAST`] over several, and must leave each of them
/// open, which it does unless every one is as large as it can be.
pub fn sum(parts: impl IntoIterator<Item = u64>) -> Shown {
    let (mut total, mut hidden, mut hidden_sum) = (0, 0, 0);
    for part in parts {
        total += part;
        if part < LEAST {
            hidden += 1;
            hidden_sum += part;
        }
    }
    let open = hidden >= 2 && hidden_sum >= LEAST && hidden_sum < hidden * (LEAST - 1);
    match total {
        0..LEAST => Shown::Few,
        _ if hidden == 0 || open => Shown::Count(total),
        _ => Shown::Withheld,
    }
}

/// The sum of what is told; a part that is not told is not told by its sum either.
pub fn sum_of_told(parts: &[Shown]) -> Shown {
    let mut total = 0;
    for part in parts {
        match part {
            Shown::Count(n) => total += n,
            Shown::Few | Shown::Withheld => return Shown::Withheld,
        }
    }
    Shown::Count(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_five_are_few_and_nothing_says_how_many() {
        let told: Vec<Shown> = (0..7).map(cell).collect();
        assert_eq!(told[..5], [Shown::Few; 5]);
        assert_eq!(told[5..], [Shown::Count(5), Shown::Count(6)]);
        let json = serde_json::to_string(&[cell(3), cell(7), Shown::Withheld]).unwrap();
        assert_eq!(json, r#"["<5",7,null]"#);
    }

    #[test]
    fn a_sum_beside_one_hidden_number_is_withheld() {
        assert_eq!(sum([12, 3]), Shown::Withheld);
        assert_eq!(sum([12, 0]), Shown::Withheld);
        assert_eq!(sum([12, 30]), Shown::Count(42));
        assert_eq!(sum([3]), Shown::Few);
        assert_eq!(sum([2, 2]), Shown::Few);
        assert_eq!(sum_of_told(&[Shown::Count(9), Shown::Few]), Shown::Withheld);
        assert_eq!(sum_of_told(&[Shown::Count(9), Shown::Count(5)]), Shown::Count(14));
    }

    /// Whoever knows the rule, the sum and all that is told still finds several values possible for each
    /// hidden number, and their sum to be of five or more. Every column of up to four cells of 0 to 6.
    #[test]
    fn no_hidden_number_follows_from_a_sum_that_is_told() {
        for size in 1..=4_u32 {
            for code in 0..7_u64.pow(size) {
                let cells: Vec<u64> = (0..size).map(|at| code / 7_u64.pow(at) % 7).collect();
                let Shown::Count(total) = sum(cells.iter().copied()) else { continue };
                let told: u64 = cells.iter().filter(|n| **n >= LEAST).sum();
                let hidden = cells.iter().filter(|n| **n < LEAST).count();
                if hidden == 0 {
                    continue;
                }
                assert!(total - told >= LEAST, "{cells:?}");
                let solutions: Vec<u64> = (0..5_u64.pow(u32::try_from(hidden).unwrap())).collect();
                let digits = |code: u64| (0..hidden).map(move |at| code / 5_u64.pow(at as u32) % 5);
                let fits = |code: &&u64| digits(**code).sum::<u64>() == total - told;
                let first: std::collections::BTreeSet<u64> =
                    solutions.iter().filter(fits).filter_map(|code| digits(*code).next()).collect();
                assert!(first.len() > 1, "{cells:?} gives {first:?}");
            }
        }
    }
}
