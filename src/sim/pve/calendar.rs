//! Calendar events, as far as sync jobs need them: whether PVE would take the text.

/// Checks a calendar event (recording `jobs-realm-sync`).
pub fn check(value: &str) -> Result<(), String> {
    let refuse =
        |detail: &str| Err(format!("invalid calendar event '{value}' - unable to parse calendar event{detail}\n"));
    match value.trim() {
        "" => refuse(" - event is empty"),
        event if is_event(event) => Ok(()),
        _ => refuse(""),
    }
}

fn is_event(event: &str) -> bool {
    const NAMES: [&str; 11] = [
        "minutely",
        "hourly",
        "daily",
        "weekly",
        "monthly",
        "yearly",
        "annually",
        "quarterly",
        "semiannually",
        "semi-annually",
        "semiyearly",
    ];
    NAMES.contains(&event) || (event.split_whitespace().count() <= 3 && event.split_whitespace().all(is_part))
}

fn is_part(part: &str) -> bool {
    let days = part.split(',').all(|days| days.split("..").all(is_weekday));
    let digits = part.chars().any(|c| c.is_ascii_digit() || c == '*');
    days || (digits && part.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | ':' | '/' | ',' | '.' | '-')))
}

fn is_weekday(text: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let text = text.to_ascii_lowercase();
    text.len() >= 3 && DAYS.iter().any(|day| *day == text || day[..3] == text)
}
