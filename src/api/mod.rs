//! What people write and read: the task, its status, its annotations, and the CRD made from them.
//!
//! Takes nothing, gives types. Never a client, never the clock, never `async`.

mod admission;
mod annotations;
mod crd;
mod policy;
mod printable;
mod quantity;
mod read;
mod refusals;
mod rules;
mod schema;
mod spacing;
mod status;
mod structure;
mod task;
mod template;

pub use admission::refusals;
pub use annotations::*;
pub use crd::{crd, crd_yaml};
pub use policy::*;
pub use printable::{is_unprintable, json_escaped, printable, printable_coloured, printable_lines, yaml_quoted};
pub use refusals::Refusals;
pub use status::*;
pub use structure::name_refusal;
pub use task::*;
pub use template::JobTemplate;
