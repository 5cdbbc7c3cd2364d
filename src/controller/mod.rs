//! Watches, passes and statuses.
