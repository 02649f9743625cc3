//! Pods as the API server lists them, reduced to what a report of a Job reads.
//!
//! JSON goes in; names, states, times and bounded words come out. Anybody who may create pods can give one the label of a Job, and
//! a megabyte of status: every list and every text is bounded while it is read. What is missing or null is empty, never an error.

use crate::api::printable;
use jiff::{SignedDuration, Timestamp};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// Containers of a pod, and conditions, that are read; the rest is passed over.
const ITEMS: usize = 256;
/// Characters that are kept of the beginning and of the end of a longer text: a log ends with what matters, a message begins with it.
/// Together with a sentence around them they fit into a message of the ledger.
const HEAD: usize = 250;
const TAIL: usize = 650;

/// A pod of a Job.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RawPod {
    #[serde(deserialize_with = "or_default")]
    pub(super) metadata: RawMetadata,
    #[serde(deserialize_with = "or_default")]
    pub(super) spec: RawSpec,
    #[serde(deserialize_with = "or_default")]
    pub(super) status: RawStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawMetadata {
    pub name: Text,
    #[serde(deserialize_with = "time")]
    pub creation_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    deletion_timestamp: Option<Timestamp>,
    deletion_grace_period_seconds: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    annotations: RawAnnotations,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawAnnotations {
    #[serde(rename = "kubectl.kubernetes.io/default-container")]
    default_container: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawSpec {
    pub node_name: Text,
    pub active_deadline_seconds: Option<i64>,
    restart_policy: Text,
    init_containers: Items<RawSpecContainer>,
    containers: Items<RawSpecContainer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSpecContainer {
    name: Text,
    restart_policy: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawStatus {
    pub phase: Text,
    pub reason: Text,
    pub message: Text,
    #[serde(deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    pub conditions: Items<RawCondition>,
    init_container_statuses: Items<RawContainer>,
    container_statuses: Items<RawContainer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawCondition {
    #[serde(rename = "type")]
    pub kind: Text,
    pub status: Text,
    pub reason: Text,
    pub message: Text,
    #[serde(deserialize_with = "time")]
    pub last_transition_time: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawContainer {
    pub name: Text,
    pub started: Option<bool>,
    pub restart_count: Option<i32>,
    #[serde(deserialize_with = "or_default")]
    pub state: RawState,
    #[serde(deserialize_with = "or_default")]
    pub last_state: RawState,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawState {
    pub waiting: Option<RawWaiting>,
    pub running: Option<IgnoredAny>,
    pub terminated: Option<RawTerminated>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawWaiting {
    pub reason: Text,
    pub message: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawTerminated {
    pub exit_code: Option<i32>,
    pub reason: Text,
    pub message: Text,
    #[serde(deserialize_with = "time")]
    pub started_at: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub finished_at: Option<Timestamp>,
}

/// When the deletion of a pod was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deletion {
    /// At this moment.
    Requested(Timestamp),
    /// At this moment or before.
    RequestedBefore(Timestamp),
}

/// Whose container it is, for the outcome of the Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An init container that must complete before the next one starts.
    Init,
    /// An init container with `restartPolicy: Always`: it runs beside the work and is ended after it.
    Sidecar,
    /// A container of the work.
    Main,
}

impl RawPod {
    pub(super) fn is_failed(&self) -> bool {
        &*self.status.phase == "Failed"
    }

    pub(super) fn is_succeeded(&self) -> bool {
        &*self.status.phase == "Succeeded"
    }

    /// It is being deleted: by the Job controller, by a disruption, or by somebody.
    pub(super) fn is_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Its deletion, if it is being deleted. While it has time to end, `deletionTimestamp` lies that grace period after the request
    /// (`rest.BeforeDelete`). The last request, without a grace period, moves it to its own moment: then only the end is known.
    pub(super) fn deletion(&self) -> Option<Deletion> {
        let end = self.metadata.deletion_timestamp?;
        let grace = self
            .metadata
            .deletion_grace_period_seconds
            .unwrap_or(0)
            .clamp(0, i64::from(i32::MAX));
        Some(match grace {
            0 => Deletion::RequestedBefore(end),
            grace => Deletion::Requested(end.checked_sub(SignedDuration::from_secs(grace)).unwrap_or(Timestamp::MIN)),
        })
    }

    /// The condition of that type and status.
    pub(super) fn condition(&self, kind: &str, status: &str) -> Option<&RawCondition> {
        let mut conditions = self.status.conditions.iter();
        conditions.find(|condition| &*condition.kind == kind && &*condition.status == status)
    }

    /// Init containers and sidecars as the kubelet lists them, which is the order of the spec; then the main containers in the
    /// order of the spec, the default container first: the kubelet lists those by name.
    pub(super) fn containers(&self) -> Vec<(Role, &RawContainer)> {
        let init = self.status.init_container_statuses.iter();
        let init = init.map(|container| (self.role_of_init(&container.name), container));
        let place = |container: &&RawContainer| {
            let default = !container.name.is_empty() && *container.name == *self.metadata.annotations.default_container;
            let place = self.spec.containers.iter().position(|known| *known.name == *container.name);
            (!default, place.unwrap_or(usize::MAX))
        };
        let mut main: Vec<&RawContainer> = self.status.container_statuses.iter().collect();
        main.sort_by_key(place);
        init.chain(main.into_iter().map(|container| (Role::Main, container))).collect()
    }

    /// Whether a container that fails is started again while its pod lives: by its own policy, or by the pod's.
    pub(super) fn restarts(&self, container: &str) -> bool {
        let known = self.spec.init_containers.iter().chain(self.spec.containers.iter());
        let mut own = known.filter(|known| &*known.name == container && !known.restart_policy.is_empty());
        let policy = own.next().map_or(&self.spec.restart_policy, |known| &known.restart_policy);
        matches!(policy.as_str(), "OnFailure" | "Always")
    }

    fn role_of_init(&self, name: &str) -> Role {
        let known = self.spec.init_containers.iter().find(|known| &*known.name == name);
        match known {
            Some(known) if &*known.restart_policy == "Always" => Role::Sidecar,
            _ => Role::Init,
        }
    }
}

/// One line of a bounded length that is safe to show. A longer text keeps its beginning and its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(String);

impl Text {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new(text: &str) -> Self {
        let text = text.trim();
        let head = text.char_indices().nth(HEAD).map(|(at, _)| at);
        let tail = text.char_indices().rev().nth(TAIL - 1).map(|(at, _)| at);
        match head.zip(tail) {
            Some((head, tail)) if head < tail => {
                let (head, tail) = (text.get(..head).unwrap_or_default(), text.get(tail..).unwrap_or_default());
                Self(format!("{} … {}", printable(head.trim_end()), printable(tail.trim_start())))
            }
            _ => Self(printable(text).into_owned()),
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or null")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text::new(text))
            }

            fn visit_none<E>(self) -> Result<Text, E> {
                Ok(Text::default())
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
                deserializer.deserialize_str(self)
            }
        }
        deserializer.deserialize_option(Words)
    }
}

/// The first [`ITEMS`] of a list.
#[derive(Clone, Debug)]
pub(super) struct Items<T>(Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Items<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for First<T> {
            type Value = Items<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list or null")
            }

            fn visit_none<E>(self) -> Result<Items<T>, E> {
                Ok(Items::default())
            }

            fn visit_unit<E>(self) -> Result<Items<T>, E> {
                Ok(Items::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Items<T>, D::Error> {
                deserializer.deserialize_seq(self)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items<T>, A::Error> {
                let mut items = Vec::new();
                while items.len() < ITEMS {
                    let Some(item) = list.next_element()? else {
                        return Ok(Items(items));
                    };
                    items.push(item);
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Items(items))
            }
        }
        deserializer.deserialize_option(First(PhantomData))
    }
}

/// Null is a value that says nothing.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(value: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// A time, if it is one. A container that never started has the epoch.
fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Text::deserialize(value)?;
    Ok(text.parse().ok().filter(|at| *at > Timestamp::UNIX_EPOCH))
}
