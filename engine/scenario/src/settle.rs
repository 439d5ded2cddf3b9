//! Turns the merged tree into the settings structs. The schema check before it knows nearly every
//! rule; what only serde can tell (names of maps keyed by an enum, a struct's own rules) still gets its
//! place in the file here.

use crate::tree::{Node, Place, Source, Value};
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use urbis_core::Error;
use urbis_core::diagnostics::did_you_mean;

/// Reads a value of any settings struct out of the tree.
pub(crate) fn settle<T: DeserializeOwned>(node: &Node, sources: &[Source]) -> urbis_core::Result<T> {
    T::deserialize(Located(node)).map_err(|fault| {
        let place = fault.place.unwrap_or_else(|| node.place.clone());
        let problem = place.problem(sources, &fault.message, "here");
        Error::from(match fault.help {
            Some(help) => problem.with_help(help),
            None => problem,
        })
    })
}

/// What serde says, with the innermost place it said it about.
#[derive(Debug)]
struct Fault {
    message: String,
    help: Option<String>,
    place: Option<Place>,
}

impl Fault {
    fn at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }
    fn unknown(what: &str, name: &str, known: &'static [&'static str]) -> Self {
        let help = match did_you_mean(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known: {}", known.join(", ")),
        };
        Self { message: format!("unknown {what} `{name}`"), help: Some(help), place: None }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), help: None, place: None }
    }
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("name", variant, expected)
    }
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("key", field, expected)
    }
}

/// A node as serde's input.
#[derive(Clone, Copy)]
struct Located<'a>(&'a Node);

impl<'de> Deserializer<'de> for Located<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let found = match &self.0.value {
            Value::Text(text) => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(flag) => visitor.visit_bool(*flag),
            Value::Unreadable => visitor.visit_unit(),
            Value::Array(nodes) => visitor.visit_seq(Items(nodes.iter())),
            Value::Table(table) => visitor.visit_map(Entries { rest: table.iter(), value: None }),
        };
        found.map_err(|fault| fault.at(&self.0.place))
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let found = match &self.0.value {
            Value::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Value::Table(table) => {
                visitor.visit_enum(de::value::MapAccessDeserializer::new(Entries { rest: table.iter(), value: None }))
            }
            other => Err(de::Error::custom(format!("{}, expected a name or a table", other.kind()))),
        };
        found.map_err(|fault| fault.at(&self.0.place))
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.0.next().map(|node| seed.deserialize(Located(node)).map_err(|fault| fault.at(&node.place))).transpose()
    }
}

struct Entries<'a> {
    rest: std::collections::btree_map::Iter<'a, String, crate::tree::Entry>,
    value: Option<&'a Node>,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, entry)) = self.rest.next() else { return Ok(None) };
        self.value = Some(&entry.node);
        let key: StrDeserializer<'_, Fault> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|fault| fault.at(&entry.key))
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let node = self.value.take().ok_or_else(|| de::Error::custom("a value before its key"))?;
        seed.deserialize(Located(node)).map_err(|fault| fault.at(&node.place))
    }
}
