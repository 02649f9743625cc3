//! What is measured, one file each.
//!
//! A [`scheduled::Scheduled`] measurement says which tasks it needs and when they are due, and evaluates afterwards what was seen.
//! [`ceiling`] and [`at_rest`] act themselves, before and after.

pub mod at_rest;
pub mod ceiling;
pub mod every_minute;
pub mod herds;
pub mod lone;
pub mod requests;
pub mod scheduled;
