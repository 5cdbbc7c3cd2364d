//! The simulator of Pocket ID: that it answers as the real one was recorded to, that later releases differ as is
//! known, and what it offers beside the API.

#[path = "../replay/client.rs"]
mod client;
#[path = "../replay/random.rs"]
mod random;
#[path = "../replay/scenarios.rs"]
mod scenarios;

mod api;
mod ask;
mod bodies;
mod matching;
mod openid;
mod play;
mod recordings;
mod releases;
mod rename;
mod simulator;
