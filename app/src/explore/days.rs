//! Times as columns hold them: days since 1970-01-01, in UTC.

use limn_domain::Timestamp;
use limn_domain::explore::Column;
use limn_domain::item_explore::DAYS;

const SECONDS: f64 = 86_400.0;

pub(super) fn is_time(column: &Column) -> bool {
    column.unit == DAYS
}

/// The date of a day, `YYYY-MM-DD`.
pub(super) fn date(day: f64) -> String {
    Timestamp((day.floor() * SECONDS) as i64 * Timestamp::SECOND).date()
}

/// The day of a date; none when it is no date.
pub(super) fn first(date: &str) -> Option<f64> {
    let mut parts = date.split('-').map(|p| p.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the odd day is a year's last; 400 of them have as many days as any other 400.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some((era * 146_097 + days - 719_468) as f64)
}

/// The end of the day of a date: the last moment before the next that columns, which have single precision, can tell from it.
pub(super) fn last(date: &str) -> Option<f64> {
    first(date).map(|day| f64::from(((day + 1.0) as f32).next_down()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_and_back() {
        assert_eq!(first("1970-01-01"), Some(0.0));
        assert_eq!(first("2026-03-01"), Some(20_513.0));
        for day in [0, 58, 59, 60, 10_957, 11_016, 20_512, 20_513, 40_000] {
            let day = f64::from(day);
            assert_eq!(first(&date(day)), Some(day), "{}", date(day));
            assert_eq!(last(&date(day)).map(date), Some(date(day)));
        }
        for bad in ["", "2026", "2026-13-01", "2026-01-40", "a-b-c", "2026-01-01-01"] {
            assert_eq!(first(bad), None, "{bad}");
        }
    }
}
