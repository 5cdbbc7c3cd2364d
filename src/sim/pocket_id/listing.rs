//! Lists: pages, order, search and filters (FACTS 1, recordings `pagination`, `find-by-name-needs-paging`).
//!
//! What is wrong in the query is ignored in silence. A page that is not there is the last page.

use serde_json::{Value, json};

use super::answer::Answer;

/// Entries on a page, unless the query says otherwise.
const USUAL: usize = 20;
/// Entries on a page at most.
const MOST: usize = 100;

/// A value of a row, in the order of SQLite.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Comes first.
    Null,
    /// A number, a moment, or a flag.
    Number(i64),
    /// In the order of its bytes.
    Text(String),
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Key {
    fn from(flag: bool) -> Self {
        Self::Number(flag.into())
    }
}

impl From<usize> for Key {
    fn from(count: usize) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Key>> From<Option<T>> for Key {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A column that lists are sorted by.
pub struct Column<Row> {
    name: &'static str,
    key: fn(&Row) -> Key,
    filters: bool,
}

impl<Row> Column<Row> {
    /// A column by its name in queries.
    pub fn new(name: &'static str, key: fn(&Row) -> Key) -> Self {
        Self { name, key, filters: false }
    }

    /// One that lists may be filtered by too.
    pub fn filter(name: &'static str, key: fn(&Row) -> Key) -> Self {
        Self { filters: true, ..Self::new(name, key) }
    }
}

/// The query of a list.
#[derive(Debug, Default)]
pub struct Query {
    page: usize,
    limit: usize,
    sort: String,
    descending: bool,
    filters: Vec<(String, Key)>,
    search: String,
}

impl Query {
    /// Reads the query of a request. A page or a limit that is no number has all that is read after it ignored too.
    pub fn read(query: &str) -> Self {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let get = |name: &str| {
            let found = pairs.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let mut read = Self { page: 1, limit: USUAL, search: get("search").to_owned(), ..Self::default() };
        let Some(page) = number(get("pagination[page]")) else { return read };
        read.page = page.max(1);
        let Some(limit) = number(get("pagination[limit]")) else { return read };
        read.limit = if limit == 0 { USUAL } else { limit.min(MOST) };
        get("sort[column]").clone_into(&mut read.sort);
        read.descending = get("sort[direction]").trim().eq_ignore_ascii_case("desc");
        let filters = pairs.iter().filter_map(|(name, value)| {
            let (column, _) = name.strip_prefix("filters[")?.split_once(']')?;
            Some((column.to_owned(), filter_key(value)))
        });
        read.filters = filters.collect();
        read
    }

    /// Whether any of these texts has what is searched for.
    pub fn finds(&self, texts: &[&str]) -> bool {
        let pattern = format!("%{}%", self.search);
        self.search.is_empty() || texts.iter().any(|text| like(&pattern, text))
    }

    /// One page of rows.
    pub fn page<Row>(&self, mut rows: Vec<Row>, columns: &[Column<Row>], shown: impl Fn(&Row) -> Value) -> Answer {
        let column = |name: &str| columns.iter().find(|column| is_called(column.name, name));
        for Column { name, key, .. } in columns.iter().filter(|column| column.filters) {
            let wanted = self.filters.iter().filter(|(of, _)| is_called(name, of));
            let wanted: Vec<&Key> = wanted.map(|(_, key)| key).collect();
            if !wanted.is_empty() {
                rows.retain(|row| wanted.contains(&&key(row)));
            }
        }
        if let Some(column) = column(&self.sort) {
            rows.sort_by(|one, other| {
                let order = (column.key)(one).cmp(&(column.key)(other));
                if self.descending { order.reverse() } else { order }
            });
        }
        let pages = rows.len().div_ceil(self.limit).max(1);
        let page = self.page.min(pages);
        let on_page = rows.iter().skip((page - 1) * self.limit).take(self.limit);
        Answer::ok(&json!({
            "data": on_page.map(shown).collect::<Value>(),
            "pagination": {
                "totalPages": pages,
                "totalItems": rows.len(),
                "currentPage": page,
                "itemsPerPage": self.limit,
            },
        }))
    }
}

/// A whole number, 0 for none and for what is below; `None` for what is no number.
fn number(text: &str) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    text.parse::<i64>().ok().map(|number| usize::try_from(number).unwrap_or(0))
}

fn filter_key(value: &str) -> Key {
    match value {
        "true" => Key::from(true),
        "false" => Key::from(false),
        _ => value.parse().map_or_else(|_| Key::from(value), Key::Number),
    }
}

/// Columns are found by their name with a small or a capital first letter.
fn is_called(column: &str, name: &str) -> bool {
    let first = name.chars().next().map(|first| first.to_ascii_lowercase());
    column.chars().next() == first && column.get(1..) == name.get(1..)
}

/// SQLite's LIKE: `%` is any text, `_` any character, ASCII letters in any case. Nothing escapes them.
fn like(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    if first == '%' {
        return text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(rest, &text[at..]));
    }
    let mut characters = text.chars();
    let same = characters.next().is_some_and(|other| first == '_' || first.eq_ignore_ascii_case(&other));
    same && like(rest, characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::{Query, like};

    #[test]
    fn search_is_sqlites_like() {
        let cases = [
            ("%prox%", "Proxmox", true),
            ("%p_ox%", "Proxmox", true),
            ("%%%", "", true),
            ("%gruppe-Ä%", "gruppe-ä", false),
            ("%a_b%", "aäb", true),
            ("%mox_%", "Proxmox", false),
        ];
        for (pattern, text, found) in cases {
            assert_eq!(like(pattern, text), found, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_query_is_ignored() {
        let cases = [
            ("", (1, 20, "")),
            ("pagination[page]=3&pagination[limit]=7&sort[column]=name", (3, 7, "name")),
            ("pagination[page]=0&pagination[limit]=0", (1, 20, "")),
            ("pagination[page]=-1&pagination[limit]=-5", (1, 20, "")),
            ("pagination[limit]=1000", (1, 100, "")),
            ("pagination[page]=two&pagination[limit]=7", (1, 20, "")),
            ("pagination[page]=2&pagination[limit]=many&sort[column]=name", (2, 20, "")),
            ("page=2&limit=5", (1, 20, "")),
        ];
        for (query, expected) in cases {
            let read = Query::read(query);
            assert_eq!((read.page, read.limit, read.sort.as_str()), expected, "{query}");
        }
    }
}
