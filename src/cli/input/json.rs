//! Reads JSON values that follow one another, and stops where one has more values or levels than a document may have.

use super::compose::shifted;
use super::limits::{DOCUMENTS, Exceeded, LEVELS, VALUES};
use anyhow::anyhow;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::fmt;

/// All values of a text, up to the first that is wrong. `before` is the number of lines that precede the text in its file.
pub fn values(text: &str, before: u64) -> Vec<anyhow::Result<Value>> {
    let budget = Budget::new();
    let mut from = serde_json::Deserializer::from_str(text);
    let mut values = Vec::new();
    while from.end().is_err() && values.len() <= DOCUMENTS {
        let value = budget.build(&mut from);
        let ends = value.is_err();
        values.push(value.map_err(|error| budget.explain(&error, before)));
        if ends {
            break;
        }
    }
    values
}

/// What is left of a document's budget.
struct Budget {
    values: Cell<usize>,
    exceeded: Cell<Option<Exceeded>>,
}

impl Budget {
    fn new() -> Self {
        Self {
            values: Cell::new(VALUES),
            exceeded: Cell::new(None),
        }
    }

    /// Why a value was not built: the limit that it exceeds, or else the error.
    fn explain(&self, error: &serde_json::Error, before: u64) -> anyhow::Error {
        match self.exceeded.get() {
            Some(exceeded) => anyhow!(exceeded),
            None => anyhow!("not valid JSON: {}", shifted(&error.to_string(), before)),
        }
    }

    /// Builds one value.
    ///
    /// # Errors
    /// The deserializer's, and when the budget is used up.
    fn build<'de, D: Deserializer<'de>>(&self, from: D) -> Result<Value, D::Error> {
        self.at(0).deserialize(from)
    }

    fn at(&self, level: usize) -> Counted<'_> {
        Counted { budget: self, level }
    }

    fn take<E: de::Error>(&self) -> Result<(), E> {
        match self.values.get().checked_sub(1) {
            Some(left) => {
                self.values.set(left);
                Ok(())
            }
            None => self.refuse(Exceeded::Values),
        }
    }

    fn refuse<T, E: de::Error>(&self, what: Exceeded) -> Result<T, E> {
        self.exceeded.set(Some(what));
        Err(E::custom(what))
    }
}

/// A value at this level.
#[derive(Clone, Copy)]
struct Counted<'a> {
    budget: &'a Budget,
    level: usize,
}

impl Counted<'_> {
    /// For what is inside.
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.level < LEVELS {
            true => Ok(self.budget.at(self.level + 1)),
            false => self.budget.refuse(Exceeded::Levels),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.budget.take()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        de::Deserialize::deserialize(value.into_deserializer())
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        de::Deserialize::deserialize(value.into_deserializer())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut all = Map::new();
        while let Some(name) = fields.next_key_seed(Name)? {
            self.budget.take()?;
            let value = fields.next_value_seed(inside)?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

/// The name of a field.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<String, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string key")
    }

    fn visit_str<E>(self, name: &str) -> Result<String, E> {
        Ok(name.to_owned())
    }

    fn visit_string<E>(self, name: String) -> Result<String, E> {
        Ok(name)
    }
}
