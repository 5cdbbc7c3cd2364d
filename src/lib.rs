//! Manages the identity of Proxmox VE clusters from Kubernetes objects.
//!
//! The code reads as data flowing one way: objects are watched and indexed ([`controller`]), turned into
//! claims and planned against a snapshot of what stands in Proxmox VE ([`core`], pure), carried out
//! over its HTTP API ([`pve`]), and reported back as statuses of the objects ([`api`]).

pub mod api;
pub mod cli;
pub mod controller;
pub mod core;
pub mod https;
pub mod outward;
pub mod permit;
pub mod pocket_id;
pub mod pve;
#[cfg(feature = "sim")]
pub mod sim;
