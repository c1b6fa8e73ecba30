use yaoguan_model::env::System;

use super::*;

fn grids() -> BTreeSet<GridCode> {
    let codes = ["530521103201001", "530521103201002", "530521103202001"];
    codes.iter().map(|code| code.parse().unwrap()).collect()
}

fn person(login: &str, name: &str, role: Role, codes: &str) -> Person {
    let (whole_town, grids) = coverage(codes, &grids()).unwrap().into_parts();
    let id = AccountId(System.new_record_id().0);
    let account = Account { id, name: name.to_owned(), role, whole_town, grids, scope_version: 1 };
    let login = Some(login.to_owned());
    Person { account, login, disabled: false, has_password: false, has_totp: false }
}

fn read_text(text: &str, people: &[Person]) -> Roster {
    read(text.as_bytes(), people, &grids(), &System).unwrap()
}

#[test]
fn english_and_chinese_headings_and_words_are_the_same() {
    let english = "login,name,role,grids\nw1,王,chief,530521103201001\nw2,李,supervisor,*\n";
    let chinese = "姓名,账号,角色,网格\n王,w1,联防长,530521103201001\n李,W2,督导,*\n";
    for text in [english, chinese] {
        let roster = read_text(text, &[]);
        assert!(roster.bad.is_empty(), "{:?}", roster.bad);
        let [chief, supervisor] = roster.new.as_slice() else { panic!("two accounts") };
        assert_eq!((chief.login.as_deref(), chief.account.role), (Some("w1"), Role::Chief));
        assert_eq!(supervisor.login.as_deref(), Some("w2"));
        assert!(supervisor.account.whole_town && supervisor.account.grids.is_empty());
    }
}

#[test]
fn utf_8_with_a_mark_and_gbk_read_the_same() {
    let text = "账号,姓名,角色,网格\nw1,王小明,联防长,530521103201001\n";
    let marked = [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat();
    // GBK of the same line, by another program (`iconv -t GBK`).
    let gbk: Vec<u8> = [
        &b"\xd5\xcb\xba\xc5,\xd0\xd5\xc3\xfb,\xbd\xc7\xc9\xab,\xcd\xf8\xb8\xf1\nw1,"[..],
        &b"\xcd\xf5\xd0\xa1\xc3\xf7,\xc1\xaa\xb7\xc0\xb3\xa4,530521103201001\n"[..],
    ]
    .concat();
    for bytes in [marked, gbk] {
        let roster = read(&bytes, &[], &grids(), &System).unwrap();
        assert!(roster.bad.is_empty(), "{:?}", roster.bad);
        assert_eq!(roster.new[0].account.name, "王小明", "{}", roster.encoding);
    }
}

#[test]
fn a_village_stands_for_its_grids_and_several_are_joined() {
    let all = |text: &str| match coverage(text, &grids()).unwrap() {
        Coverage::WholeTown => 99,
        Coverage::Grids(grids) => grids.len(),
    };
    assert_eq!(all("530521103201"), 2);
    assert_eq!(all("530521103201; 530521103202001"), 3);
    assert_eq!(all("530521103201001 530521103201001，530521103202"), 2);
    assert_eq!((all(""), all("*")), (0, 99));
    assert_eq!(coverage("5.30521E+14;530521103209", &grids()).unwrap_err().len(), 2);
}

#[test]
fn every_reason_of_every_bad_row_is_named_with_its_line() {
    let text = "login,name,role,grids\n\
                a,王,chief,530521103201001\n\
                w1,,mayor,530521103209001\n\
                w2,李,chief,\n\
                w3,李,chief,*\n\
                w4,李,admin,530521103201001\n\
                w5,李,volunteer,530521103201\n\
                w5,李,volunteer,530521103201\n\
                w6,李,chief\n";
    let roster = read_text(text, &[]);
    let bad: Vec<(u64, usize)> = roster.bad.iter().map(|b| (b.line, b.problems.len())).collect();
    assert_eq!(bad, [(2, 1), (3, 3), (4, 1), (5, 1), (6, 1), (8, 1), (9, 1)]);
    assert_eq!(roster.bad[5].problems, [Problem::LoginTwice(7)]);
    assert_eq!(roster.new.len(), 1);
}

#[test]
fn the_same_table_again_changes_nothing_and_another_row_changes_what_differs() {
    let there = [person("w1", "王", Role::Chief, "530521103201001")];
    let same = read_text("login,name,role,grids\nw1,王,chief,530521103201001\n", &there);
    assert_eq!((same.unchanged, same.new.len(), same.changes.len()), (1, 0, 0));
    let other = read_text("login,name,role,grids\nw1,王,chief,530521103201\n", &there);
    let [change] = other.changes.as_slice() else { panic!("one change") };
    assert!(change.name.is_none() && change.role.is_none() && change.coverage.is_some());
}

#[test]
fn a_column_that_accounts_have_no_place_for_stops_the_table() {
    let read = |text: &str| read(text.as_bytes(), &[], &grids(), &System).unwrap_err();
    assert!(matches!(read("login,name,role,grids,身份证号\n"), RosterError::OddColumn(_)));
    assert!(matches!(read("login,name,role\n"), RosterError::NoColumn("grids")));
    assert!(matches!(read("login,账号,name,role,grids\n"), RosterError::Table(_)));
    assert!(matches!(read(""), RosterError::Table(_)));
}
