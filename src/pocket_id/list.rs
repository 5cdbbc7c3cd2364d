//! Lists, which come in pages (FACTS 1, recording `pagination`).

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::core::failure::{Failure, FailureKind};
use crate::pocket_id::request::Request;
use crate::pocket_id::server::Server;
use crate::pocket_id::wire::{Page, Row};

/// More are not given at once.
const PER_PAGE: &str = "100";
/// Longer lists are not read.
const LONGEST: usize = 100_000;
/// How often a list is read that changes meanwhile.
const TRIES: u32 = 3;

impl Server {
    /// Reads a whole list in the order of a column. What is deleted meanwhile moves the rest up, so that an entry can
    /// slip from a page that is still to come to one that was read: a list with other than the promised number of
    /// entries is read again.
    pub(crate) async fn list<T: Row + DeserializeOwned>(
        &self,
        path: &'static str,
        column: &'static str,
    ) -> Result<Vec<T>, Failure> {
        for _ in 0..TRIES {
            if let Some(rows) = self.pages(path, column).await? {
                return Ok(rows);
            }
        }
        let sentence = format!("the list {path} of Pocket ID changes faster than it can be read; it is read again");
        Err(self.failure(FailureKind::Changed, &sentence))
    }

    async fn pages<T: Row + DeserializeOwned>(
        &self,
        path: &'static str,
        column: &'static str,
    ) -> Result<Option<Vec<T>>, Failure> {
        let mut rows = BTreeMap::new();
        let mut number = 1_u64;
        loop {
            let request = Request::get(path)
                .query("pagination[page]", number.to_string())
                .query("pagination[limit]", PER_PAGE)
                .query("sort[column]", column)
                .query("sort[direction]", "asc");
            let Page { data, pagination } = self.get::<Page<T>>(&request).await?;
            let data = data.unwrap_or_default();
            let before = rows.len();
            rows.extend(data.into_iter().map(|row| (row.id().to_owned(), row)));
            // Past its end a list gives its last page again, whatever it promised.
            let is_last = number >= pagination.total_pages || rows.len() == before;
            if is_last || rows.len() > pagination.total_items {
                let is_whole = rows.len() == pagination.total_items;
                return Ok(is_whole.then(|| rows.into_values().collect()));
            }
            if rows.len() >= LONGEST {
                let sentence = format!("the list {path} of Pocket ID has more than {LONGEST} entries");
                return Err(self.failure(FailureKind::Other, &sentence));
            }
            number += 1;
        }
    }
}
