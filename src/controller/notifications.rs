//! Keeps the sinks as the administrator's file says, and their books.
//!
//! The file is read again when it has changed: a sink that stays as it was goes on, others begin or end. Decides nothing about messages.

use super::config_map::ConfigMapRef;
use super::context::Context;
use super::{NotificationOptions, book, teller};
use crate::notify::{Config, Sink, SinkConfig};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often it is asked whether this process leads, and whether the file has changed.
const PERIOD: Duration = Duration::from_secs(1);
/// Between two writes of the books.
const BETWEEN_BOOKS: Duration = Duration::from_secs(30);
/// The books could not be read: again after this.
const BETWEEN_LOADS: Duration = Duration::from_secs(5);
/// A longer file is not read whole.
const LONGEST: u64 = 2 << 20;

/// A sink in use.
struct Used {
    config: SinkConfig,
    telling: JoinHandle<()>,
}

impl Drop for Used {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

/// Tells everybody whom the file names. Never ends.
pub async fn run(ctx: Arc<Context>, options: NotificationOptions) {
    ctx.synced.wait().await;
    let place = ConfigMapRef {
        namespace: ctx.claims.place().namespace.clone(),
        name: options.book,
    };
    let source = format!("/punctual/{}/{}", place.namespace, place.name.trim_end_matches("-told"));
    let (config, configured) = watch::channel(Arc::new(Config::default()));
    let mut used: HashMap<String, Used> = HashMap::new();
    let (mut text, mut has_changed) = (None, false);
    // Where a sink begins, that is written down at once.
    let mut saved: Option<Instant> = None;
    let mut try_load = Instant::now();
    loop {
        let read = options.file.as_deref().map(read);
        if text.as_ref() != Some(&read) {
            let known = options.file.as_deref().zip(read.as_ref());
            let known = known.map_or_else(Config::default, |(file, text)| say(&ctx, file, text, &config.borrow()));
            let known = Arc::new(match &options.traces {
                Some(how) => known.with_traces(how),
                None => known,
            });
            ctx.told.books().named = known.names.clone();
            if config.borrow().routes != known.routes {
                ctx.told.pin();
            }
            // A sink that changes begins anew where its page ends.
            book::save(&ctx, false).await;
            config.send_replace(known);
            text = Some(read);
            saved = None;
            has_changed = true;
        }
        has_changed |= adjust(&ctx, &mut used, &configured, &source);
        if std::mem::take(&mut has_changed) {
            // Routes may have changed: each sink looks again.
            ctx.told.mark_all(&ctx.cache.names());
        }
        let term = ctx.leadership.holds().then(|| ctx.leadership.term());
        let known = ctx.told.books().term;
        match term {
            None if known.is_some() => book::close(&ctx),
            Some(term) if known != Some(term) && Instant::now() >= try_load => {
                saved = None;
                if let Err(error) = book::load(&ctx, &place, term).await {
                    tracing::warn!(
                        name = place.name,
                        "nobody is notified before it is known who was told what: {error}"
                    );
                    try_load = Instant::now() + BETWEEN_LOADS;
                }
            }
            Some(_) if saved.is_none_or(|saved| saved.elapsed() >= BETWEEN_BOOKS) => {
                book::save(&ctx, false).await;
                saved = Some(Instant::now());
            }
            _ => {}
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// Ends the sinks that are not configured any more, or that a defect ended, and begins those that are. Says whether any begins.
fn adjust(ctx: &Arc<Context>, used: &mut HashMap<String, Used>, configured: &watch::Receiver<Arc<Config>>, source: &str) -> bool {
    let known = configured.borrow().clone();
    used.retain(|name, sink| {
        if sink.telling.is_finished() {
            tracing::error!(sink = name, "telling the sink ended by a defect of the operator: it begins again");
        }
        let stays = known.sinks.contains(&sink.config) && !sink.telling.is_finished();
        if !stays {
            ctx.told.end(name);
        }
        stays
    });
    let before = used.len();
    for sink in &known.sinks {
        used.entry(sink.name.clone()).or_insert_with(|| {
            let line = ctx.told.begin(&sink.name);
            book::open(ctx, &line);
            let telling = teller::run(ctx.clone(), line, Sink::new(sink.clone(), source), configured.clone());
            Used {
                config: sink.clone(),
                telling: tokio::spawn(telling),
            }
        });
    }
    used.len() > before
}

/// The file's text, or why it cannot be read.
fn read(file: &Path) -> Result<String, String> {
    use std::io::Read;
    let mut text = String::new();
    let opened = std::fs::File::open(file).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    opened.map(|_| text).map_err(|error| error.to_string())
}

/// What the text says; and what is wrong in it, for people.
fn say(ctx: &Context, file: &Path, text: &Result<String, String>, before: &Config) -> Config {
    let config = match text {
        Ok(text) => Config::read(text).or(before),
        Err(error) => {
            ctx.metrics.notification_config_errors.set(1);
            tracing::error!(file = %file.display(), "the configuration of notifications cannot be read, and stays as it was: {error}");
            return before.clone();
        }
    };
    for wrong in &config.wrong {
        tracing::error!(file = %file.display(), "notifications: {}: {}", wrong.place, wrong.message);
    }
    let wrong = i64::try_from(config.wrong.len()).unwrap_or(i64::MAX);
    ctx.metrics.notification_config_errors.set(wrong);
    let names: Vec<&str> = config.sinks.iter().map(|sink| sink.name.as_str()).collect();
    tracing::info!(file = %file.display(), sinks = names.join(","), "notifications are configured");
    config
}
