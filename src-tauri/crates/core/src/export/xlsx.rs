//! XLSX: typed cells, as many sheets as the rows need. Rows go to temporary files beside the result
//! at once, so that memory stays flat.

use std::io::{self, Write};
use std::path::Path;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::fields::{Field, FieldKind};
use super::is_formula;

/// Rows that a sheet takes, the head among them: Excel's own limit.
pub const SHEET_ROWS: u32 = 1_048_576;
/// The longest text of a cell, in UTF-16 units: Excel's own limit.
const LONGEST_TEXT: usize = 32_767;
/// The greatest integer that a spreadsheet's numbers hold exactly.
const GREATEST_INTEGER: i64 = 1 << 53;
const DAY_SECONDS: i64 = 86_400;

pub struct XlsxWriter<W> {
    workbook: Workbook,
    out: W,
    heads: Vec<(String, FieldKind)>,
    formula_guard: bool,
    sheet_rows: u32,
    /// Sheets so far, and the next row of the last one.
    sheets: usize,
    row: u32,
    formats: Formats,
}

struct Formats {
    head: Format,
    moment: Format,
    day: Format,
    /// Text that stays text even when somebody edits the cell.
    guarded: Format,
}

impl<W: Write + Send> XlsxWriter<W> {
    pub fn new(
        out: W,
        folder: &Path,
        heads: Vec<(String, FieldKind)>,
        formula_guard: bool,
        sheet_rows: u32,
    ) -> io::Result<Self> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder).map_err(failed)?;
        Ok(Self {
            workbook,
            out,
            heads,
            formula_guard,
            sheet_rows,
            sheets: 0,
            row: sheet_rows,
            formats: Formats {
                head: Format::new().set_bold(),
                moment: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
                day: Format::new().set_num_format("yyyy-mm-dd"),
                guarded: Format::new().set_quote_prefix(),
            },
        })
    }

    pub fn row(&mut self, fields: &[Field]) -> io::Result<()> {
        if self.row >= self.sheet_rows {
            self.begin_sheet()?;
        }
        let sheet = self
            .workbook
            .worksheet_from_index(self.sheets - 1)
            .map_err(failed)?;
        for (place, field) in fields.iter().enumerate() {
            let column = u16::try_from(place).map_err(io::Error::other)?;
            write(
                sheet,
                self.row,
                column,
                field,
                &self.formats,
                self.formula_guard,
            )
            .map_err(failed)?;
        }
        self.row += 1;
        Ok(())
    }

    fn begin_sheet(&mut self) -> io::Result<()> {
        let sheet = self.workbook.add_worksheet_with_constant_memory();
        sheet.set_freeze_panes(1, 0).map_err(failed)?;
        for (place, (name, _)) in self.heads.iter().enumerate() {
            let column = u16::try_from(place).map_err(io::Error::other)?;
            sheet
                .write_string_with_format(0, column, name, &self.formats.head)
                .map_err(failed)?;
        }
        self.sheets += 1;
        self.row = 1;
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<W> {
        if self.sheets == 0 {
            self.begin_sheet()?;
        }
        self.workbook
            .save_to_writer(&mut self.out)
            .map_err(failed)?;
        Ok(self.out)
    }
}

fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    field: &Field,
    formats: &Formats,
    formula_guard: bool,
) -> Result<(), XlsxError> {
    match field {
        Field::Null => {}
        Field::Text(text) => {
            let text = shortened(text);
            if formula_guard && is_formula(text) {
                sheet.write_string_with_format(row, column, text, &formats.guarded)?;
            } else {
                sheet.write_string(row, column, text)?;
            }
        }
        Field::Integer(number) if number.abs() <= GREATEST_INTEGER => {
            sheet.write_number(row, column, *number as f64)?;
        }
        Field::Integer(number) => {
            sheet.write_string(row, column, number.to_string())?;
        }
        Field::Number(number) => {
            sheet.write_number(row, column, *number)?;
        }
        Field::Boolean(truth) => {
            sheet.write_boolean(row, column, *truth)?;
        }
        Field::Moment(ms) => date(sheet, row, column, ms.div_euclid(1_000), &formats.moment)?,
        Field::Day(days) => date(sheet, row, column, days * DAY_SECONDS, &formats.day)?,
    }
    Ok(())
}

/// A date; as text where a spreadsheet knows no such day.
fn date(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    seconds: i64,
    format: &Format,
) -> Result<(), XlsxError> {
    match ExcelDateTime::from_timestamp(seconds) {
        Ok(date) => sheet.write_datetime_with_format(row, column, &date, format)?,
        Err(_) => {
            let text = jiff::Timestamp::from_second(seconds)
                .map_or_else(|_| seconds.to_string(), |moment| moment.to_string());
            sheet.write_string(row, column, text)?
        }
    };
    Ok(())
}

fn shortened(text: &str) -> &str {
    // Bytes are never fewer than UTF-16 units.
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    let mut units = 0;
    for (place, letter) in text.char_indices() {
        units += letter.len_utf16();
        if units > LONGEST_TEXT {
            return &text[..place];
        }
    }
    text
}

fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
