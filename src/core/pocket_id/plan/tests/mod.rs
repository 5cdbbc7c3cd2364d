mod clients;
mod fixtures;
mod groups;
mod holding;
mod members;
mod model;
mod properties;
mod secrets;
