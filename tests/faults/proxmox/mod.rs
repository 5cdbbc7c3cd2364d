//! Proxmox VE that fails, is slow, is another one, or shows less than there is.

mod endpoints;
pub mod life;
mod load;
mod news;
mod outages;
mod rights;
mod way;
