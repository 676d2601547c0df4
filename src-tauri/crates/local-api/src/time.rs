//! Moments as the API writes them.

/// Milliseconds since 1970 as ISO 8601 in UTC, with as many digits as are needed.
pub fn moment(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |moment| moment.to_string())
}
