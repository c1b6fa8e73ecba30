//! Undoes one well-known accident: UTF-8 read as Mac OS Roman and written as Windows-1252.
//!
//! Only what is certain is undone. Mac OS Roman has characters that Windows-1252 lacks; the accident
//! left a `?` for each, and which one it was cannot be known. A stretch of such characters with a `?`
//! in it or at its border therefore stays as it was read, and so does one that gives no UTF-8.

use encoding_rs::MACINTOSH;

/// The cell with every certain stretch repaired.
pub(super) fn mac_roman(cell: &str) -> String {
    if cell.is_ascii() {
        return cell.to_owned();
    }
    let mut repaired = String::with_capacity(cell.len());
    let mut rest = cell;
    while !rest.is_empty() {
        let odd = |c: char| !c.is_ascii() || c == '?';
        let (plain, tail) = rest.split_at(rest.find(odd).unwrap_or(rest.len()));
        let (stretch, tail) = tail.split_at(tail.find(|c| !odd(c)).unwrap_or(tail.len()));
        repaired.push_str(plain);
        repaired.push_str(certain(stretch).as_deref().unwrap_or(stretch));
        rest = tail;
    }
    repaired
}

fn certain(stretch: &str) -> Option<String> {
    if stretch.contains('?') {
        return None;
    }
    let (bytes, _, unmappable) = MACINTOSH.encode(stretch);
    if unmappable {
        return None;
    }
    String::from_utf8(bytes.into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::mac_roman;

    /// What the accident makes of a text.
    fn damaged(text: &str) -> String {
        let (as_mac, _) = encoding_rs::MACINTOSH.decode_without_bom_handling(text.as_bytes());
        as_mac
            .chars()
            .map(|c| if encoding_rs::WINDOWS_1252.encode(&c.to_string()).2 { '?' } else { c })
            .collect()
    }

    #[test]
    fn certain_stretches_are_repaired() {
        for text in ["Kāthmāndu", "Uttar Pradesh’s hills", "Đồ", "牛栏江"] {
            assert_ne!(damaged(text), text);
            assert_eq!(mac_roman(&damaged(text)), text);
        }
    }

    #[test]
    fn lost_characters_are_not_guessed() {
        for text in ["São Paulo", "Niterói", "Lạng Sơn?"] {
            let damaged = damaged(text);
            assert!(damaged.contains('?'));
            assert_eq!(mac_roman(&damaged), damaged);
        }
    }

    #[test]
    fn text_without_the_accident_stays() {
        for text in ["Zürich", "São Paulo", "plain", "隐患"] {
            assert_eq!(mac_roman(text), text);
        }
    }
}
