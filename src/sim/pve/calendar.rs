//! Calendar events of sync jobs: `[WEEKDAYS] [[YEARS-]MONTHS-DAYS] [HOURS:]MINUTES[:SECONDS]`, in UTC.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Events by name.
const NAMES: [(&str, &str); 11] = [
    ("minutely", "*:*"),
    ("hourly", "*:00"),
    ("daily", "00:00"),
    ("weekly", "mon 00:00"),
    ("monthly", "*-01 00:00"),
    ("quarterly", "01,04,07,10-01 00:00"),
    ("semiannually", "01,07-01 00:00"),
    ("semi-annually", "01,07-01 00:00"),
    ("semiyearly", "01,07-01 00:00"),
    ("yearly", "01-01 00:00"),
    ("annually", "01-01 00:00"),
];

/// So far ahead an event is looked for.
const DAYS_AHEAD: i32 = 5 * 366;

/// When something happens; an empty set of days stands for all.
#[derive(Debug, Default)]
pub struct Event {
    weekdays: BTreeSet<i8>,
    years: Option<BTreeSet<i16>>,
    months: Option<BTreeSet<i16>>,
    days: Option<BTreeSet<i16>>,
    hours: BTreeSet<i16>,
    minutes: BTreeSet<i16>,
}

/// Checks a calendar event (recording `jobs-realm-sync`).
pub fn check(value: &str) -> Result<(), String> {
    let refuse =
        |detail: &str| Err(format!("invalid calendar event '{value}' - unable to parse calendar event{detail}\n"));
    match value.trim() {
        "" => refuse(" - event is empty"),
        event if Event::parse(event).is_some() => Ok(()),
        _ => refuse(""),
    }
}

impl Event {
    /// Reads an event.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = NAMES.iter().find(|(name, _)| *name == text).map_or(text, |(_, meaning)| *meaning);
        let mut words = text.split_whitespace().peekable();
        let mut event = Self::default();
        if let Some(word) = words.next_if(|word| word.starts_with(|c: char| c.is_ascii_alphabetic())) {
            event.weekdays = weekdays(word)?;
        }
        if let Some(word) = words.next_if(|word| word.contains('-')) {
            event.parse_date(word)?;
        }
        event.parse_time(words.next().unwrap_or("00:00"))?;
        words.next().is_none().then_some(event)
    }

    fn parse_date(&mut self, word: &str) -> Option<()> {
        let mut parts = word.rsplit('-');
        self.days = Some(field(parts.next()?, 1, 31)?);
        self.months = Some(field(parts.next()?, 1, 12)?);
        self.years = match parts.next() {
            Some(years) => Some(field(years, 1970, 2200)?),
            None => None,
        };
        parts.next().is_none().then_some(())
    }

    fn parse_time(&mut self, word: &str) -> Option<()> {
        let parts: Vec<&str> = word.split(':').collect();
        let (hours, minutes) = match parts.as_slice() {
            [minutes] => ("*", *minutes),
            [hours, minutes] | [hours, minutes, "0" | "00"] => (*hours, *minutes),
            _ => return None,
        };
        self.hours = field(hours, 0, 23)?;
        self.minutes = field(minutes, 0, 59)?;
        Some(())
    }

    fn is_on(&self, date: Date) -> bool {
        let fits = |set: &Option<BTreeSet<i16>>, value: i16| set.as_ref().is_none_or(|set| set.contains(&value));
        (self.weekdays.is_empty() || self.weekdays.contains(&date.weekday().to_monday_zero_offset()))
            && fits(&self.years, date.year())
            && fits(&self.months, date.month().into())
            && fits(&self.days, date.day().into())
    }

    /// The first moment after `start`, both in seconds since 1970.
    pub fn next(&self, start: i64) -> Option<i64> {
        let first = Timestamp::from_second(start).ok()?.to_zoned(TimeZone::UTC).date();
        let days = (0..DAYS_AHEAD).filter_map(|ahead| first.checked_add(ahead.days()).ok());
        days.filter(|date| self.is_on(*date)).find_map(|date| {
            let midnight = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
            let hours = self.hours.iter().map(|hour| midnight + 3600 * i64::from(*hour));
            let moments = hours.flat_map(|hour| self.minutes.iter().map(move |minute| hour + 60 * i64::from(*minute)));
            moments.into_iter().find(|moment| *moment > start)
        })
    }
}

/// A list of `*`, `a`, `a..b`, each with `/step` if wanted.
fn field(text: &str, low: i16, high: i16) -> Option<BTreeSet<i16>> {
    let mut values = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step = step.map_or(Some(1), |step| step.parse::<usize>().ok().filter(|step| *step > 0))?;
        let (from, to) = match (range, range.split_once("..")) {
            ("*", _) => (low, high),
            (_, Some((from, to))) => (from.parse().ok()?, to.parse().ok()?),
            (single, None) => {
                let from: i16 = single.parse().ok()?;
                (from, if part.contains('/') { high } else { from })
            }
        };
        if from < low || to > high || from > to {
            return None;
        }
        values.extend((from..=to).step_by(step));
    }
    Some(values)
}

fn weekdays(text: &str) -> Option<BTreeSet<i8>> {
    let mut days = BTreeSet::new();
    for part in text.split(',') {
        let (from, to) = part.split_once("..").unwrap_or((part, part));
        let (from, to) = (weekday(from)?, weekday(to)?);
        let span = (to - from).rem_euclid(7);
        days.extend((0..=span).map(|ahead| (from + ahead) % 7));
    }
    Some(days)
}

fn weekday(text: &str) -> Option<i8> {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let text = text.to_ascii_lowercase();
    let position = NAMES.iter().position(|name| *name == text || name[..3] == text)?;
    Weekday::from_monday_zero_offset(i8::try_from(position).ok()?).ok().map(Weekday::to_monday_zero_offset)
}

/// A moment as Perl writes it.
pub fn written(moment: i64) -> String {
    let moment = Timestamp::from_second(moment).unwrap_or_default();
    moment.to_zoned(TimeZone::UTC).strftime("%a %b %e %H:%M:%S %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::{Event, written};

    #[test]
    fn the_next_moment_of_an_event_is_found() {
        // 2023-11-14 22:13:20, a Tuesday
        let start = 1_700_000_000;
        for (event, next) in [
            ("daily", "Wed Nov 15 00:00:00 2023"),
            ("hourly", "Tue Nov 14 23:00:00 2023"),
            ("*:0/20", "Tue Nov 14 22:20:00 2023"),
            ("mon..fri 02:30", "Wed Nov 15 02:30:00 2023"),
            ("sat,sun 8..9:00", "Sat Nov 18 08:00:00 2023"),
            ("monthly", "Fri Dec  1 00:00:00 2023"),
            ("2024-02-29 12:00", "Thu Feb 29 12:00:00 2024"),
        ] {
            let moment = Event::parse(event).and_then(|event| event.next(start));
            assert_eq!(moment.map(written).as_deref(), Some(next), "{event}");
        }
        assert!(Event::parse("every blue moon").is_none());
    }
}
