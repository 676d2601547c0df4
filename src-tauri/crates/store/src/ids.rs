//! Record ids as the mirror stores them.
//!
//! Dataverse lists rows by id in the order of SQL Server, which compares the last bytes of a GUID
//! first. The mirror stores the bytes in just that order, so that a scan appends to the index on ids
//! instead of touching every page of it, and so that ids sort as the service sorts them.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use uuid::Uuid;

/// The place in a GUID of each stored byte, the most significant first: SQL Server compares the
/// groups from the last to the first, and the first three as little-endian numbers.
const ORDER: [usize; 16] = [10, 11, 12, 13, 14, 15, 8, 9, 7, 6, 5, 4, 3, 2, 1, 0];

/// An id in the mirror's byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoredId(pub [u8; 16]);

impl From<Uuid> for StoredId {
    fn from(id: Uuid) -> Self {
        let bytes = id.as_bytes();
        Self(ORDER.map(|place| bytes[place]))
    }
}

impl From<StoredId> for Uuid {
    fn from(stored: StoredId) -> Self {
        let mut bytes = [0; 16];
        for (place, byte) in ORDER.into_iter().zip(stored.0) {
            bytes[place] = byte;
        }
        Self::from_bytes(bytes)
    }
}

impl StoredId {
    /// The GUID of a stored blob; `None` where it is none.
    pub fn read(bytes: &[u8]) -> Option<Uuid> {
        bytes.try_into().ok().map(|bytes| Self(bytes).into())
    }
}

impl ToSql for StoredId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for StoredId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        let length = bytes.len();
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| FromSqlError::InvalidBlobSize {
                expected_size: 16,
                blob_size: length,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order that SQL Server's documentation shows for `uniqueidentifier` ("Comparing GUID and
    /// uniqueidentifier values").
    #[test]
    fn ids_sort_as_the_service_sorts_them() {
        let sorted = [
            "01000000-0000-0000-0000-000000000000",
            "00010000-0000-0000-0000-000000000000",
            "00000100-0000-0000-0000-000000000000",
            "00000001-0000-0000-0000-000000000000",
            "00000000-0100-0000-0000-000000000000",
            "00000000-0001-0000-0000-000000000000",
            "00000000-0000-0100-0000-000000000000",
            "00000000-0000-0001-0000-000000000000",
            "00000000-0000-0000-0001-000000000000",
            "00000000-0000-0000-0100-000000000000",
            "00000000-0000-0000-0000-000000000001",
            "00000000-0000-0000-0000-000000000100",
            "00000000-0000-0000-0000-010000000000",
        ]
        .map(|text| Uuid::try_parse(text).unwrap());
        let stored = sorted.map(StoredId::from);
        assert!(stored.is_sorted(), "{stored:?}");
        assert_eq!(stored.map(Uuid::from), sorted);
    }
}
