//! The API: the types of `ScheduledTask` and its status, the names of annotations and labels, and the CRD that is generated from them.
//!
//! Pure data: no client, no clock, no `async`.

mod annotations;
mod crd;
mod jitter_rule;
mod policy;
mod printable;
mod quantity;
mod read;
mod rules;
mod schema;
mod status;
mod task;
mod template;

pub use annotations::*;
pub use crd::{crd, crd_yaml};
pub use policy::*;
pub use printable::{is_unprintable, json_escaped, printable, printable_coloured, printable_lines, shortened};
pub use status::*;
pub use task::*;
pub use template::JobTemplate;
