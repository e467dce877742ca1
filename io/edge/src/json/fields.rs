//! Checking a body field by field, so that everything wrong with it is said at once.
//!
//! Reading a field gives `None` when it is wrong, and then a fault was noted. So whoever has read all fields
//! either has every value, or [`Faults`] has at least one entry.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use domain::UnixMs;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// What is wrong with one field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FieldFault {
    /// Which field.
    pub(crate) place: Place,
    /// The stable code.
    pub(crate) code: &'static str,
    /// What is wrong, in words.
    pub(crate) detail: String,
}

/// Where a field stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// In the body, as a JSON pointer (RFC 6901).
    Body(String),
    /// In the address, by the name of the parameter.
    Query(String),
}

impl Place {
    /// The member that names the place, and the place.
    pub(crate) fn named(&self) -> (&'static str, &str) {
        match self {
            Place::Body(pointer) => ("pointer", pointer),
            Place::Query(name) => ("parameter", name),
        }
    }
}

/// Faults told for one request; the rest would help nobody.
const FAULT_COUNT_MAX: usize = 100;

/// The faults found so far.
#[derive(Default)]
pub(crate) struct Faults(RefCell<Vec<FieldFault>>);

impl Faults {
    pub(crate) fn add(&self, place: Place, code: &'static str, detail: impl Into<String>) {
        let mut faults = self.0.borrow_mut();
        if faults.len() < FAULT_COUNT_MAX {
            faults.push(FieldFault { place, code, detail: detail.into() });
        }
    }

    /// The value, when nothing was wrong.
    pub(crate) fn finish<T>(&self, value: Option<T>) -> Result<T, Problem> {
        let faults = self.0.take();
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ => Err(Problem::fields(faults)),
        }
    }
}

/// A field that may be there.
pub(crate) struct Field<'a> {
    value: Option<&'a Value>,
    pointer: String,
    faults: &'a Faults,
}

/// An object whose members are all known.
pub(crate) struct Object<'a> {
    members: &'a Map<String, Value>,
    pointer: String,
    faults: &'a Faults,
}

impl<'a> Object<'a> {
    /// The member of that name, which may be missing.
    pub(crate) fn get(&self, name: &str) -> Field<'a> {
        let pointer = format!("{}/{name}", self.pointer);
        Field { value: self.members.get(name), pointer, faults: self.faults }
    }
}

impl<'a> Field<'a> {
    /// The whole body.
    pub(crate) fn root(value: &'a Value, faults: &'a Faults) -> Field<'a> {
        Field { value: Some(value), pointer: String::new(), faults }
    }

    /// Notes a fault of this field.
    pub(crate) fn fault<T>(&self, code: &'static str, detail: impl Into<String>) -> Option<T> {
        self.faults.add(Place::Body(self.pointer.clone()), code, detail);
        None
    }

    /// Itself, when it is there; not being there is no fault.
    pub(crate) fn if_present(self) -> Option<Field<'a>> {
        self.value.is_some().then_some(self)
    }

    /// Whether it is null.
    pub(crate) fn is_null(&self) -> bool {
        self.value == Some(&Value::Null)
    }

    /// What `read` makes of it; `Some(None)` when it is null.
    pub(crate) fn or_null<T>(self, read: impl FnOnce(Field<'a>) -> Option<T>) -> Option<Option<T>> {
        if self.is_null() { Some(None) } else { read(self).map(Some) }
    }

    /// An object with no other members than the known ones.
    pub(crate) fn object(self, known: &[&str]) -> Option<Object<'a>> {
        let Value::Object(members) = self.present()? else {
            return self.fault("type", "must be an object");
        };
        let unknown = members.keys().filter(|name| !known.contains(&name.as_str()));
        for name in unknown {
            let pointer = format!("{}/{}", self.pointer, escaped(name));
            let detail = match known {
                [] => "no field is known here".to_owned(),
                known => format!("there is no such field here; known are {}", known.join(", ")),
            };
            self.faults.add(Place::Body(pointer), "unknown", detail);
        }
        Some(Object { members, pointer: self.pointer, faults: self.faults })
    }

    /// A list of that many entries.
    pub(crate) fn list(self, len: RangeInclusive<usize>) -> Option<Vec<Field<'a>>> {
        let Value::Array(entries) = self.present()? else {
            return self.fault("type", "must be a list");
        };
        if !len.contains(&entries.len()) {
            return self.fault("length", format!("must have from {} to {} entries", len.start(), len.end()));
        }
        let entry = |(index, value)| Field {
            value: Some(value),
            pointer: format!("{}/{index}", self.pointer),
            faults: self.faults,
        };
        Some(entries.iter().enumerate().map(entry).collect())
    }

    /// A text of that many bytes.
    pub(crate) fn text(&self, size_bytes: RangeInclusive<usize>) -> Option<&'a str> {
        let Value::String(text) = self.present()? else {
            return self.fault("type", "must be a text");
        };
        if !size_bytes.contains(&text.len()) {
            let (min, max) = (size_bytes.start(), size_bytes.end());
            return self.fault("length", format!("must have from {min} to {max} bytes"));
        }
        Some(text)
    }

    /// A text that means something.
    pub(crate) fn word<T>(&self, what: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let Value::String(text) = self.present()? else {
            return self.fault("type", format!("must be a text: {what}"));
        };
        read(text).or_else(|| self.fault("value", format!("must be {what}")))
    }

    /// A whole number of that range.
    pub(crate) fn whole(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let Value::Number(number) = self.present()? else {
            return self.fault("type", "must be a whole number");
        };
        match number.as_i64() {
            Some(number) if range.contains(&number) => Some(number),
            None if !number.is_u64() => self.fault("type", "must be a whole number"),
            _ => self.fault("range", format!("must be from {} to {}", range.start(), range.end())),
        }
    }

    /// True or false.
    pub(crate) fn yes_or_no(&self) -> Option<bool> {
        self.present()?.as_bool().or_else(|| self.fault("type", "must be true or false"))
    }

    /// An instant.
    pub(crate) fn time(&self) -> Option<UnixMs> {
        self.word("an instant like 2026-12-01T19:00:00Z, with its zone, from 1970 on", |text| {
            let timestamp: jiff::Timestamp = text.parse().ok()?;
            u64::try_from(timestamp.as_millisecond()).ok().map(UnixMs)
        })
    }

    fn present(&self) -> Option<&'a Value> {
        self.value.or_else(|| self.fault("required", "is missing"))
    }
}

/// A name as a part of a JSON pointer (RFC 6901, section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
