//! The plan on small worlds.
