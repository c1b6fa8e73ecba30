//! Codes that people read and type: 80 random bits, in groups of four, without letters that look alike.

use yaoguan_model::Env;

use super::totp::spell;

/// Crockford's base 32, in small letters.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BYTES: usize = 10;
const GROUP: usize = 4;

/// A new code, like `7k3p-q0zd-m4xt-9bve`.
pub fn new(env: &dyn Env) -> String {
    let random: Vec<u8> = env.random_16().into_iter().take(BYTES).collect();
    let letters: Vec<char> = spell(&random, ALPHABET).chars().collect();
    let groups: Vec<String> = letters.chunks(GROUP).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// A typed code in the form in which it was made: spaces and dashes do not count, nor does what looks
/// alike.
pub fn normal(typed: &str) -> String {
    let plain = typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
    let letters: Vec<char> = plain
        .map(|c| match c {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect();
    let groups: Vec<String> = letters.chunks(GROUP).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use yaoguan_model::env::System;

    use super::*;

    #[test]
    fn a_code_is_known_again_however_it_is_typed() {
        let code = new(&System);
        assert_eq!(code.len(), 19, "{code}");
        assert_eq!(normal(&code), code);
        assert_eq!(normal(&format!(" {} ", code.to_uppercase().replace('-', " "))), code);
        assert_eq!(normal("OIL0-1111"), "0110-1111");
        assert_ne!(new(&System), code);
    }
}
