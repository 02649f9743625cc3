//! All that this process logs, at the finest level.

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};
use tracing::level_filters::LevelFilter;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static CAPTURE: Once = Once::new();

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps what is logged from now on.
pub fn capture() {
    CAPTURE.call_once(|| {
        let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false);
        // With what libraries write to the crate `log`, as in the operator.
        subscriber.with_writer(|| Writer).init();
    });
}

/// None of what was logged has this text, in characters or as a list of bytes.
pub fn hold_no(secret: &str) {
    tracing::info!("the log is kept");
    let log = String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    assert!(log.contains("the log is kept"));
    let bytes: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let bytes = bytes.join(", ");
    let told: Vec<&str> = log.lines().filter(|line| line.contains(secret) || line.contains(&bytes)).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}
