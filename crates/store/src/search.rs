//! What of a record is searched; how Chinese words are found stands in [`yaoguan_model::search`].

use yaoguan_model::Record;
pub use yaoguan_model::search::expression;
use yaoguan_model::search::marked;

/// The text of a record, over all siblings, as it is indexed.
pub(crate) fn text(record: &Record, paths: &[&str]) -> String {
    let mut text = String::new();
    for path in paths {
        for value in record.distinct(path) {
            if let Some(words) = value.as_text() {
                text.push_str(&marked(words));
                text.push('\n');
            }
        }
    }
    text
}

/// The first letters of the pinyin of these paths, over all siblings: 上街12号 is also found as `sj12h`.
pub(crate) fn initials(record: &Record, paths: &[&str]) -> String {
    let mut text = String::new();
    for words in paths.iter().flat_map(|path| record.distinct(path)).filter_map(|v| v.as_text()) {
        text.push_str(&marked(&words.chars().map(initial).collect::<String>()));
        text.push('\n');
    }
    text
}

fn initial(c: char) -> char {
    use pinyin::ToPinyin as _;
    c.to_pinyin().and_then(|pinyin| pinyin.first_letter().chars().next()).unwrap_or(c)
}
