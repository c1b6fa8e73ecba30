//! Search that finds Chinese words.
//!
//! The trigram tokenizer needs three characters, but most Chinese words have two. Each Han character is
//! therefore followed by a mark, in the index and in what is asked: 滑坡 becomes 滑\u{1}坡\u{1}, four
//! characters, and is found inside 山体滑坡.

use yaoguan_model::Record;

const MARK: char = '\u{1}';
/// Words of one question; more narrow nothing that a person means.
const MAX_WORDS: usize = 8;

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
        text.extend(words.chars().map(initial).filter(|c| *c != MARK && *c != '\0'));
        text.push('\n');
    }
    text
}

fn initial(c: char) -> char {
    use pinyin::ToPinyin as _;
    c.to_pinyin().and_then(|pinyin| pinyin.first_letter().chars().next()).unwrap_or(c)
}

/// What is asked, as an FTS5 expression: every word must occur. `None` when no word is long enough to be
/// looked up (one Han character, or fewer than three letters).
pub fn expression(question: &str) -> Option<String> {
    let words = question.split_whitespace().take(MAX_WORDS).map(marked);
    let long_enough = words.filter(|word| word.chars().count() >= 3);
    let quoted: Vec<String> =
        long_enough.map(|w| format!("\"{}\"", w.replace('"', "\"\""))).collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars().filter(|c| *c != '\0' && *c != MARK) {
        out.push(c);
        if is_han(c) {
            out.push(MARK);
        }
    }
    out
}

/// CJK ideographs: the unified block, extension A, the compatibility block, and the planes beyond.
fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}
