//! The table of open connections as the server and its connections share it.
//!
//! Holds the lock around [`Connections`]; dropping the sender of a connection closes it. Decides nothing.

use super::connections::Connections;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The open connections. Dropping the sender of one closes it.
pub type Table = Arc<Mutex<Connections<oneshot::Sender<()>>>>;

/// A table without connections.
pub fn empty() -> Table {
    Table::new(Mutex::new(Connections::new()))
}

/// Locks the table, also after a panic of another connection.
pub fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
