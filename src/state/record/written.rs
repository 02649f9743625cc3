//! What a record makes of a status that was written: what the CRD of the task dropped is kept in memory.
//!
//! The status as it was sent and as it came back go in. Never takes what somebody else wrote for what became of our own.

use super::Record;
use crate::api::ScheduledTaskStatus;
use crate::plan::Task;
use jiff::Timestamp;
use std::sync::Arc;

impl Record {
    /// A status was written, and came back as `kept` in the task of this version, which was taken in. What its CRD dropped is kept in
    /// memory, so that the ledger is not read as another one. What somebody else wrote since then stays as it is.
    pub fn keep_written(&mut self, sent: ScheduledTaskStatus, version: &str, kept: &Arc<ScheduledTaskStatus>, now: Timestamp) {
        self.writes.compare_written(sent, kept);
        let Some(task) = self.task.clone() else { return };
        let is_answer = task.resource_version == version;
        // The status of the answer may have been read as the one that was sent before.
        let status = if is_answer { kept } else { &task.status };
        if let Some(status) = self.writes.undo_pruning(status) {
            let task = Task {
                status,
                ..Task::clone(&task)
            };
            // By the status that came back, Jobs may have been of no use.
            self.sort_jobs(&task, now);
            self.task = Some(Arc::new(task));
        }
    }

    /// A status cannot be written, for the task has none: all of it is kept in memory, as what a CRD drops.
    pub fn keep_unwritable(&mut self, sent: ScheduledTaskStatus, now: Timestamp) {
        let Some(task) = self.task.clone() else { return };
        let kept = self.writes.came_back(&task.status).unwrap_or_else(|| task.status.clone());
        self.keep_written(sent, &task.resource_version, &kept, now);
    }

    /// The status that came back in the task of this version, if the task is known as it came back.
    #[must_use]
    pub fn status_of_version(&self, version: &str) -> Option<Arc<ScheduledTaskStatus>> {
        let task = self
            .task()
            .filter(|task| task.resource_version == version && !self.writes.crd_is_outdated());
        task.map(|task| task.status.clone())
    }
}
