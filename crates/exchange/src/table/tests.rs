//! Hostile and ordinary tables.

use super::*;
use crate::error::{MappingError, TableError};

const HEAD: &str = r#"
kind = "hazard"
source = "test"
[key]
columns = ["id"]
[field.category]
columns = ["type"]
values = { "Rock Fall" = "slope", "火灾" = "fire" }
[field.severity]
constant = "general"
[field.grid]
constant = "530521103201001"
[field.title]
columns = ["title"]
[field.seen_at]
columns = ["date", "time"]
dates = ["%m/%d/%Y"]
times = ["%I:%M %p"]
[field.position]
columns = ["lat", "lon"]
"#;
const COLUMNS: &str = "id,type,title,date,time,lat,lon\r\n";

fn mapping(table: &str) -> Mapping {
    format!("{HEAD}\n[table]\n{table}").parse().unwrap()
}

fn read_rows(table: &str, rows: &[u8]) -> Table {
    read(&[COLUMNS.as_bytes(), rows].concat(), &mapping(table)).unwrap()
}

fn codes(row: &Row) -> Vec<&'static str> {
    row.outcome.as_ref().map_or_else(|r| r.iter().map(|r| r.code).collect(), |_| vec![])
}

fn title(row: &Row) -> &str {
    row.outcome.as_ref().unwrap().fields["title"].as_text().unwrap()
}

#[test]
fn a_good_row_becomes_fields() {
    let table = read_rows("", b" 7 , rock  FALL ,a,1/2/2007,2:30 PM,24.6,-99.25\r\n");
    let imported = table.rows[0].outcome.as_ref().unwrap();
    assert_eq!((imported.source.as_str(), imported.source_key.as_str()), ("test", "7"));
    let field = |path: &str| imported.fields[path].clone();
    assert_eq!(field("category"), Value::text("slope"));
    assert_eq!(field("status"), Value::text("reported"));
    assert_eq!(field("source_key"), Value::text("7"));
    assert_eq!(field("seen_at"), Value::Int(1_167_719_400));
    assert_eq!(field("position").get("lon"), Some(&Value::Int(-992_500_000)));
    assert_eq!(field("position").get("source"), Some(&Value::text("import")));
}

#[test]
fn a_row_names_every_reason() {
    let table = read_rows("", b",fog,a,13/40/2007,,0,0\r\n");
    let row = &table.rows[0];
    assert_eq!(codes(row), ["key_missing", "not_in_table", "not_a_position", "not_a_date"]);
    let reasons = row.outcome.as_ref().unwrap_err();
    assert_eq!(reasons[1].column.as_deref(), Some("type"));
    assert_eq!(reasons[1].to_string(), "category: `fog` is not in the value table (column type)");
    assert_eq!(reasons[2].column.as_deref(), Some("lat + lon"));
}

#[test]
fn positions_are_decimal_degrees_in_range() {
    for (lat, lon, good) in [
        ("90", "-180", true),
        ("90.0000001", "1", false),
        ("1e1", "1", false),
        ("24,6", "1", false),
        ("NaN", "1", false),
        ("", "1", false),
        ("0", "1", true),
        ("+1.5", "1.", false),
    ] {
        let row = format!("1,rock fall,a,1/2/2007,,\"{lat}\",{lon}\n");
        let table = read_rows("", row.as_bytes());
        assert_eq!(table.rows[0].outcome.is_ok(), good, "{lat} {lon}");
    }
    let table = read_rows("", b"1,rock fall,a,1/2/2007,,33.35406635,-33.35406635\n");
    let position = table.rows[0].outcome.as_ref().unwrap().fields["position"].clone();
    assert_eq!(position.get("lat"), Some(&Value::Int(333_540_664)));
    assert_eq!(position.get("lon"), Some(&Value::Int(-333_540_664)));
}

#[test]
fn dates_of_two_digit_years_and_other_times_are_refused() {
    assert_eq!(codes(&read_rows("", b"1,rock fall,a,1/2/07,,1,1").rows[0]), ["not_a_date"]);
    assert_eq!(codes(&read_rows("", b"1,rock fall,a,1/2/2007,noon,1,1").rows[0]), ["not_a_time"]);
    assert_eq!(codes(&read_rows("", b"1,rock fall,a,,,1,1").rows[0]), ["missing"]);
    assert!(read_rows("", b"1,rock fall,a,2007-01-02,13:00,1,1").rows[0].outcome.is_ok());
}

#[test]
fn lines_are_physical_lines() {
    for end in ["\r\n", "\n"] {
        let text = "1,rock fall,\"two\nlines\",1/2/2007,,1,1|2,fog,a,1/2/2007,,1,1||\
            3,rock fall,a,1/2/2007,,1,1|,,,,,,|4,rock fall,a,1/2/2007,,1,1"
            .replace('|', end);
        let head = COLUMNS.replace("\r\n", end);
        let table = read(format!("{head}{text}").as_bytes(), &mapping("")).unwrap();
        let lines: Vec<u64> = table.rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 4, 6, 8], "{end:?}");
        assert_eq!(title(&table.rows[0]), "two lines");
    }
}

#[test]
fn an_unclosed_quote_is_a_reject() {
    let table = read_rows("", b"1,rock fall,a,1/2/2007,,1,1\n2,rock fall,\"a,1/2/2007,,1,1\n3,x\n");
    assert_eq!(table.rows.len(), 2);
    assert!(table.rows[0].outcome.is_ok());
    assert_eq!(table.rows[1].line, 3);
    assert!(codes(&table.rows[1]).contains(&"unclosed_quote"));
}

#[test]
fn ragged_rows_and_control_characters_are_rejects() {
    let table = read_rows(
        "",
        b"1,rock fall\n2,rock fall,a,1/2/2007,,1,1,x\n3,rock fall,a\0b,1/2/2007,,1,1",
    );
    assert_eq!(codes(&table.rows[0]), ["ragged"]);
    assert_eq!(codes(&table.rows[1]), ["ragged"]);
    assert_eq!(codes(&table.rows[2]), ["wrong_form"]);
}

#[test]
fn a_line_of_ten_megabytes_is_one_reject() {
    let mut rows = b"1,rock fall,".to_vec();
    rows.extend(vec![b'x'; 10 * 1024 * 1024]);
    rows.extend(b",1/2/2007,,1,1\n2,rock fall,a,1/2/2007,,1,1\n");
    let table = read_rows("", &rows);
    assert_eq!(codes(&table.rows[0]), ["cell_too_long"]);
    assert!(table.rows[1].outcome.is_ok());
}

#[test]
fn a_text_beyond_the_limit_is_a_reject_unless_it_may_be_cut() {
    let row = format!("1,rock fall,{},1/2/2007,,1,1", "字".repeat(201));
    let bytes = [COLUMNS, &row].concat();
    let table = read(bytes.as_bytes(), &mapping("")).unwrap();
    assert_eq!(codes(&table.rows[0]), ["too_long"]);
    assert_eq!(table.rows[0].outcome.as_ref().unwrap_err()[0].params["max"], "200");
    let cut = HEAD.replace("columns = [\"title\"]", "columns = [\"title\"]\ncut = true");
    let table = read(bytes.as_bytes(), &cut.parse().unwrap()).unwrap();
    assert_eq!(title(&table.rows[0]), format!("{}…", "字".repeat(199)));
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

#[test]
fn gbk_is_read_when_named_and_when_detected() {
    let rows =
        gbk("1,火灾,姚关镇后山滑坡隐患点,1/2/2007,,1,1\n2,火灾,蒜园村房屋墙体开裂,1/2/2007,,1,1\n");
    for table in ["encoding = \"gbk\"", "encoding = \"auto\""] {
        let table = read_rows(table, &rows);
        assert_eq!(title(&table.rows[0]), "姚关镇后山滑坡隐患点");
        assert_eq!(table.encoding, "gbk");
    }
    assert_eq!(codes(&read_rows("encoding = \"utf-8\"", &rows).rows[0]), ["encoding"]);
}

#[test]
fn a_mixed_file_is_read_row_by_row() {
    let mut rows = "1,火灾,姚关镇,1/2/2007,,1,1\n".as_bytes().to_vec();
    rows.extend(gbk(
        "2,火灾,姚关镇后山滑坡隐患点,1/2/2007,,1,1\n3,火灾,蒜园村房屋墙体开裂,1/2/2007,,1,1\n",
    ));
    let table = read_rows("", &rows);
    let titles: Vec<&str> = table.rows.iter().map(title).collect();
    assert_eq!(titles, ["姚关镇", "姚关镇后山滑坡隐患点", "蒜园村房屋墙体开裂"]);
    assert_eq!(table.encoding, "utf-8 and gbk");
}

#[test]
fn a_byte_of_no_encoding_is_a_reject_that_shows_the_byte() {
    let table = read_rows(
        "encoding = \"windows-1252\"",
        b"1,rock fall,Z\xFCrich,1/2/2007,,1,1\n2,rock fall,x\x81y,1/2/2007,,1,1\n",
    );
    assert_eq!(title(&table.rows[0]), "Zürich");
    assert_eq!(codes(&table.rows[1]), ["encoding"]);
    assert_eq!(table.rows[1].cells[2], "x\\x81y");
    let mut rows = "1,火灾,姚关,1/2/2007,,1,1\n2,火灾,姚关,1/2/2007,,1,1\n".as_bytes().to_vec();
    rows.extend(b"3,rock fall,x\xFFy,1/2/2007,,1,1\n");
    let table = read_rows("", &rows);
    assert_eq!(codes(&table.rows[2]), ["encoding"]);
    assert_eq!(title(&table.rows[1]), "姚关");
}

#[test]
fn a_replacement_character_is_not_data() {
    let table = read_rows("", "1,rock fall,S\u{FFFD}o,1/2/2007,,1,1".as_bytes());
    assert_eq!(codes(&table.rows[0]), ["lost_character"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_header() {
    let bytes = format!("\u{FEFF}{COLUMNS}1,rock fall,a,1/2/2007,,1,1");
    assert!(read(bytes.as_bytes(), &mapping("")).unwrap().rows[0].outcome.is_ok());
}

#[test]
fn files_that_are_no_such_table_are_refused() {
    let refused = |bytes: &[u8]| read(bytes, &mapping("")).unwrap_err();
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(b"i\0d\0".iter().copied()).collect();
    assert!(matches!(refused(b""), TableError::Empty));
    assert!(matches!(refused(&utf16), TableError::Utf16));
    assert!(matches!(refused(&[0xD0, 0xCF, 0x11, 0xE0, 0]), TableError::OldWorkbook));
    assert!(
        matches!(refused(b"a,b\n1,2\n"), TableError::NoSuchColumn { column } if column == "date")
    );
    let twice = COLUMNS.replace("title", "id");
    assert!(matches!(refused(twice.as_bytes()), TableError::ColumnTwice { .. }));
    let wide = ",".repeat(limits::MAX_COLUMNS);
    assert!(matches!(refused(wide.as_bytes()), TableError::TooManyColumns { .. }));
    let huge = vec![b'x'; limits::MAX_FILE_BYTES + 1];
    assert!(matches!(refused(&huge), TableError::TooLarge { .. }));
    for broken in [b"PK\x03\x04".to_vec(), [b"PK\x03\x04".as_slice(), &[0; 500]].concat()] {
        assert!(read(&broken, &mapping("")).is_err());
    }
    let many = "1\n".repeat(limits::MAX_ROWS + 2);
    assert!(matches!(refused(many.as_bytes()), TableError::TooManyRows { .. }));
}

#[test]
fn a_workbook_gives_the_same_as_its_csv() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("隐患").unwrap();
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    sheet.write_row(1, 0, COLUMNS.trim().split(',')).unwrap();
    sheet.write_number(2, 0, 7).unwrap();
    sheet.write_row(2, 1, ["火灾", "后山"]).unwrap();
    let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2007, 1, 2).unwrap();
    sheet.write_datetime_with_format(2, 3, &day, &date).unwrap();
    sheet.write_number(2, 5, 24.6).unwrap();
    sheet.write_number(2, 6, 99.2).unwrap();
    sheet.write_row(4, 0, ["8", "rock fall", "b", "1/2/2007", "", "x", "1"]).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let table = read(&bytes, &mapping("header = 2\nsheet = \"隐患\"")).unwrap();
    assert_eq!(table.encoding, "xlsx");
    let lines: Vec<u64> = table.rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 5]);
    assert_eq!(codes(&table.rows[1]), ["not_a_position"]);
    let csv = "7,火灾,后山,2007-01-02,,24.6,99.2".as_bytes();
    assert_eq!(table.rows[0].outcome, read_rows("", csv).rows[0].outcome);
    let other = read(&bytes, &mapping("sheet = \"x\""));
    assert!(matches!(other, Err(TableError::NoSuchSheet { there, .. }) if there == ["隐患"]));
}

fn rule(text: &str) -> (usize, String, String) {
    match text.parse::<Mapping>().unwrap_err() {
        MappingError::Rule { line, key, problem } => (line, key, problem),
        MappingError::Toml(error) => (0, error.to_string(), String::new()),
    }
}

#[test]
fn a_mapping_cannot_name_what_the_schema_lacks() {
    let with = |more: &str| rule(&format!("{HEAD}{more}"));
    let line = HEAD.lines().count() + 1;
    let (at, key, _) = with("[field.ethnicity]\ncolumns = [\"x\"]\n");
    assert_eq!((at, key.as_str()), (line, "ethnicity"));
    let (at, key, problem) = with("[field.description]\ncolumns = [\"身份证号\"]\n");
    assert_eq!((at, key.as_str()), (line, "description"));
    assert!(problem.contains("may not be recorded"));
    for more in [
        "[field.status]\nconstant = \"closed\"\n",
        "[field.assignee]\ncolumns = [\"x\"]\n",
        "[field.due_on]\ncolumns = [\"x\"]\ndates = [\"%Q\"]\n",
        "[field.address]\n",
        "[field.address]\nconstant = \"x\"\ndefault = \"y\"\n",
    ] {
        assert_eq!(with(more).0, line, "{more}");
    }
    let (at, _, problem) = rule(&HEAD.replace("\"general\"", "\"deadly\""));
    assert!(at > 0 && problem.contains("must be one of"), "{problem}");
    assert!(rule(&HEAD.replace("values = ", "valeus = ")).1.contains("valeus"));
    assert_eq!(rule(&HEAD.replace("\"hazard\"", "\"person\"")).1, "person");
    let (_, _, problem) = rule(&HEAD.replace("[field.grid]", "[field.address]"));
    assert!(problem.contains("field.grid"), "{problem}");
}
