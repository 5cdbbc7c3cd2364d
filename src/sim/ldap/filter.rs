//! Whether an entry fits a filter.

use ldap3_proto::proto::{LdapFilter, LdapSubstringFilter};

use super::entries::Entry;

/// Case does not count, as with most attributes of people.
pub(super) fn matches(filter: &LdapFilter, entry: &Entry) -> bool {
    match filter {
        LdapFilter::And(all) => all.iter().all(|one| matches(one, entry)),
        LdapFilter::Or(any) => any.iter().any(|one| matches(one, entry)),
        LdapFilter::Not(one) => !matches(one, entry),
        LdapFilter::Present(name) => !entry.values(name).is_empty(),
        LdapFilter::Equality(name, value) | LdapFilter::Approx(name, value) => {
            entry.values(name).iter().any(|it| it.eq_ignore_ascii_case(value))
        }
        LdapFilter::Substring(name, parts) => entry.values(name).iter().any(|value| has_parts(value, parts)),
        LdapFilter::GreaterOrEqual(..) | LdapFilter::LessOrEqual(..) | LdapFilter::Extensible(_) => false,
    }
}

fn has_parts(value: &str, LdapSubstringFilter { initial, any, final_ }: &LdapSubstringFilter) -> bool {
    let value = value.to_lowercase();
    let mut rest = value.as_str();
    if let Some(initial) = initial {
        let Some(after) = rest.strip_prefix(&initial.to_lowercase()) else { return false };
        rest = after;
    }
    for part in any {
        let Some((_, after)) = rest.split_once(&part.to_lowercase()) else { return false };
        rest = after;
    }
    final_.as_ref().is_none_or(|end| rest.ends_with(&end.to_lowercase()))
}
