//! Seals, on real files, with a clock that the test owns.

use std::sync::atomic::{AtomicI64, Ordering};

use yaoguan_model::env::System;

use super::pin::PinFile;
use super::tries::{FIRST_WAIT_MS, FREE_TRIES, MAX_WAIT_MS};
use super::*;

#[derive(Default)]
struct Boot(AtomicI64);

impl Env for Boot {
    fn now_ms(&self) -> i64 {
        // Somebody sets the clock at will.
        i64::from(System.random_16()[0]) * 1_000_000_000
    }
    fn boot_elapsed_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
    fn random_16(&self) -> [u8; 16] {
        System.random_16()
    }
}

impl Boot {
    fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

fn pin(digits: &str) -> Pin {
    Pin::new(digits.to_owned()).unwrap()
}

#[test]
fn a_pin_is_six_digits_that_are_not_too_simple() {
    for digits in ["", "12345", "1234567", "12345a", "１２３４５６", "      "] {
        assert!(matches!(Pin::new(digits.to_owned()), Err(FieldError::BadPin)), "{digits}");
    }
    for digits in ["000000", "123456", "654321", "234567"] {
        assert!(matches!(Pin::new(digits.to_owned()), Err(FieldError::WeakPin)), "{digits}");
    }
    assert_eq!(format!("{:?}", pin("480213")), "Pin(…)");
}

#[test]
fn the_key_comes_back_with_the_pin_alone_and_an_altered_file_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let (file, env, key) = (PinFile::within(dir.path()), Boot::default(), new_key(&System));
    file.write(&key, &pin("480213"), false, &env).unwrap();
    assert!(file.open(&pin("480213"), None, &env).unwrap() == key);
    assert!(matches!(file.open(&pin("480214"), None, &env), Err(FieldError::WrongPin)));
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(!text.contains("480213"));
    for (from, to) in [("\"t\":3", "\"t\":2"), ("\"bound\":false", "\"bound\":true")] {
        std::fs::write(file.path(), text.replace(from, to)).unwrap();
        let opened = file.open(&pin("480213"), Some(&key), &env);
        assert!(matches!(opened, Err(FieldError::WrongPin)), "{to}");
    }
    std::fs::write(file.path(), text.replace("65536", "99999999")).unwrap();
    assert!(matches!(file.open(&pin("480213"), None, &env), Err(FieldError::Io { .. })));
}

#[test]
fn a_bound_file_needs_the_key_store_too() {
    let dir = tempfile::tempdir().unwrap();
    let (file, env, key) = (PinFile::within(dir.path()), Boot::default(), new_key(&System));
    file.write(&key, &pin("480213"), true, &env).unwrap();
    assert!(file.open(&pin("480213"), Some(&key), &env).unwrap() == key);
    assert!(matches!(file.open(&pin("480213"), None, &env), Err(FieldError::KeyGone)));
    let other = new_key(&System);
    assert!(matches!(file.open(&pin("480213"), Some(&other), &env), Err(FieldError::WrongPin)));
}

/// So many wrong PINs, each after its wait.
fn miss(file: &PinFile, times: u32, env: &Boot) {
    for _ in 0..times {
        env.pass(file.wait_ms(env).unwrap());
        assert!(matches!(file.open(&pin("111222"), None, env), Err(FieldError::WrongPin)));
    }
}

#[test]
fn wrong_pins_are_slowed_up_to_a_limit_and_the_right_one_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let (file, env, key) = (PinFile::within(dir.path()), Boot::default(), new_key(&System));
    file.write(&key, &pin("480213"), false, &env).unwrap();
    miss(&file, FREE_TRIES, &env);
    assert_eq!(file.wait_ms(&env).unwrap(), 0);
    miss(&file, 1, &env);
    assert_eq!(file.wait_ms(&env).unwrap(), FIRST_WAIT_MS);
    // Not even the right one, before the wait is over.
    assert!(matches!(file.open(&pin("480213"), None, &env), Err(FieldError::PinWait)));
    env.pass(FIRST_WAIT_MS - 1);
    assert_eq!(file.wait_ms(&env).unwrap(), 1);
    miss(&file, 1, &env);
    assert_eq!(file.wait_ms(&env).unwrap(), 2 * FIRST_WAIT_MS);
    miss(&file, 4, &env);
    assert_eq!(file.wait_ms(&env).unwrap(), MAX_WAIT_MS);
    env.pass(MAX_WAIT_MS);
    assert!(file.open(&pin("480213"), None, &env).unwrap() == key);
    assert_eq!(file.wait_ms(&env).unwrap(), 0);
}

#[test]
fn neither_a_restart_nor_an_altered_count_shortens_the_wait() {
    let dir = tempfile::tempdir().unwrap();
    let (file, env) = (PinFile::within(dir.path()), Boot(AtomicI64::new(5_000_000)));
    file.write(&new_key(&System), &pin("480213"), false, &env).unwrap();
    miss(&file, FREE_TRIES + 1, &env);
    env.pass(FIRST_WAIT_MS / 2);
    // The device starts anew: the whole wait, and it does end.
    let env = Boot(AtomicI64::new(20_000));
    let file = PinFile::within(dir.path());
    assert_eq!(file.wait_ms(&env).unwrap(), FIRST_WAIT_MS);
    env.pass(FIRST_WAIT_MS);
    assert_eq!(file.wait_ms(&env).unwrap(), 0);
    std::fs::write(dir.path().join("phone.pin.tries"), "{").unwrap();
    assert_eq!(file.wait_ms(&env).unwrap(), MAX_WAIT_MS);
}
