//! People sign in to Proxmox VE with Pocket ID: two simulators, and a browser between them.

mod astray;
mod command;
mod forged;
mod groups;
mod table;
mod world;
