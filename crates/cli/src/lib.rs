//! `yaoguan`, a field client without a screen, and `yaoguan-town`, the server: two adapters over
//! `yaoguan-field` and `yaoguan-town`. Every word that a person reads stands in `locales/`.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 usage.

pub mod help;
pub mod output;
pub mod phone;
pub mod progress;
mod said;
pub mod town;
pub mod words;
