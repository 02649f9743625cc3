//! The proof of the plan: stories told to a world in memory, read as sentences.
//!
//! ```text
//!   story ──► world ──► observe ─► plan() ─► effects, one by one ──► world      until a plan is empty
//!   given…     one task, its Jobs, a clock, an operator that dies    audit: the rules of the ledger, at every effect
//! ```
//! Takes sentences (`given("*/5 * * * *").since("…").at("…").starts("…")`), gives green or red. Names begin with the line of
//! the acceptance list that they prove. Never a client, never the clock.

mod audit;
mod clocks;
mod cronjob_cases;
mod duplicates;
mod expect;
mod findings;
mod ledger;
mod missed;
mod pairs;
mod pauses;
mod properties;
mod refused;
mod reviewed;
mod server;
mod simulated;
mod story;
mod stuck;
mod world;
