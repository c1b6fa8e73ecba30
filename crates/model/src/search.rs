//! Words to be found in Chinese text by an index of three characters (FTS5's trigram tokenizer).
//!
//! Most Chinese words have two characters, and some have one. Each Han character therefore stands between marks, in
//! the index and in what is asked: 滑坡 becomes \u{1}滑\u{1}坡\u{1}, of which 滑\u{1}坡 is found inside 山体滑坡, and
//! \u{1}坡\u{1} is the character by itself. Two marks stand before a run of letters and digits, so that one or two of them are
//! found where such a run begins.

/// Stands on both sides of each Han character, and twice before a run of letters and digits.
pub const MARK: char = '\u{1}';
/// Words of one question; more narrow nothing that a person means.
const MAX_WORDS: usize = 8;
/// What the index takes apart: fewer characters are not looked up.
const LEAST: usize = 3;

/// Text as it is indexed.
pub fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut after_mark, mut in_run) = (false, false);
    for c in text.chars().filter(|c| *c != '\0' && *c != MARK) {
        let (han, run) = (is_han(c), !is_han(c) && c.is_alphanumeric());
        if han && !after_mark {
            out.push(MARK);
        }
        if run && !in_run {
            out.extend(std::iter::repeat_n(MARK, if after_mark { 1 } else { 2 }));
        }
        out.push(c);
        if han {
            out.push(MARK);
        }
        (after_mark, in_run) = (han, run);
    }
    out
}

/// What is asked, as an FTS5 expression: every word must occur. One or two letters or digits are looked for where a word begins.
/// `None` when there is nothing to be looked up.
pub fn expression(question: &str) -> Option<String> {
    let words = question.split_whitespace().take(MAX_WORDS).filter_map(looked_up);
    let quoted: Vec<String> = words.map(|w| format!("\"{}\"", w.replace('"', "\"\""))).collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

/// A word as it stands in the index, wherever it begins; with as many of the marks around it as make it long enough.
fn looked_up(word: &str) -> Option<String> {
    let whole = marked(word);
    let bare = whole.trim_matches(MARK);
    let missing = LEAST.saturating_sub(bare.chars().count());
    let before = whole.chars().take_while(|c| *c == MARK).count().min(missing);
    let after = whole.chars().rev().take_while(|c| *c == MARK).count().min(missing - before);
    let marks = |count| std::iter::repeat_n(MARK, count);
    let found: String = marks(before).chain(bare.chars()).chain(marks(after)).collect();
    (found.chars().count() >= LEAST && !bare.is_empty()).then_some(found)
}

/// CJK ideographs: the unified block, extension A, the compatibility block, and the planes beyond.
fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(question: &str, text: &str) -> bool {
        let asked = expression(question).unwrap();
        let words = asked.split(' ').map(|word| word.trim_matches('"').replace("\"\"", "\""));
        words.into_iter().all(|word| word.chars().count() >= 3 && marked(text).contains(&word))
    }

    #[test]
    fn a_word_of_one_or_two_characters_is_found_in_chinese_text() {
        for word in
            ["滑坡", "坡", "滑", "山", "体滑坡", "3号", "号", "13号", "第", "第13", "1", "13", "rd"]
        {
            assert!(finds(word, "山体滑坡第13号, Rd rd5"), "{word}");
        }
        assert!(finds("滑坡 13", "第13号滑坡"), "each word by itself");
        for (word, text) in [("坡滑", "山体滑坡"), ("3", "第13号"), ("d", "rd"), ("坡", "土堆")]
        {
            assert!(!finds(word, text), "{word}");
        }
    }

    #[test]
    fn what_cannot_be_looked_up_is_not() {
        assert_eq!((expression(" "), expression("#"), expression("\u{1}")), (None, None, None));
        assert_eq!(
            expression("a\"bc").as_deref(),
            Some("\"a\"\"\u{1}\u{1}bc\""),
            "a quote is a quote"
        );
    }
}
