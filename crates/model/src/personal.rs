//! Numbers of a person in free text: identity cards, bank cards, mobile telephones.
//!
//! A form warns before it saves one (docs/PRIVACY.md). Nothing is stored about it, nothing is refused:
//! a number that only looks like one is the person's to judge.

use serde::Serialize;

/// Groups that are read as one number: `6222 0212 3456 7890 123`.
const MAX_GROUPS: usize = 6;
/// Digits of a bank card (ISO/IEC 7812; Chinese cards have 16 to 19).
const BANK_CARD: std::ops::RangeInclusive<usize> = 16..=19;

/// What a number looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonalNumber {
    IdCard,
    BankCard,
    Mobile,
}

/// What a text seems to hold, each sort once.
pub fn find(text: &str) -> Vec<PersonalNumber> {
    let mut found: Vec<PersonalNumber> = runs(text).iter().flat_map(|run| of_run(run)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Groups of digits with one space or dash between them; `x` is the last sign of some identity cards.
fn runs(text: &str) -> Vec<Vec<String>> {
    let (mut runs, mut run, mut group) = (Vec::new(), Vec::new(), String::new());
    let mut gap = 0;
    for sign in text.chars().map(narrow).chain(['\0', '\0']) {
        if sign.is_ascii_digit() || (sign == 'X' && group.len() > 1) {
            group.push(sign);
            gap = 0;
            continue;
        }
        if !group.is_empty() {
            run.push(std::mem::take(&mut group));
        }
        gap += 1;
        if (gap > 1 || !matches!(sign, ' ' | '-')) && !run.is_empty() {
            runs.push(std::mem::take(&mut run));
        }
    }
    runs
}

/// The ASCII sign of a full-width one, as Chinese keyboards write them.
fn narrow(sign: char) -> char {
    let code = u32::from(sign);
    match sign {
        'x' | 'ｘ' | 'Ｘ' => 'X',
        '－' | '–' | '—' => '-',
        '\u{3000}' | '\u{a0}' => ' ',
        '０'..='９' => char::from_u32(code - u32::from('０') + u32::from('0')).unwrap_or(sign),
        _ => sign,
    }
}

fn of_run(run: &[String]) -> Vec<PersonalNumber> {
    let mut found = Vec::new();
    for from in 0..run.len() {
        for groups in 1..=MAX_GROUPS.min(run.len() - from) {
            let parts = run.get(from..from + groups).unwrap_or_default();
            let number = parts.concat();
            if is_id_card(&number) {
                found.push(PersonalNumber::IdCard);
            } else if is_bank_card(&number) {
                found.push(PersonalNumber::BankCard);
            } else if is_mobile(&number) && grouped_as_mobile(parts) {
                found.push(PersonalNumber::Mobile);
            }
        }
    }
    found
}

/// Seventeen digits and a check sign: GB 11643, ISO/IEC 7064 MOD 11-2. The date of birth must be one.
fn is_id_card(number: &str) -> bool {
    let signs = number.as_bytes();
    let part = |from: usize, to: usize| {
        number.get(from..to).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0)
    };
    let digits = |signs: &[u8]| signs.iter().all(u8::is_ascii_digit);
    let Some((body, &[check])) = signs.split_at_checked(17) else { return false };
    let (year, month, day) = (part(6, 10), part(10, 12), part(12, 14));
    let born = (1880..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    // Weights are 2^17 … 2^1 modulo 11.
    let sum = body.iter().fold(0, |sum, sign| (sum + u32::from(sign.wrapping_sub(b'0'))) * 2 % 11);
    let value = (12 - sum) % 11;
    let expected = if value == 10 { b'X' } else { b'0' + u8::try_from(value).unwrap_or(0) };
    digits(body) && born && check == expected
}

/// By Luhn's check sum (ISO/IEC 7812-1, annex B). One sign over and over is no card.
fn is_bank_card(number: &str) -> bool {
    let signs = number.as_bytes();
    let doubled = |(at, sign): (usize, &u8)| {
        let digit = u32::from(sign.wrapping_sub(b'0'));
        if at % 2 == 1 { digit * 2 % 10 + digit * 2 / 10 } else { digit }
    };
    let sum: u32 = signs.iter().rev().enumerate().map(doubled).sum();
    BANK_CARD.contains(&signs.len())
        && signs.iter().all(u8::is_ascii_digit)
        && signs.iter().any(|sign| Some(sign) != signs.first())
        && sum.is_multiple_of(10)
}

/// Eleven digits from 13 to 19, with or without the country's 86.
fn is_mobile(number: &str) -> bool {
    let bare = if number.len() == 13 { number.strip_prefix("86") } else { Some(number) };
    bare.is_some_and(|bare| {
        let mut signs = bare.bytes();
        bare.len() == 11
            && signs.next() == Some(b'1')
            && signs.next().is_some_and(|second| (b'3'..=b'9').contains(&second))
            && signs.all(|sign| sign.is_ascii_digit())
    })
}

/// In one piece, or as people write it: 138 0000 0000, with 86 before it or not. A date with an hour is
/// not.
fn grouped_as_mobile(parts: &[String]) -> bool {
    let lengths: Vec<usize> = parts.iter().map(String::len).collect();
    matches!(*lengths, [11 | 13] | [3, 4, 4] | [2, 11] | [2, 3, 4, 4] | [5, 4, 4])
}

#[cfg(test)]
mod tests {
    use super::PersonalNumber::{BankCard, IdCard, Mobile};
    use super::*;

    #[test]
    fn an_identity_card_is_known_by_its_check_sign_and_its_date() {
        // The example of GB 11643, and one that ends in X.
        for text in [
            "户主 11010519491231002X",
            "身份证：440524188001010014。",
            "１１０１０５１９４９１２３１００２ｘ",
        ] {
            assert_eq!(find(text), [IdCard], "{text}");
        }
        assert_eq!(find("110105 19491231 002X"), [IdCard]);
        for text in ["110105194912310021", "110105194913310024", "11010519491231002"] {
            assert!(!find(text).contains(&IdCard), "{text}");
        }
    }

    #[test]
    fn a_bank_card_is_known_by_its_check_sum() {
        assert_eq!(find("卡号6222021234567890128"), find("6222 0212 3456 7890 128"));
        assert_eq!(find("4111-1111-1111-1111"), [BankCard]);
        assert_eq!(find("4111111111111112"), []);
        assert_eq!(find("0000000000000000"), []);
    }

    #[test]
    fn a_mobile_number_is_found_as_people_write_it() {
        for text in
            ["打13800000000", "138 0000 0000", "138-0000-0000", "+86 13800000000", "8613800000000"]
        {
            assert_eq!(find(text), [Mobile], "{text}");
        }
    }

    #[test]
    fn what_patrols_write_is_no_number_of_a_person() {
        let plain = [
            "2026-11-25 10:30 村道K12+300处，裂缝长约3米，宽0.02米",
            "15 2026 11 25",
            "24.56210, 99.12840",
            "0875-1234567",
            "12345678901",
            "网格 530521103201001",
            "",
        ];
        for text in plain {
            assert_eq!(find(text), [], "{text}");
        }
    }

    #[test]
    fn several_sorts_are_each_named_once() {
        let text = "13800000000、13900000000，11010519491231002X";
        assert_eq!(find(text), [IdCard, Mobile]);
    }
}
