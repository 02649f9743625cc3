//! Hostile neighbours: with the rights of a tenant, each test tries to stop, to slow or to deceive another tenant.
//!
//! The operator leads by a Lease that tenants cannot read, has the chart's rights in the namespaces of two teams, and the chart's
//! admission policy is in force there. Ids A1… are those of the threat model.
//!
//! | file | asks |
//! |---|---|
//! | `ground` | nothing: two teams, the chart's rights and policy, an operator with a clock that the test sets |
//! | `forged` | nothing: Jobs that claim to be a task's |
//! | `strangers` | A1, A2, A8: Jobs of other namespaces and with foreign words stop and deceive nobody |
//! | `dummies` | A10, A11: Jobs under the names of slots occupy those slots, and do nothing else |
//! | `ledgers` | A12: what others write into a status; resetting a ledger; backfills without end |
//! | `crowds` | A9, A13, A14, A15: much of everything |
//! | `memory` | A5, A6, A15: large objects, by the memory of the real process |
//! | `policy` | who may not create Jobs creates no task, by whatever way |
//! | `garbage` | no cluster: arbitrary objects, through everything that reads them, to the plan |

#[path = "../it/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "made for tests/it, of which this takes a part")]
mod harness;

mod crowds;
mod dummies;
mod forged;
mod garbage;
mod ground;
mod ledgers;
mod memory;
mod policy;
mod strangers;
