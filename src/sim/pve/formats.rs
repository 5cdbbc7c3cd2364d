//! The named formats of PVE's schema, each with the text of its refusal.
//!
//! As with Perl's `$`, one newline at the end passes every check (recording `newline-ids`).

use std::net::IpAddr;

use super::methods::privileges;

/// Why a value is refused.
type Checked = Result<(), String>;

/// Splits what PVE calls a list: at commas, semicolons, blanks and zero bytes.
pub fn split_list(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '\0')).filter(|item| !item.is_empty())
}

/// Checks a value against a format; a list format checks each item and names the first bad one.
pub fn check(format: &str, name: &str, value: &str) -> Checked {
    match format.strip_suffix("-list") {
        Some(item_format) => split_list(value).try_for_each(|item| check_one(item_format, name, item)),
        None => check_one(format, name, value),
    }
}

fn check_one(format: &str, name: &str, value: &str) -> Checked {
    match format {
        "pve-groupid" => word(value, "group"),
        "pve-roleid" => word(value, "role"),
        "pve-userid" => userid(value),
        "pve-tokenid" => require(is_tokenid(value), || format!("value '{value}' does not look like a valid token ID")),
        "pve-realm" => require(is_realm(value), || "value does not look like a valid realm".to_owned()),
        "pve-poolid" => poolid(value),
        "pve-vmid" => require(is_vmid(value), || "value does not look like a valid VM ID".to_owned()),
        "pve-storage-id" => storage_id(value),
        "pve-priv" => require(privileges().contains(value), || format!("invalid privilege '{value}'")),
        "pve-configid" => require(is_configid(value), || format!("invalid configuration ID '{value}'")),
        "pve-node" => require(is_dns_name(value), || format!("value '{value}' does not look like a valid node name")),
        "email-opt" => require(value.is_empty() || is_email(chomp(value)), || {
            "value does not look like a valid email address".to_owned()
        }),
        "address" => require(value.parse::<IpAddr>().is_ok() || is_dns_name(value), || {
            format!("value does not look like a valid address: {value}")
        }),
        "ldap-simple-attr" => require(!value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric()), || {
            format!("value '{value}' does not look like a simple ldap attribute name")
        }),
        "pve-tfa-config" => super::property_string::tfa(name, value),
        "realm-sync-options" => super::property_string::sync_options(name, value),
        "pve-calendar-event" => super::calendar::check(value),
        _ => Ok(()),
    }
}

fn require(fits: bool, refusal: impl FnOnce() -> String) -> Checked {
    if fits { Ok(()) } else { Err(refusal()) }
}

/// Takes away the one newline at the end that Perl's `$` overlooks.
pub fn chomp(value: &str) -> &str {
    value.strip_suffix('\n').unwrap_or(value)
}

fn word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn is_word(value: &str) -> bool {
    let value = chomp(value);
    !value.is_empty() && value.chars().all(word_char)
}

fn word(value: &str, what: &str) -> Checked {
    require(is_word(value), || format!("{what} name '{value}' contains invalid characters"))
}

/// A user id: the permission check of `userid` calls uses this too (FACTS 8).
pub fn userid(value: &str) -> Checked {
    let length = value.chars().count();
    if length < 3 {
        return Err(format!("user name '{value}' is too short"));
    }
    if length > 64 {
        return Err(format!("user name '{value}' is too long ({length} > 64)"));
    }
    let fits = value.rsplit_once('@').is_some_and(|(name, realm)| {
        !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || matches!(c, ':' | '/')) && is_realm(realm)
    });
    require(fits, || format!("value '{value}' does not look like a valid user name"))
}

/// `user@realm!token` in its two parts.
pub fn split_tokenid(value: &str) -> Option<(&str, &str)> {
    let (user, token) = value.rsplit_once('!')?;
    (is_long_name(token) && userid(user).is_ok()).then_some((user, chomp(token)))
}

fn is_tokenid(value: &str) -> bool {
    split_tokenid(value).is_some()
}

/// A letter, then at least one more: realms and tokens.
fn is_long_name(value: &str) -> bool {
    let value = chomp(value);
    value.len() >= 2 && value.starts_with(|c: char| c.is_ascii_alphabetic()) && value.chars().all(word_char)
}

fn is_realm(value: &str) -> bool {
    is_long_name(value)
}

fn poolid(value: &str) -> Checked {
    let levels = chomp(value).split('/');
    if levels.clone().count() > 3 {
        return Err(format!("pool name '{value}' nested too deeply (max levels = 3)"));
    }
    let fits = levels.into_iter().all(|level| !level.is_empty() && level.chars().all(word_char));
    require(fits, || format!("pool name '{value}' contains invalid characters"))
}

fn is_vmid(value: &str) -> bool {
    let value = chomp(value);
    (3..=9).contains(&value.len()) && !value.starts_with('0') && value.chars().all(|c| c.is_ascii_digit())
}

fn storage_id(value: &str) -> Checked {
    if value.chars().count() < 2 {
        return Err(format!("storage ID '{value}' cannot be shorter than 2 characters"));
    }
    let value = chomp(value);
    let fits = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.ends_with(|c: char| c.is_ascii_alphanumeric())
        && value.chars().all(word_char);
    require(fits, || format!("storage ID '{value}' contains illegal characters"))
}

fn is_configid(value: &str) -> bool {
    let value = chomp(value);
    value.len() >= 2
        && value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// Dot-separated atoms, `@`, dot-separated labels without underscore (recording `users-field-limits`).
fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else { return false };
    let atom = |c: char| c.is_alphanumeric() || matches!(c, '_' | '+' | '-' | '~');
    let label = |c: char| c.is_ascii_alphanumeric() || c == '-';
    local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
        && domain.split('.').all(|part| !part.is_empty() && part.chars().all(label))
}

fn is_dns_name(value: &str) -> bool {
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    chomp(value).split('.').all(label)
}
