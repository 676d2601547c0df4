//! Files as other programs read them.

use std::io::Read as _;

use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use bytes::Bytes;
use zip::ZipArchive;

use super::fields::{Field, FieldKind};
use super::*;
use crate::export::parquet::ParquetWriter;
use crate::export::xlsx::XlsxWriter;

fn heads_of(kinds: &[FieldKind]) -> Vec<(String, FieldKind)> {
    let named = kinds.iter().enumerate();
    named
        .map(|(place, kind)| (format!("c{place}"), *kind))
        .collect()
}

fn text(text: &str) -> Field {
    Field::Text(text.to_owned())
}

/// The parts of a workbook by name.
fn unzip(bytes: Vec<u8>, name: &str) -> Option<String> {
    let mut archive = ZipArchive::new(io::Cursor::new(bytes)).expect("a workbook");
    let mut part = archive.by_name(name).ok()?;
    let mut text = String::new();
    part.read_to_string(&mut text).expect("a text");
    Some(text)
}

#[test]
fn a_workbook_has_typed_cells_no_formulas_and_as_many_sheets_as_it_needs() {
    let kinds = [
        FieldKind::Text,
        FieldKind::Number,
        FieldKind::Moment,
        FieldKind::Boolean,
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let mut xlsx =
        XlsxWriter::new(Vec::new(), folder.path(), heads_of(&kinds), true, 4).expect("a writer");
    let attack = "=HYPERLINK(\"http://evil.example\",\"x\")";
    for row in 0..7 {
        let number = Field::Number(f64::from(row) + 0.5);
        xlsx.row(&[
            text(attack),
            number,
            Field::Moment(1_700_000_000_000),
            Field::Boolean(true),
        ])
        .expect("a row");
    }
    let long = "\u{1F600}".repeat(20_000);
    xlsx.row(&[
        text(&long),
        Field::Null,
        Field::Moment(i64::MAX / 1_000_000),
        Field::Integer(i64::MAX),
    ])
    .expect("a row");
    let bytes = xlsx.finish().expect("a workbook");
    let sheet = |number: u8| unzip(bytes.clone(), &format!("xl/worksheets/sheet{number}.xml"));
    let first = sheet(1).expect("a sheet");
    assert!(!first.contains("<f>"), "{first}");
    assert!(
        first.contains("=HYPERLINK(") && first.contains("<v>0.5</v>"),
        "{first}"
    );
    assert!(first.contains("t=\"b\""), "{first}");
    assert_eq!(first.matches("<row ").count(), 4);
    let third = sheet(3).expect("a third sheet");
    assert_eq!(third.matches("<row ").count(), 3);
    assert!(third.contains("9223372036854775807"), "{third}");
    assert!(sheet(4).is_none());
    let styles = unzip(bytes, "xl/styles.xml").expect("styles");
    assert!(styles.contains("quotePrefix=\"1\""), "{styles}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn parquet_gives_back_what_was_put_in() {
    let kinds = [
        FieldKind::Text,
        FieldKind::Integer,
        FieldKind::Number,
        FieldKind::Boolean,
        FieldKind::Moment,
        FieldKind::Day,
    ];
    let mut parquet = ParquetWriter::new(Vec::new(), &heads_of(&kinds)).expect("a writer");
    let row = vec![
        text("grön\0\u{1F600}"),
        Field::Integer(i64::MAX),
        Field::Number(4_990.25),
        Field::Boolean(false),
        Field::Moment(-1),
        Field::Day(19_000),
    ];
    // More than one row group.
    for _ in 0..30_000 {
        parquet.row(row.clone()).expect("a row");
    }
    parquet.row(vec![Field::Null; 6]).expect("a row");
    let bytes = Bytes::from(parquet.finish().expect("a file"));
    let reader = SerializedFileReader::new(bytes).expect("a file");
    assert_eq!(reader.metadata().file_metadata().num_rows(), 30_001);
    assert_eq!(reader.metadata().num_row_groups(), 2);
    let rows: Vec<String> = reader
        .get_row_iter(None)
        .expect("rows")
        .map(|row| row.expect("a row").to_string())
        .collect();
    assert_eq!(
        rows[0],
        "{c0: \"grön\0\u{1F600}\", c1: 9223372036854775807, c2: 4990.25, c3: false, \
         c4: 1969-12-31 23:59:59.999 +00:00, c5: 2022-01-08}"
    );
    assert_eq!(rows[0], rows[29_999]);
    assert_eq!(
        rows[30_000],
        "{c0: null, c1: null, c2: null, c3: null, c4: null, c5: null}"
    );
}

#[test]
fn a_name_that_is_no_file_is_refused_before_anything_is_written() {
    for path in ["", "..", "/", "folder/.."] {
        assert_eq!(
            partial_name(Path::new(path)).expect_err(path).code,
            "bad_path",
            "{path}"
        );
    }
    let beside = partial_name(Path::new("a/b.csv")).expect("a name");
    assert_eq!(beside.parent(), Some(Path::new("a")));
}
