//! The shape of a JSON text, measured before anything is built from it.

use crate::limits::{MAX_JSON_DEPTH, MAX_JSON_VALUES};

/// How deep a text goes and how much stands in it. Of a text that is not JSON it says little, and the
/// parser says the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// Lists and objects that are open at once.
    pub depth: usize,
    /// Names and values, at least as many as there are.
    pub values: usize,
}

/// A text that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    TooDeep,
    TooMany,
}

impl Shape {
    /// One pass over the bytes, without memory of its own.
    pub fn of(json: &[u8]) -> Self {
        let (mut shape, mut open) = (Self { depth: 0, values: 1 }, 0_usize);
        let (mut in_text, mut escaped) = (false, false);
        for byte in json {
            if in_text {
                in_text = escaped || *byte != b'"';
                escaped = !escaped && *byte == b'\\';
                continue;
            }
            match byte {
                b'"' => in_text = true,
                b'[' | b'{' => {
                    open += 1;
                    shape.depth = shape.depth.max(open);
                    shape.values += 1;
                }
                b']' | b'}' => open = open.saturating_sub(1),
                b',' | b':' => shape.values += 1,
                _ => {}
            }
        }
        shape
    }

    /// Within the limits of a message.
    pub fn check(self) -> Result<(), Unfit> {
        if self.depth > MAX_JSON_DEPTH {
            return Err(Unfit::TooDeep);
        }
        if self.values > MAX_JSON_VALUES { Err(Unfit::TooMany) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_values_are_those_of_the_text() {
        assert_eq!(Shape::of(b"1"), Shape { depth: 0, values: 1 });
        assert_eq!(Shape::of(br#"{"a":[1,2,{}]}"#).depth, 3);
        assert!(Shape::of(br#"{"a":[1,2,{}]}"#).values >= 6);
    }

    #[test]
    fn what_stands_in_a_text_is_not_structure() {
        let shape = Shape::of(br#"["[[[\"{{{,,,:::\\", "\\\\", "\\"]"#);
        assert_eq!(shape, Shape { depth: 1, values: 4 });
    }

    #[test]
    fn the_limits_are_the_last_that_pass() {
        let nested = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
        assert_eq!(Shape::of(&nested(MAX_JSON_DEPTH)).check(), Ok(()));
        assert_eq!(Shape::of(&nested(MAX_JSON_DEPTH + 1)).check(), Err(Unfit::TooDeep));
        let many = |n: usize| [b"[".as_slice(), &b"1,".repeat(n - 2), b"1]"].concat();
        assert_eq!(Shape::of(&many(MAX_JSON_VALUES)).check(), Ok(()));
        assert_eq!(Shape::of(&many(MAX_JSON_VALUES + 1)).check(), Err(Unfit::TooMany));
    }
}
