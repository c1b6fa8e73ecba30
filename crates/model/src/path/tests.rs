//! What is a path, and its parts.

use super::*;

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

#[test]
fn segments_of_plain_characters_joined_by_dots_are_paths() {
    for text in ["title", "a.b.c", "photos.0a", "$deleted", "timeline.01-a_B$", "9"] {
        assert_eq!(path(text).as_str(), text);
    }
    let longest = "x".repeat(MAX_PATH_BYTES);
    assert!(longest.parse::<FieldPath>().is_ok());
}

#[test]
fn anything_else_is_refused_with_its_text() {
    for text in ["", ".", "a.", ".a", "a..b", "a b", "标题", "a/b", "a\0", "a\n"] {
        assert_eq!(text.parse::<FieldPath>(), Err(BadPath(text.to_owned())));
    }
    assert!("x".repeat(MAX_PATH_BYTES + 1).parse::<FieldPath>().is_err());
}

#[test]
fn head_and_key_part_at_the_first_dot() {
    assert_eq!((path("a.b.c").head(), path("a.b.c").key()), ("a", Some("b.c")));
    assert_eq!((path("title").head(), path("title").key()), ("title", None));
    assert_eq!(FieldPath::element("photos", "ab").unwrap(), path("photos.ab"));
    assert!(FieldPath::element("photos", "").is_err());
}

#[test]
fn only_the_deletion_register_is_it() {
    assert!(deleted().is_deleted());
    assert!(!path("$deleted.x").is_deleted());
    assert_eq!(path(DELETED), deleted());
}

#[test]
fn reading_json_refuses_what_parsing_refuses() {
    assert!(serde_json::from_str::<FieldPath>("\"a.b\"").is_ok());
    assert!(serde_json::from_str::<FieldPath>("\"a..b\"").is_err());
}
