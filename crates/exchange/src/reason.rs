//! Why a row is not imported: a stable code and its parts, so that any surface can say it in any
//! language. `Display` is English.

use std::collections::BTreeMap;
use std::fmt;

use yaoguan_model::schema::Problem;

use crate::limits::MAX_SHOWN_CHARS;

/// One thing that is wrong with one row. Codes never change their meaning; see docs/IMPORT.md.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub code: &'static str,
    /// The column it was read from, where one can be named (several: joined by ` + `).
    pub column: Option<String>,
    /// The field it was meant for.
    pub field: Option<String>,
    /// What stands in the cell, cut to [`MAX_SHOWN_CHARS`].
    pub value: String,
    /// What else the words need: `max`, `min`, `expected`, `found`.
    pub params: BTreeMap<&'static str, String>,
}

/// Every code that a reason may have.
pub const CODES: &[&str] = &[
    "encoding",
    "lost_character",
    "unclosed_quote",
    "ragged",
    "cell_too_long",
    "key_missing",
    "key_invalid",
    "missing",
    "not_in_table",
    "not_a_word",
    "not_a_date",
    "not_a_time",
    "not_a_number",
    "not_a_position",
    "too_long",
    "out_of_range",
    "wrong_form",
];

impl Reason {
    pub(crate) fn new(code: &'static str, value: &str) -> Self {
        debug_assert!(CODES.contains(&code));
        let value = value.chars().take(MAX_SHOWN_CHARS).collect();
        Self { code, column: None, field: None, value, params: BTreeMap::new() }
    }
    pub(crate) fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }
    pub(crate) fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.insert(name, value.to_string());
        self
    }

    /// What the schema says about a converted value.
    pub(crate) fn of_problem(problem: &Problem, value: &str) -> Self {
        match problem {
            Problem::NotAWord(words) => {
                Self::new("not_a_word", value).with("expected", words.join(", "))
            }
            Problem::TooLong(max) => Self::new("too_long", value).with("max", max),
            Problem::OutOfRange { min, max } => {
                Self::new("out_of_range", value).with("min", min).with("max", max)
            }
            Problem::Missing => Self::new("missing", value),
            Problem::WrongType(what) => Self::new("wrong_form", value).with("expected", what),
            Problem::UnknownField
            | Problem::TooMany(_)
            | Problem::Immutable
            | Problem::TooLarge(_) => Self::new("wrong_form", value).with("expected", problem),
        }
    }

    fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        let value = &self.value;
        match self.code {
            "encoding" => write!(f, "`{value}` holds bytes that fit no encoding of the mapping"),
            "lost_character" => write!(f, "`{value}` holds U+FFFD: an earlier program lost text"),
            "unclosed_quote" => f.write_str("a quotation mark is opened here and never closed"),
            "ragged" => {
                let (found, expected) = (self.param("found"), self.param("expected"));
                write!(f, "has {found} cells, the header has {expected}")
            }
            "cell_too_long" => write!(f, "a cell is longer than {} bytes", self.param("max")),
            "key_missing" => f.write_str("the row has no key"),
            "key_invalid" => write!(f, "the key `{value}` is too long or holds control characters"),
            "missing" => f.write_str("must be there and is empty"),
            "not_in_table" => write!(f, "`{value}` is not in the value table"),
            "not_a_date" => write!(f, "`{value}` is a date in none of the formats"),
            "not_a_time" => write!(f, "`{value}` is a time of day in none of the formats"),
            "not_a_number" => write!(f, "`{value}` is not a whole number"),
            "not_a_position" => {
                write!(f, "`{value}` is not latitude and longitude in degrees, or is 0,0")
            }
            "not_a_word" => write!(f, "`{value}` is none of: {}", self.param("expected")),
            "too_long" => write!(f, "is longer than {} characters", self.param("max")),
            "out_of_range" => {
                let (min, max) = (self.param("min"), self.param("max"));
                write!(f, "`{value}` does not lie between {min} and {max}")
            }
            other => write!(f, "`{value}` must be {} ({other})", self.param("expected")),
        }?;
        self.column.as_ref().map_or(Ok(()), |column| write!(f, " (column {column})"))
    }
}
