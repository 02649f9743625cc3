//! Metadata of objects, as little of it as the operator reads.
//!
//! JSON goes in, `ObjectMeta` comes out with the names, the owners, our annotations and the first writer; of tasks, some labels, too. The
//! rest (managed fields, other people's annotations) is passed over without being built.

use crate::api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, OwnerReference, Time};
use kube::api::ObjectMeta;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// The annotations that we read, of Jobs and of tasks.
const READ: [&str; 8] = [
    api::SLOT,
    api::ATTEMPT,
    api::TRIGGER,
    api::MARK,
    api::RUN_NOW,
    api::RESUME,
    api::BACKFILL,
    api::RESET_LEDGER,
];

/// So many labels of a task are read: routes of notifications ask for them.
const MOST_LABELS: usize = 64;

/// The metadata that we read; managed fields and the like are passed over without being built.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimMeta<L: Default> {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    labels: L,
    #[serde(default)]
    owner_references: Option<Vec<OwnerReference>>,
    #[serde(default)]
    managed_fields: Option<Vec<Manager>>,
}

/// Who wrote fields; which ones they are is passed over.
#[derive(Deserialize)]
struct Manager {
    #[serde(default)]
    manager: Option<String>,
}

/// Reads the metadata of an object.
///
/// # Errors
/// When it is no metadata.
pub fn slim<'de, D: Deserializer<'de>>(value: D) -> Result<ObjectMeta, D::Error> {
    let meta = SlimMeta::<IgnoredAny>::deserialize(value)?;
    Ok(meta.into_meta(None))
}

/// Reads the metadata of an object, with its labels.
///
/// # Errors
/// When it is no metadata.
pub fn slim_with_labels<'de, D: Deserializer<'de>>(value: D) -> Result<ObjectMeta, D::Error> {
    let mut meta = SlimMeta::<Option<BTreeMap<String, String>>>::deserialize(value)?;
    let labels = meta.labels.take().unwrap_or_default().into_iter().take(MOST_LABELS);
    let labels: BTreeMap<String, String> = labels.collect();
    Ok(meta.into_meta((!labels.is_empty()).then_some(labels)))
}

impl<L: Default> SlimMeta<L> {
    fn into_meta(self, labels: Option<BTreeMap<String, String>>) -> ObjectMeta {
        let meta = self;
        let mut annotations = meta.annotations.unwrap_or_default();
        annotations.retain(|name, _| READ.contains(&name.as_str()));
        let first = meta.managed_fields.into_iter().flatten().find_map(|entry| entry.manager);
        let first = first.map(|manager| ManagedFieldsEntry {
            manager: Some(manager),
            ..ManagedFieldsEntry::default()
        });
        ObjectMeta {
            labels,
            name: meta.name,
            namespace: meta.namespace,
            uid: meta.uid,
            resource_version: meta.resource_version,
            generation: meta.generation,
            creation_timestamp: meta.creation_timestamp,
            deletion_timestamp: meta.deletion_timestamp,
            annotations: (!annotations.is_empty()).then_some(annotations),
            owner_references: meta.owner_references,
            managed_fields: first.map(|first| vec![first]),
            ..ObjectMeta::default()
        }
    }
}
