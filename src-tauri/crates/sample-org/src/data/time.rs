//! Days and moments as text, and back.

/// `YYYY-MM-DD` (Howard Hinnant's civil_from_days).
pub fn day(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `YYYY-MM-DDTHH:MM:SS`, in UTC.
pub fn moment(seconds: i64) -> String {
    let time = seconds.rem_euclid(86_400);
    format!(
        "{}T{:02}:{:02}:{:02}",
        day(seconds.div_euclid(86_400)),
        time / 3_600,
        time / 60 % 60,
        time % 60
    )
}

/// `4/7/2023`, as a user in the United States sees a day.
pub fn shown_day(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{month}/{day}/{year}")
}

/// `4/7/2023 2:59 PM`, in UTC.
pub fn shown_moment(seconds: i64) -> String {
    let time = seconds.rem_euclid(86_400);
    let hour = time / 3_600;
    format!(
        "{} {}:{:02} {}",
        shown_day(seconds.div_euclid(86_400)),
        if hour % 12 == 0 { 12 } else { hour % 12 },
        time / 60 % 60,
        if hour < 12 { "AM" } else { "PM" }
    )
}

fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Days since 1970 of `YYYY-MM-DD`; `None` where that is no day.
pub fn read_day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || (year.len(), month.len(), date.len()) != (4, 2, 2) {
        return None;
    }
    let (year, month, date): (i64, i64, i64) =
        (year.parse().ok()?, month.parse().ok()?, date.parse().ok()?);
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + date - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    // The 31st of February comes out as another day.
    (civil(days) == (year, month, date)).then_some(days)
}

/// Seconds since 1970 of `2026-03-12T14:30:00Z`, with a fraction or an offset too; a day alone is
/// its midnight.
pub fn read_moment(text: &str) -> Option<i64> {
    let Some((date, time)) = text.split_once(['T', ' ']) else {
        return Some(read_day(text)? * 86_400);
    };
    let (time, offset) = match time.find(['Z', 'z', '+', '-']) {
        None => (time, 0),
        Some(place) => {
            let (time, zone) = time.split_at(place);
            let seconds = match zone.get(1..).filter(|rest| !rest.is_empty()) {
                None => 0,
                Some(rest) => {
                    let (hours, minutes) = rest.split_once(':')?;
                    hours.parse::<i64>().ok()? * 3_600 + minutes.parse::<i64>().ok()? * 60
                }
            };
            (
                time,
                if zone.starts_with('-') {
                    -seconds
                } else {
                    seconds
                },
            )
        }
    };
    let mut parts = time.split(':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: i64 = match parts.next() {
        None => 0,
        Some(text) => text.split('.').next()?.parse().ok()?,
    };
    let fits = (0..24).contains(&hours) && (0..60).contains(&minutes) && (0..60).contains(&seconds);
    fits.then_some(())?;
    Some(read_day(date)? * 86_400 + hours * 3_600 + minutes * 60 + seconds - offset)
}
