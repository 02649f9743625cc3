//! The numbered steps that the demo prints while it starts.

/// Prints the next step.
pub fn step(number: u8, what: &str) {
    println!("[{number}/6] {what}");
}
