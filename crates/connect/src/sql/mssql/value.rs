//! Values as SQL Server writes them.

use super::super::Row;
use crate::{ConnectError, Result};
use chrono::NaiveDate;
use tiberius::time::{DateTime2, Time};
use tiberius::{Column, ColumnData, ColumnType};

/// The day before the first of the year 1, and of 1900, in chrono's count of days.
const YEAR_1: i64 = 1;
const YEAR_1900: i64 = 693_596;
const DAY: i64 = 86_400;
/// Most units of a ten-thousandth that an amount of money comes through with, to the last of them.
const MONEY_MAX: f64 = (1_u64 << 50) as f64;

/// The database's word for a type. How many digits or characters it has does not come with every answer.
pub const fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Bit | ColumnType::Bitn => "BIT",
        ColumnType::Int1 => "TINYINT",
        ColumnType::Int2 => "SMALLINT",
        // A bare NULL is one too.
        ColumnType::Int4 | ColumnType::Intn | ColumnType::Null => "INT",
        ColumnType::Int8 => "BIGINT",
        ColumnType::Float4 => "REAL",
        ColumnType::Float8 | ColumnType::Floatn => "FLOAT",
        ColumnType::Money => "MONEY",
        ColumnType::Money4 => "SMALLMONEY",
        ColumnType::Decimaln => "DECIMAL",
        ColumnType::Numericn => "NUMERIC",
        ColumnType::Datetime4 => "SMALLDATETIME",
        ColumnType::Datetime | ColumnType::Datetimen => "DATETIME",
        ColumnType::Daten => "DATE",
        ColumnType::Timen => "TIME",
        ColumnType::Datetime2 => "DATETIME2",
        ColumnType::DatetimeOffsetn => "DATETIMEOFFSET",
        ColumnType::Guid => "UNIQUEIDENTIFIER",
        ColumnType::BigVarBin => "VARBINARY",
        ColumnType::BigBinary => "BINARY",
        ColumnType::BigVarChar => "VARCHAR",
        ColumnType::BigChar => "CHAR",
        ColumnType::NVarchar => "NVARCHAR",
        ColumnType::NChar => "NCHAR",
        ColumnType::Xml => "XML",
        ColumnType::Udt => "UDT",
        ColumnType::Text => "TEXT",
        ColumnType::NText => "NTEXT",
        ColumnType::Image => "IMAGE",
        ColumnType::SSVariant => "SQL_VARIANT",
    }
}

/// The values of a row.
pub fn row(columns: &[Column], row: tiberius::Row) -> Result<Row> {
    columns.iter().zip(row).map(|(c, v)| text(c, v)).collect()
}

fn text(column: &Column, value: ColumnData<'_>) -> Result<Option<String>> {
    let is_money = matches!(column.column_type(), ColumnType::Money | ColumnType::Money4);
    let odd = || {
        ConnectError::Wrong(format!(
            "A value of the column `{}` is a time that there is not.",
            column.name()
        ))
    };
    Ok(match value {
        ColumnData::U8(v) => v.map(|v| v.to_string()),
        ColumnData::I16(v) => v.map(|v| v.to_string()),
        ColumnData::I32(v) => v.map(|v| v.to_string()),
        ColumnData::I64(v) => v.map(|v| v.to_string()),
        ColumnData::F32(v) => v.map(real),
        ColumnData::F64(Some(v)) if is_money => Some(money(column.name(), v)?),
        ColumnData::F64(v) => v.map(float),
        ColumnData::Bit(v) => v.map(|v| u8::from(v).to_string()),
        ColumnData::String(v) => v.map(std::borrow::Cow::into_owned),
        ColumnData::Guid(v) => v.map(|v| format!("{v:X}")),
        ColumnData::Binary(v) => v.map(hex::encode),
        ColumnData::Numeric(v) => v.map(|v| decimal(v.value(), v.scale())),
        ColumnData::Xml(v) => v.map(|v| v.to_string()),
        ColumnData::Date(v) => match v {
            Some(v) => Some(date(YEAR_1 + i64::from(v.days())).ok_or_else(odd)?),
            None => None,
        },
        ColumnData::Time(v) => match v {
            Some(v) => {
                let (seconds, rest) = clock(v).ok_or_else(odd)?;
                Some(time(seconds, &rest))
            }
            None => None,
        },
        ColumnData::SmallDateTime(v) => match v {
            // Its fragments are minutes.
            Some(v) => {
                let seconds = i64::from(v.seconds_fragments()) * 60;
                Some(moment(YEAR_1900 + i64::from(v.days()), seconds, "").ok_or_else(odd)?)
            }
            None => None,
        },
        ColumnData::DateTime(v) => match v {
            // Three-hundredths of a second, which are shown as thousandths.
            Some(v) => {
                let millis = (i64::from(v.seconds_fragments()) * 10 + 1) / 3;
                let rest = format!(".{:03}", millis % 1_000);
                Some(moment(YEAR_1900 + i64::from(v.days()), millis / 1_000, &rest).ok_or_else(odd)?)
            }
            None => None,
        },
        ColumnData::DateTime2(v) => match v {
            Some(v) => Some(moment2(v, 0).ok_or_else(odd)?),
            None => None,
        },
        ColumnData::DateTimeOffset(v) => match v {
            // The time comes in UTC, and is shown as it is where it was written.
            Some(v) => {
                let minutes = i64::from(v.offset());
                let sign = if minutes < 0 { '-' } else { '+' };
                let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
                let there = moment2(v.datetime2(), minutes * 60).ok_or_else(odd)?;
                Some(format!("{there} {sign}{hours:02}:{rest:02}"))
            }
            None => None,
        },
    })
}

/// All digits that a number has, and none that it has not.
fn float(v: f64) -> String {
    if v == 0.0 || (1e-5..1e15).contains(&v.abs()) {
        v.to_string()
    } else {
        format!("{v:e}")
    }
}

fn real(v: f32) -> String {
    if v == 0.0 || (1e-5..1e15).contains(&v.abs()) {
        v.to_string()
    } else {
        format!("{v:e}")
    }
}

fn decimal(value: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

/// The client library gives money as floating point, from which all digits come back as long as there are not too many.
fn money(column: &str, v: f64) -> Result<String> {
    let units = (v * 10_000.0).round();
    if units.abs() > MONEY_MAX {
        return Err(ConnectError::Wrong(format!(
            "The column `{column}` holds an amount of money over 112 billion, whose last digits would be lost; write CAST({column} \
             AS DECIMAL(19, 4)) in the query."
        )));
    }
    Ok(decimal(units as i128, 4))
}

/// A day by chrono's count.
fn date(day: i64) -> Option<String> {
    let day = NaiveDate::from_num_days_from_ce_opt(i32::try_from(day).ok()?)?;
    Some(day.format("%Y-%m-%d").to_string())
}

fn time(seconds: i64, rest: &str) -> String {
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}{rest}", seconds % 60)
}

fn moment(day: i64, seconds: i64, rest: &str) -> Option<String> {
    let day = date(day + seconds.div_euclid(DAY))?;
    Some(format!("{day} {}", time(seconds.rem_euclid(DAY), rest)))
}

fn moment2(v: DateTime2, shift: i64) -> Option<String> {
    let (seconds, rest) = clock(v.time())?;
    moment(YEAR_1 + i64::from(v.date().days()), seconds + shift, &rest)
}

/// Seconds of a day, and what is written behind them.
fn clock(v: Time) -> Option<(i64, String)> {
    let scale = usize::from(v.scale());
    let unit = 10_u64.checked_pow(u32::from(v.scale()))?;
    let seconds = i64::try_from(v.increments() / unit).ok()?;
    let rest = if scale == 0 {
        String::new()
    } else {
        format!(".{:0>scale$}", v.increments() % unit)
    };
    Some((seconds, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use tiberius::numeric::Numeric;
    use tiberius::time::{Date, DateTime, DateTimeOffset, SmallDateTime};

    fn shown(kind: ColumnType, value: ColumnData<'_>) -> String {
        text(&Column::new("c".to_owned(), kind), value).unwrap().unwrap()
    }

    #[test]
    fn numbers_keep_their_digits() {
        let numeric = |value, scale| ColumnData::Numeric(Some(Numeric::new_with_scale(value, scale)));
        for (value, scale, text) in [
            (12_345, 2, "123.45"),
            (-5, 1, "-0.5"),
            (-5, 3, "-0.005"),
            (7, 0, "7"),
            (0, 2, "0.00"),
            (
                10_i128.pow(38) - 1,
                38,
                "0.99999999999999999999999999999999999999",
            ),
            (10_i128.pow(38) - 1, 0, "99999999999999999999999999999999999999"),
        ] {
            assert_eq!(shown(ColumnType::Decimaln, numeric(value, scale)), text);
        }
        let money = |v: i64| ColumnData::F64(Some(v as f64 / 1e4));
        for (units, text) in [
            (12_345, "1.2345"),
            (-1, "-0.0001"),
            (0, "0.0000"),
            (1_125_899_906_842_623, "112589990684.2623"),
            (-1_125_899_906_842_621, "-112589990684.2621"),
        ] {
            assert_eq!(shown(ColumnType::Money, money(units)), text);
        }
        let large = Column::new("price".to_owned(), ColumnType::Money);
        assert!(
            matches!(text(&large, money(i64::MAX)), Err(ConnectError::Wrong(m)) if m.contains("CAST(price AS DECIMAL(19, 4))"))
        );
        for (value, text) in [
            (0.1, "0.1"),
            (-2.0, "-2"),
            (1e300, "1e300"),
            (1.5e-7, "1.5e-7"),
            (9_007_199_254_740_992_f64, "9.007199254740992e15"),
        ] {
            assert_eq!(shown(ColumnType::Float8, ColumnData::F64(Some(value))), text);
        }
        assert_eq!(shown(ColumnType::Float4, ColumnData::F32(Some(0.1))), "0.1");
    }

    #[test]
    fn times_are_as_they_are_written_there() {
        // The 29th of February 2024, at 13:14:15.
        let (day, seconds) = (738_944, 13 * 3_600 + 14 * 60 + 15_u64);
        let clock = Time::new(seconds * 10_000_000 + 1_234_567, 7);
        let both = DateTime2::new(Date::new(day), clock);
        for (value, text) in [
            (ColumnData::Date(Some(Date::new(0))), "0001-01-01"),
            (ColumnData::Date(Some(Date::new(day))), "2024-02-29"),
            (ColumnData::Date(Some(Date::new(3_652_058))), "9999-12-31"),
            (ColumnData::Time(Some(Time::new(seconds, 0))), "13:14:15"),
            (ColumnData::Time(Some(clock)), "13:14:15.1234567"),
            (ColumnData::Time(Some(Time::new(5, 3))), "00:00:00.005"),
            (ColumnData::DateTime2(Some(both)), "2024-02-29 13:14:15.1234567"),
            (
                ColumnData::DateTimeOffset(Some(DateTimeOffset::new(both, 120))),
                "2024-02-29 15:14:15.1234567 +02:00",
            ),
            (
                ColumnData::DateTimeOffset(Some(DateTimeOffset::new(both, -14 * 60 + 30))),
                "2024-02-28 23:44:15.1234567 -13:30",
            ),
            (
                ColumnData::DateTime(Some(DateTime::new(0, 0))),
                "1900-01-01 00:00:00.000",
            ),
            (
                ColumnData::DateTime(Some(DateTime::new(-53_690, 1))),
                "1753-01-01 00:00:00.003",
            ),
            (
                ColumnData::DateTime(Some(DateTime::new(0, 25_919_999))),
                "1900-01-01 23:59:59.997",
            ),
            (
                ColumnData::SmallDateTime(Some(SmallDateTime::new(45_350, 61))),
                "2024-03-01 01:01:00",
            ),
        ] {
            assert_eq!(shown(ColumnType::Datetimen, value), text);
        }
        // What no day or clock is makes an error and no panic.
        let none = Column::new("c".to_owned(), ColumnType::Datetimen);
        let bad = [
            ColumnData::DateTime(Some(DateTime::new(i32::MAX, 0))),
            ColumnData::Time(Some(Time::new(1, 255))),
        ];
        for value in bad {
            assert!(text(&none, value).is_err());
        }
    }
}
