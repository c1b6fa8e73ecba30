//! Files out: records of a kind as CSV, XLSX or GeoJSON.

use std::io::Write;
use std::str::FromStr;

use yaoguan_exchange::Lang;
use yaoguan_exchange::export::{write_csv, write_geojson, write_xlsx};
use yaoguan_model::Kind;

use crate::error::FieldError;
use crate::phone::Phone;

/// Formats of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Xlsx,
    GeoJson,
}

impl FromStr for Format {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Self::Csv),
            "xlsx" => Ok(Self::Xlsx),
            "geojson" => Ok(Self::GeoJson),
            _ => Err("csv, geojson, xlsx".to_owned()),
        }
    }
}

impl Phone {
    /// Writes every live record of a kind, in the order of their ids; returns how many there are.
    pub fn export(
        &self,
        kind: &Kind,
        format: Format,
        out: &mut impl Write,
    ) -> Result<u64, FieldError> {
        let mut records = Vec::new();
        self.store.each(kind, |record| {
            records.push(record);
            Ok(())
        })?;
        let lang = if self.lang == "zh" { Lang::Zh } else { Lang::En };
        match format {
            Format::Csv => write_csv(kind, records.iter(), lang, out)?,
            Format::Xlsx => write_xlsx(kind, records.iter(), lang, out)?,
            Format::GeoJson => write_geojson(kind, records.iter(), out)?,
        }
        use yaoguan_model::deletion::{self, Deletion};
        let live = |record: &&yaoguan_model::Record| deletion::state(record) != Deletion::Deleted;
        Ok(records.iter().filter(live).count() as u64)
    }
}
