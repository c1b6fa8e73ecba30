//! Words to be found in Chinese text by an index of three characters (FTS5's trigram tokenizer).
//!
//! Most Chinese words have two characters. Each Han character is therefore followed by a mark, in the index and
//! in what is asked: 滑坡 becomes 滑\u{1}坡\u{1}, four characters, and is found inside 山体滑坡.

/// Follows each Han character.
pub const MARK: char = '\u{1}';
/// Words of one question; more narrow nothing that a person means.
const MAX_WORDS: usize = 8;

/// Text as it is indexed.
pub fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars().filter(|c| *c != '\0' && *c != MARK) {
        out.push(c);
        if is_han(c) {
            out.push(MARK);
        }
    }
    out
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

/// CJK ideographs: the unified block, extension A, the compatibility block, and the planes beyond.
fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_two_characters_is_long_enough_and_one_is_not() {
        assert_eq!(expression("滑坡").as_deref(), Some("\"滑\u{1}坡\u{1}\""));
        assert_eq!((expression("坡"), expression("ab"), expression(" ")), (None, None, None));
        assert_eq!(expression("a\"bc").as_deref(), Some("\"a\"\"bc\""), "a quote is a quote");
        assert!(marked("山体滑坡").contains(&marked("滑坡")));
    }
}
