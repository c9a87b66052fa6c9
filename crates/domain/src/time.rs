//! Points in time.

use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z. Stored as a 64-bit integer, written in JSON as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub const SECOND: i64 = 1_000_000;

    /// This time moved by whole seconds; negative moves back.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(Self::SECOND)))
    }

    /// Whole seconds from `earlier` to this time.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0) / Self::SECOND
    }

    /// RFC 3339 in UTC, to the microsecond.
    pub fn to_rfc3339(self) -> String {
        self.datetime().to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }

    /// `YYYY-MM-DD`, in UTC.
    pub fn date(self) -> String {
        self.datetime().date_naive().to_string()
    }

    /// `YYYY-MM-DD HH:MM:SS`, in UTC; the form COCO uses.
    pub fn date_time(self) -> String {
        // Not by a pattern: what reads patterns would be part of every page.
        let at = self.datetime();
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        format!("{} {hour:02}:{minute:02}:{second:02}", at.date_naive())
    }

    fn datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|t| Self(t.timestamp_micros()))
            .map_err(|_| {
                serde::de::Error::custom(format!(
                    "`{text}` is not a time; write it as 2026-01-31T12:00:00Z"
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_written_in_full() {
        let at = Timestamp(1_769_860_807_999_999);
        assert_eq!(at.date(), "2026-01-31");
        assert_eq!(at.date_time(), "2026-01-31 12:00:07");
        assert_eq!(Timestamp::default().date_time(), "1970-01-01 00:00:00");
        assert_eq!(Timestamp(-1).date_time(), "1969-12-31 23:59:59");
        assert_eq!(Timestamp(-62_135_596_800_000_000).date(), "0001-01-01");
    }
}
