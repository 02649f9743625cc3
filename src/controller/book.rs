//! The books of all sinks as an object of the API server: a ConfigMap beside the claims log, with a page for each sink.
//!
//! It is read when this process begins to lead, and written when somebody was told of something: twice a minute at most, and at a stop.
//! Whoever crashes in between has its successor tell again what it told since, with the same ids.

use super::config_map::ConfigMapRef;
use super::context::Context;
use super::error::Error;
use super::told::Line;
use crate::notify::{Book, Reader};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;

/// An object has at most 1 MiB, and its keys and metadata need some of it.
const ROOM: usize = 900 * 1024;

/// A page that could hold one more of these has room for all.
const LONGEST_ENTRY: usize = 100;

/// Reads the books, for this term. A book that is not there begins now.
///
/// # Errors
/// When the object cannot be read; whether it is there is not known then.
pub async fn load(ctx: &Context, place: &ConfigMapRef, term: u64) -> Result<(), Error> {
    let found = match ctx.send::<ConfigMap>("get book", place.get()).await {
        Ok(object) => Some(object),
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let (version, pages) = found.map_or_else(Default::default, |object| {
        let pages = object.binary_data.unwrap_or_default().into_iter();
        (object.metadata.resource_version, pages.map(|(sink, page)| (sink, page.0)).collect())
    });
    {
        let mut books = ctx.told.books();
        (books.term, books.version, books.pages) = (Some(term), version, pages);
        books.place = Some(place.clone());
    }
    let tasks = ctx.cache.names();
    for line in ctx.told.all() {
        open(ctx, &line);
        // Of tasks that were deleted while nobody led.
        if ctx.synced.is_complete()
            && let Some(reader) = line.reader().as_mut()
        {
            reader.retain(tasks.iter().map(|task| &*task.key));
        }
    }
    ctx.told.mark_all(&tasks);
    Ok(())
}

/// A sink reads on from where its page says, once the books are read.
pub fn open(ctx: &Context, line: &Line) {
    let books = ctx.told.books();
    if books.term.is_none() {
        return;
    }
    let page = books.pages.get(&line.sink).and_then(|page| Book::read(page));
    let begin = || Reader::begin(&line.sink, ctx.clock.now());
    line.set_reader(Some(page.map_or_else(begin, |page| Reader::new(&line.sink, page))));
}

/// Another process leads, or may: it has books of its own.
pub fn close(ctx: &Context) {
    ctx.told.books().term = None;
    for line in ctx.told.all() {
        line.set_reader(None);
    }
}

/// Writes the books, if somebody was told of something; at a stop also where a sink has only read on.
pub async fn save(ctx: &Context, is_stop: bool) {
    let lines = ctx.told.all();
    let is_worth_it = if is_stop { Reader::has_moved } else { Reader::is_ahead };
    if !lines.iter().any(|line| line.reader().as_ref().is_some_and(is_worth_it)) {
        return;
    }
    let (Some(place), version, mut pages, named) = ({
        let books = ctx.told.books();
        (books.place.clone(), books.version.clone(), books.pages.clone(), books.named.clone())
    }) else {
        return;
    };
    // Of a sink that was taken out of the configuration nothing is remembered.
    pages.retain(|sink, _| named.contains(sink) || lines.iter().any(|line| line.sink == *sink));
    let room = ROOM / lines.len().max(named.len()).max(1);
    let mut left_out = 0;
    for line in &lines {
        if let Some(reader) = line.reader().as_mut() {
            let page = reader.write(room);
            left_out += if page.len() + LONGEST_ENTRY > room {
                reader.left_out(&page)
            } else {
                0
            };
            pages.insert(line.sink.clone(), page);
        }
    }
    say_if_full(ctx, &place, left_out);
    let content = ConfigMap {
        binary_data: Some(pages.iter().map(|(sink, page)| (sink.clone(), ByteString(page.clone()))).collect()),
        ..ConfigMap::default()
    };
    match ctx.write::<ConfigMap>("book", place.put(version, content)).await {
        Ok(object) => {
            let mut books = ctx.told.books();
            (books.version, books.pages) = (object.metadata.resource_version, pages);
        }
        Err(error) => {
            for line in &lines {
                if let Some(reader) = line.reader().as_mut() {
                    reader.not_written();
                }
            }
            let ConfigMapRef { namespace, name } = &place;
            // Somebody else wrote it: it is read again, and then written.
            if matches!(error, Error::Conflict(_) | Error::NotFound(_)) {
                refresh(ctx, &place).await;
            }
            tracing::warn!(namespace, name, "what notifications told is not written down: {error}");
        }
    }
}

fn say_if_full(ctx: &Context, place: &ConfigMapRef, left_out: usize) {
    let is_full = left_out > 0;
    if std::mem::replace(&mut ctx.told.books().is_full, is_full) || !is_full {
        return;
    }
    let ConfigMapRef { namespace, name } = place;
    tracing::warn!(
        namespace,
        name,
        "no room to write down what {left_out} tasks' receivers were told: a restart tells it again. Fewer sinks, or narrower routes, need less"
    );
}

/// Reads which version there is. What it says is older than what is known here, as long as this process leads.
async fn refresh(ctx: &Context, place: &ConfigMapRef) {
    let version = match ctx.send::<ConfigMap>("get book", place.get()).await {
        Ok(object) => object.metadata.resource_version,
        Err(Error::NotFound(_)) => None,
        Err(_) => return,
    };
    ctx.told.books().version = version;
}
