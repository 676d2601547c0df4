//! Parquet: one column for each of the export's, all optional, in row groups of some thousand rows.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{
    Compression, ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel,
};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::fields::{Field, FieldKind};

/// Rows of a row group at most …
const GROUP_ROWS: usize = 20_000;
/// … and values, so that wide tables take no more memory (some 40 MB) than narrow ones.
const GROUP_VALUES: usize = 500_000;

pub struct ParquetWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    kinds: Vec<FieldKind>,
    columns: Vec<Vec<Field>>,
    rows: usize,
}

impl<W: Write + Send> ParquetWriter<W> {
    pub fn new(out: W, heads: &[(String, FieldKind)]) -> io::Result<Self> {
        let fields = heads
            .iter()
            .map(|(name, kind)| declared(name, *kind).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        let schema = Type::group_type_builder("schema")
            .with_fields(fields)
            .build()
            .map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        Ok(Self {
            writer: SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
                .map_err(failed)?,
            kinds: heads.iter().map(|(_, kind)| *kind).collect(),
            columns: vec![Vec::new(); heads.len()],
            rows: 0,
        })
    }

    pub fn row(&mut self, fields: Vec<Field>) -> io::Result<()> {
        for (column, field) in self.columns.iter_mut().zip(fields) {
            column.push(field);
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.rows * self.columns.len() >= GROUP_VALUES {
            self.write_group().map_err(failed)?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<W> {
        if self.rows > 0 {
            self.write_group().map_err(failed)?;
        }
        self.writer.into_inner().map_err(failed)
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for (column, kind) in self.columns.iter_mut().zip(&self.kinds) {
            let Some(mut writer) = group.next_column()? else {
                break;
            };
            let fields = std::mem::take(column);
            // What does not fit its column cannot stand in it: Parquet's columns are strict.
            macro_rules! write {
                ($type:ty, $pattern:pat => $value:expr) => {{
                    let mut levels = Vec::with_capacity(fields.len());
                    let mut values = Vec::with_capacity(fields.len());
                    for field in fields {
                        match field {
                            $pattern => {
                                levels.push(1);
                                values.push($value);
                            }
                            _ => levels.push(0),
                        }
                    }
                    writer
                        .typed::<$type>()
                        .write_batch(&values, Some(&levels), None)?;
                }};
            }
            match kind {
                FieldKind::Text => {
                    write!(ByteArrayType, Field::Text(text) => ByteArray::from(text.into_bytes()));
                }
                FieldKind::Integer => write!(Int64Type, Field::Integer(number) => number),
                FieldKind::Number => write!(DoubleType, Field::Number(number) => number),
                FieldKind::Boolean => write!(BoolType, Field::Boolean(truth) => truth),
                FieldKind::Moment => write!(Int64Type, Field::Moment(ms) => ms),
                FieldKind::Day => write!(Int32Type, Field::Day(days) => days as i32),
            }
            writer.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

fn declared(name: &str, kind: FieldKind) -> Result<Type, ParquetError> {
    let (physical, logical) = match kind {
        FieldKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        FieldKind::Integer => (Physical::INT64, None),
        FieldKind::Number => (Physical::DOUBLE, None),
        FieldKind::Boolean => (Physical::BOOLEAN, None),
        FieldKind::Moment => (
            Physical::INT64,
            Some(LogicalType::Timestamp {
                is_adjusted_to_u_t_c: true,
                unit: TimeUnit::MILLIS,
            }),
        ),
        FieldKind::Day => (Physical::INT32, Some(LogicalType::Date)),
    };
    Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_converted_type(ConvertedType::NONE)
        .with_logical_type(logical)
        .build()
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error.to_string()),
        },
        other => io::Error::other(other.to_string()),
    }
}
