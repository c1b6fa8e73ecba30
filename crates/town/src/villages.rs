//! The town's 12 villages and communities, by the codes of the National Bureau of Statistics (2023).

const VILLAGES: &str = include_str!("../data/villages.csv");
/// Digits of a village's code, with which the codes of its grids begin.
pub const CODE_CHARS: usize = 12;

/// Codes and names, in the order of codes.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    VILLAGES.lines().skip(1).filter_map(|line| line.split_once(','))
}

/// The name of a village; none: the town has no such village.
pub fn name_of(code: &str) -> Option<&'static str> {
    all().find(|(own, _)| *own == code).map(|(_, name)| name)
}
