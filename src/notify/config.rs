//! The administrator's file: which sinks there are, and what goes where.
//!
//! A text in YAML goes in. What is right in it is used, whatever else is wrong: each mistake is told by the name of its sink or the
//! number of its route, the field, and the way out. No tenant can write it, and nothing in a task names a sink or an address.

use super::message::{Message, Subject, What};
use super::position::FINAL;
use super::route::Route;
use super::sink_config::{Kind, SinkConfig, read_sink};
use super::trace_env::TraceEnv;
use serde_yaml::Value;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// A file of more bytes is not read: ConfigMaps have one megabyte at most.
pub const LARGEST_FILE: usize = 1 << 20;
/// So many sinks, so that each of them has a place in the book.
pub const MOST_SINKS: usize = 32;

/// The sink of traces, which no file names.
const TRACES: &str = "opentelemetry.traces";

/// Places of mistakes: see [`WrongSink`].
const THE_FILE: &str = "the file";
const ROUTES: &str = "routes";

/// Messages for people wait so long for others, unless the file says otherwise.
const GROUP_WAIT: Duration = Duration::from_secs(10);
const LONGEST_GROUP_WAIT: Duration = Duration::from_secs(3600);

/// What the file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Each with a name of its own.
    pub sinks: Vec<SinkConfig>,
    /// What goes where.
    pub routes: Vec<Route>,
    /// Messages for people wait so long for others: a storm of failures is one message.
    pub group_wait: Duration,
    /// The names of all sinks in it, also of those that cannot be used: what each of them was told is still of interest.
    pub names: HashSet<String>,
    /// What in it cannot be used.
    pub wrong: Vec<WrongSink>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sinks: Vec::new(),
            routes: Vec::new(),
            group_wait: GROUP_WAIT,
            names: HashSet::new(),
            wrong: Vec::new(),
        }
    }
}

/// A mistake in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongSink {
    /// `sink "chat"` or `routes[0]`.
    pub place: String,
    /// What is wrong, and the way out.
    pub message: String,
}

impl Config {
    /// Reads the file's text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut config = Self::default();
        if text.len() > LARGEST_FILE {
            config.is_wrong(THE_FILE, format!("has {} bytes; at most {LARGEST_FILE} are read", text.len()));
            return config;
        }
        let root: Value = match serde_yaml::from_str(text) {
            Ok(Value::Null) => return config,
            Ok(root) => root,
            Err(error) => {
                config.is_wrong(THE_FILE, format!("is no YAML: {error}"));
                return config;
            }
        };
        let Some(fields) = root.as_mapping() else {
            config.is_wrong(THE_FILE, "must have the fields sinks and routes".into());
            return config;
        };
        for (field, value) in fields {
            match field.as_str() {
                Some("sinks") => config.read_sinks(value),
                Some("routes") => {}
                Some("groupWait") => config.read_group_wait(value),
                other => {
                    let name = other.unwrap_or("?");
                    config.is_wrong(
                        THE_FILE,
                        format!("has an unknown field {name:?}; it has sinks, routes and groupWait"),
                    );
                }
            }
        }
        config.read_routes(fields.get("routes"));
        config
    }

    /// The same, where what is wrong in it stays as it was `before`: a slip of the pen loses nothing as long as the operator runs. A sink
    /// keeps its configuration; routes are kept as a whole, for nobody knows what a wrong one was to be.
    #[must_use]
    pub fn or(mut self, before: &Self) -> Self {
        let is_wrong = |config: &Self, place: &str| config.wrong.iter().any(|wrong| wrong.place == place);
        if is_wrong(&self, THE_FILE) && self.names.is_empty() {
            return Self {
                wrong: self.wrong,
                ..before.clone()
            };
        }
        for sink in &before.sinks {
            let is_free = self.sinks.iter().all(|known| known.name != sink.name);
            if is_free && is_wrong(&self, &sink_place(&sink.name)) {
                self.sinks.push(sink.clone());
            }
        }
        if self.wrong.iter().any(|wrong| wrong.place.starts_with(ROUTES)) && !before.routes.is_empty() {
            self.routes = before.routes.clone();
        }
        self
    }

    /// The same, and an OpenTelemetry collector gets each outcome.
    #[must_use]
    pub fn with_traces(mut self, how: &TraceEnv) -> Self {
        // A sink of the file may have the name: a DNS label has no dot.
        let name = || TRACES.to_owned();
        self.sinks.retain(|sink| sink.name != TRACES);
        self.routes.retain(|route| route.sinks != [TRACES]);
        self.sinks.push(SinkConfig {
            name: name(),
            kind: Kind::Traces(how.clone()),
        });
        self.routes.push(Route {
            outcomes: FINAL.to_vec(),
            each: true,
            ..Route::to_all([name()].into_iter())
        });
        self.names.insert(name());
        self
    }

    fn is_wrong(&mut self, place: &str, message: String) {
        self.wrong.push(WrongSink {
            place: place.into(),
            message,
        });
    }

    fn read_group_wait(&mut self, value: &Value) {
        let read = serde_yaml::from_value::<kube::core::Duration>(value.clone());
        match read.map(Duration::from) {
            Ok(wait) if wait <= LONGEST_GROUP_WAIT => self.group_wait = wait,
            _ => self.is_wrong("groupWait", "must be a duration of at most an hour, such as 10s".into()),
        }
    }

    fn read_sinks(&mut self, value: &Value) {
        let Some(list) = value.as_sequence() else {
            return self.is_wrong("sinks", "must be a list".into());
        };
        let mut names = HashSet::new();
        for (index, value) in list.iter().enumerate() {
            let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
            let place = if name.is_empty() {
                format!("sinks[{index}]")
            } else {
                sink_place(name)
            };
            if is_label(name) {
                self.names.insert(name.to_owned());
            }
            let is_new = names.insert(name.to_owned());
            let read = match value.as_mapping() {
                _ if !is_label(name) => Err(format!("name: {name:?} is no DNS label: a to z, 0 to 9 and -, at most 63")),
                _ if !is_new => Err("name: another sink has it already".into()),
                _ if self.sinks.len() == MOST_SINKS => Err(format!("is one more than the {MOST_SINKS} that are possible")),
                None => Err("must have the fields name and one of http, slack, smtp, amqp, heartbeat".into()),
                Some(fields) => read_sink(fields),
            };
            match read {
                Ok(kind) => self.sinks.push(SinkConfig { name: name.into(), kind }),
                Err(message) => self.is_wrong(&place, message),
            }
        }
    }

    fn read_routes(&mut self, value: Option<&Value>) {
        let Some(value) = value else {
            // Who names no route wants everything that people should know, everywhere.
            self.routes = vec![Route::to_all(self.sinks.iter().map(|sink| sink.name.clone()))];
            return;
        };
        let Some(list) = value.as_sequence() else {
            return self.is_wrong(ROUTES, "must be a list".into());
        };
        for (index, value) in list.iter().enumerate() {
            let place = format!("{ROUTES}[{index}]");
            match Route::read(value) {
                Ok(route) => {
                    for name in &route.sinks {
                        let is_wrong_too = |wrong: &WrongSink| wrong.place == sink_place(name);
                        if self.sinks.iter().all(|sink| sink.name != *name) && !self.wrong.iter().any(is_wrong_too) {
                            self.wrong.push(WrongSink {
                                place: place.clone(),
                                message: format!("sinks: there is no sink {name:?}"),
                            });
                        }
                    }
                    self.routes.push(route);
                }
                Err(message) => self.is_wrong(&place, message),
            }
        }
    }

    /// What a sink gets of a task with these labels.
    #[must_use]
    pub fn wanted(&self, sink: &str, labels: &BTreeMap<String, String>) -> Wanted<'_> {
        let has = |route: &&Route| route.concerns(sink, labels);
        Wanted {
            routes: self.routes.iter().filter(has).collect(),
        }
    }
}

/// What a sink gets of one task.
#[derive(Debug)]
pub struct Wanted<'a> {
    routes: Vec<&'a Route>,
}

impl Wanted<'_> {
    /// Whether it gets this message.
    #[must_use]
    pub fn takes(&self, message: &Message) -> bool {
        let takes = |route: &&Route| {
            let wants_lost = message.lost.is_empty() || message.lost.iter().any(|what| route.names(*what, &message.subject));
            (route.each || !message.is_repeat) && wants_lost && route.names(message.what, &message.subject)
        };
        self.routes.iter().any(takes)
    }

    /// Whether it gets to know of this at all.
    #[must_use]
    pub fn names(&self, what: What, subject: &Subject) -> bool {
        self.routes.iter().any(|route| route.names(what, subject))
    }
}

fn sink_place(name: &str) -> String {
    format!("sink {name:?}")
}

fn is_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len()) && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "sinks: [{name: a, http: {url: 'http://a'}}, {name: b, slack: {url: 'http://b'}}]
routes: [{sinks: [a, b], namespaces: [prod]}]";

    fn after(text: &str) -> Config {
        Config::read(text).or(&Config::read(GOOD))
    }

    #[test]
    fn what_is_wrong_stays_as_it_was() {
        let good = Config::read(GOOD);
        let kept = |config: &Config| (config.sinks.clone(), config.routes.clone(), config.names.clone());
        for broken in ["sinks: [", "[]", "1"] {
            let config = after(broken);
            assert_eq!((kept(&config), config.wrong.len()), (kept(&good), 1), "{broken}");
        }
        // A sink that is wrong goes on as it was, and others change.
        let config = after(
            &GOOD
                .replace("slack: {url: 'http://b'}", "slack: {}")
                .replace("http://a", "http://c"),
        );
        let names: Vec<&str> = config.sinks.iter().map(|sink| sink.name.as_str()).collect();
        assert_eq!((names, config.wrong.len()), (vec!["a", "b"], 1));
        assert_ne!(config.sinks[0], good.sinks[0]);
        assert_eq!(config.sinks[1], good.sinks[1]);
        // A wrong route keeps all of them.
        let config = after(&GOOD.replace("namespaces: [prod]", "namespace: [test]"));
        assert_eq!((&config.routes, config.wrong.len()), (&good.routes, 1));
        // What is not in the file any more is no mistake.
        assert_eq!(after(""), Config::default());
        assert!(after("sinks: [{name: a, http: {url: 'http://a'}}]").names.iter().eq(["a"]));
        // Of a sink that cannot be used it is known that it is there.
        assert!(Config::read("sinks: [{name: b, slack: {}}]").names.contains("b"));
    }

    #[test]
    fn traces_are_a_sink_beside_those_of_the_file_once() {
        let how = TraceEnv::read(|name| (name == "OTEL_TRACES_EXPORTER").then(|| "otlp".into()));
        let how = how.unwrap().unwrap();
        let config = Config::read(GOOD).with_traces(&how);
        assert_eq!((config.sinks.len(), config.routes.len()), (3, 2));
        let again = Config::read("sinks: [").or(&config).with_traces(&how);
        assert_eq!((again.sinks.len(), again.routes.len()), (3, 2));
        assert_eq!(Config::default().with_traces(&how).sinks.len(), 1);
    }
}
