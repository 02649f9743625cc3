//! Deliberate mistakes between plan and world: a checker that cannot fail proves nothing.
//!
//! Takes what the real plan decided (or what it is about to see), bends it, gives it back. Never used but by the tests that demand
//! that the checker notices.

use punctual::plan::{Observed, Plan};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {}

impl Mutant {
    pub fn bend(self, _: &mut Observed) {}
    pub fn twist(self, _: &Observed, _: &mut Plan) {}
}
