//! Record ids: GUIDs, as Dataverse writes them.

use uuid::Uuid;

/// Parses a GUID in any of the forms that the service and people write: with or without
/// hyphens, braces or surrounding white space, in either case.
///
/// The all-zero GUID, which Dataverse sends in places where null is meant, gives `None`.
#[must_use]
pub fn parse_guid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text.trim()).ok().filter(|id| !id.is_nil())
}

#[cfg(test)]
mod tests {
    use super::parse_guid;

    #[test]
    fn takes_every_spelling_and_no_null() {
        let plain = parse_guid("2e451703-c686-e711-80e5-00155db19e6d");
        assert!(plain.is_some());
        for spelling in [
            "{2E451703-C686-E711-80E5-00155DB19E6D}",
            " 2e451703c686e71180e500155db19e6d ",
        ] {
            assert_eq!(parse_guid(spelling), plain, "{spelling}");
        }
        for refused in ["", "00000000-0000-0000-0000-000000000000", "2e451703"] {
            assert_eq!(parse_guid(refused), None, "{refused}");
        }
    }
}
