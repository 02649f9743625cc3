//! The books of all sinks as an object of the API server: a ConfigMap beside the claims log, with a page for each sink.
//!
//! It is read when this process begins to lead, and written when somebody was told of something: twice a minute at most, and at a stop.
//! Whoever crashes in between has its successor tell again what it told since, with the same ids.

use super::claims::ClaimsLogRef;
use super::context::Context;
use super::error::Error;
use super::field_manager::FIELD_MANAGER;
use crate::notify::{Book, Reader};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Resource;
use kube::api::{GetParams, ObjectMeta, PostParams};
use kube::core::Request;
use std::collections::BTreeMap;

/// An object has at most 1 MiB, and its keys and metadata need some of it.
const ROOM: usize = 900 * 1024;

/// Reads the books, for this term. A book that is not there begins now.
///
/// # Errors
/// When the object cannot be read; whether it is there is not known then.
pub async fn load(ctx: &Context, place: &ClaimsLogRef, term: u64) -> Result<(), Error> {
    let get = requests(place).get(&place.name, &GetParams::default());
    let found = match ctx.send::<ConfigMap>("get book", get).await {
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
    for line in ctx.told.all() {
        open(ctx, &line.sink);
    }
    Ok(())
}

/// A sink reads on from where its page says, once the books are read; every task is looked at.
pub fn open(ctx: &Context, sink: &str) {
    let page = {
        let books = ctx.told.books();
        if books.term.is_none() {
            return;
        }
        books.pages.get(sink).and_then(|page| Book::read(page))
    };
    let Some(line) = ctx.told.all().into_iter().find(|line| line.sink == sink) else {
        return;
    };
    let begin = || Reader::begin(sink, ctx.clock.now());
    line.set_reader(Some(page.map_or_else(begin, |page| Reader::new(sink, page))));
    for named in ctx.cache.names() {
        line.add(&named.key, &named.namespace);
    }
}

/// Another process leads, or may: it has books of its own.
pub fn close(ctx: &Context) {
    ctx.told.books().term = None;
    for line in ctx.told.all() {
        line.set_reader(None);
    }
}

/// Writes the books, if somebody was told of something.
pub async fn save(ctx: &Context) {
    let lines = ctx.told.all();
    let is_ahead = |line: &&std::sync::Arc<super::told::Line>| line.reader().as_ref().is_some_and(Reader::is_ahead);
    if !lines.iter().any(|line| is_ahead(&line)) {
        return;
    }
    let room = ROOM / lines.len().max(1);
    let (Some(place), version, mut pages) = ({
        let books = ctx.told.books();
        (books.place.clone(), books.version.clone(), books.pages.clone())
    }) else {
        return;
    };
    // Of a sink that was taken out of the configuration nothing is remembered.
    pages.retain(|sink, _| lines.iter().any(|line| line.sink == *sink));
    for line in &lines {
        if let Some(reader) = line.reader().as_mut() {
            pages.insert(line.sink.clone(), reader.write(room));
        }
    }
    match write(ctx, &place, version, &pages).await {
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
            let ClaimsLogRef { namespace, name } = &place;
            // Somebody else wrote it: it is read again, and then written.
            if matches!(error, Error::Conflict(_) | Error::NotFound(_)) {
                refresh(ctx, &place).await;
            }
            tracing::warn!(namespace, name, "what notifications told is not written down: {error}");
        }
    }
}

/// Reads which version there is. What it says is older than what is known here, as long as this process leads.
async fn refresh(ctx: &Context, place: &ClaimsLogRef) {
    let get = requests(place).get(&place.name, &GetParams::default());
    let version = match ctx.send::<ConfigMap>("get book", get).await {
        Ok(object) => object.metadata.resource_version,
        Err(Error::NotFound(_)) => None,
        Err(_) => return,
    };
    ctx.told.books().version = version;
}

async fn write(
    ctx: &Context,
    place: &ClaimsLogRef,
    version: Option<String>,
    pages: &BTreeMap<String, Vec<u8>>,
) -> Result<ConfigMap, Error> {
    let is_new = version.is_none();
    let object = ConfigMap {
        metadata: ObjectMeta {
            name: Some(place.name.clone()),
            namespace: Some(place.namespace.clone()),
            resource_version: version,
            labels: Some(BTreeMap::from([("app.kubernetes.io/managed-by".into(), FIELD_MANAGER.into())])),
            ..ObjectMeta::default()
        },
        binary_data: Some(pages.iter().map(|(sink, page)| (sink.clone(), ByteString(page.clone()))).collect()),
        ..ConfigMap::default()
    };
    let body = serde_json::to_vec(&object).map_err(|error| Error::Refused(error.to_string()))?;
    let params = PostParams {
        dry_run: false,
        field_manager: Some(FIELD_MANAGER.into()),
    };
    let request = if is_new {
        requests(place).create(&params, body)
    } else {
        requests(place).replace(&place.name, &params, body)
    };
    ctx.write("book", request).await
}

fn requests(place: &ClaimsLogRef) -> Request {
    Request::new(ConfigMap::url_path(&(), Some(&place.namespace)))
}
