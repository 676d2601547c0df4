//! JSON text while it arrives from the decompressor. A page is thirty megabytes of text, of which
//! only the row at hand is ever needed: it is read through a window that holds one row.

use std::io::Read;

use memchr::memchr2;

use crate::{Error, Result};

/// Size of the window, in bytes; it grows to the longest row.
const WINDOW: usize = 256 * 1024;
/// No reply is longer, in bytes: 5,000 rows with a text of 100 kB each.
const LONGEST: u64 = 512 << 20;

/// A JSON text, read value by value.
pub struct Text<R> {
    source: R,
    window: Vec<u8>,
    /// What is read and not yet taken lies between these.
    start: usize,
    end: usize,
    /// Bytes that were read, decompressed.
    pub bytes: u64,
}

impl<R: Read> Text<R> {
    /// Begins to read; a byte order mark is passed over.
    pub fn new(source: R) -> Result<Self> {
        let mut text = Self {
            source,
            window: vec![0; WINDOW],
            start: 0,
            end: 0,
            bytes: 0,
        };
        let mark = "\u{feff}".as_bytes();
        while text.end < mark.len() && text.fill()? {}
        if text.rest().starts_with(mark) {
            text.start = mark.len();
        }
        Ok(text)
    }

    /// The next byte that is no white space; `None` at the end.
    pub fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            if let Some(found) = self.rest().iter().position(|byte| !blank(byte)) {
                self.start += found;
                return Ok(Some(self.window[self.start]));
            }
            self.start = self.end;
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Takes this byte, if it comes next.
    pub fn take(&mut self, wanted: u8) -> Result<bool> {
        let found = self.peek()? == Some(wanted);
        self.start += usize::from(found);
        Ok(found)
    }

    /// Takes the next value as it stands.
    pub fn value(&mut self) -> Result<&[u8]> {
        let length = match self.peek()? {
            None => return Err(cut_off()),
            Some(b'{' | b'[') => self.container()?,
            Some(b'"') => self.string(1)?,
            Some(_) => self.scalar()?,
        };
        let start = self.start;
        self.start += length;
        Ok(&self.window[start..self.start])
    }

    fn rest(&self) -> &[u8] {
        &self.window[self.start..self.end]
    }

    /// The length of an object or an array that comes next.
    fn container(&mut self) -> Result<usize> {
        let (mut at, mut depth) = (0, 0_u32);
        loop {
            let mark = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']');
            let rest = &self.rest()[at..];
            let Some(found) = rest.iter().position(mark) else {
                at += rest.len();
                self.more()?;
                continue;
            };
            let byte = rest[found];
            at += found + 1;
            match byte {
                b'"' => at = self.string(at)?,
                b'{' | b'[' => depth += 1,
                _ => depth -= 1,
            }
            if depth == 0 {
                return Ok(at);
            }
        }
    }

    /// The place behind a string whose text begins at `at`.
    fn string(&mut self, mut at: usize) -> Result<usize> {
        loop {
            let rest = &self.rest()[at..];
            match memchr2(b'"', b'\\', rest) {
                Some(found) if rest[found] == b'"' => return Ok(at + found + 1),
                // What is escaped may be a quote, and may not have arrived yet.
                Some(found) if found + 1 < rest.len() => at += found + 2,
                found => {
                    at += found.unwrap_or(rest.len());
                    self.more()?;
                }
            }
        }
    }

    /// The length of a number, `true`, `false` or `null` that comes next.
    fn scalar(&mut self) -> Result<usize> {
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
        loop {
            if let Some(found) = self.rest().iter().position(ends) {
                return if found == 0 {
                    Err(cut_off())
                } else {
                    Ok(found)
                };
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> Result<()> {
        if self.fill()? { Ok(()) } else { Err(cut_off()) }
    }

    /// Reads on; gives `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        if self.start > 0 {
            self.window.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.window.len() {
            self.window.resize(self.window.len() * 2, 0);
        }
        let length = self
            .source
            .read(&mut self.window[self.end..])
            .map_err(|_| cut_off())?;
        self.end += length;
        self.bytes += length as u64;
        if self.bytes > LONGEST {
            return Err(Error::BadReply("a reply of more than 512 MB".to_owned()));
        }
        Ok(length > 0)
    }
}

/// Text that ends in the middle, or is none: the network or a front door broke it.
pub fn cut_off() -> Error {
    Error::Unavailable("a reply that was cut off".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Gives so many bytes at a time, however many are asked for.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            let (head, rest) = self.0.split_at(length);
            buffer[..length].copy_from_slice(head);
            self.0 = rest;
            Ok(length)
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            r#"["\\\[\]{},:]{0,8}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_end_where_they_end_however_the_text_arrives(
            values in prop::collection::vec(json(), 1..5),
            pretty: bool,
            drip in 1_usize..40,
        ) {
            let texts: Vec<String> = values
                .iter()
                .map(|value| if pretty { format!("{value:#}") } else { value.to_string() })
                .collect();
            let all = texts.join(if pretty { " ,\n" } else { "," }) + ",";
            let mut text = Text::new(Drip(all.as_bytes(), drip)).unwrap();
            for expect in &texts {
                prop_assert_eq!(text.value().unwrap(), expect.as_bytes());
                prop_assert!(text.take(b',').unwrap());
            }
            prop_assert_eq!(text.peek().unwrap(), None);
        }
    }

    #[test]
    fn what_is_cut_off_says_so() {
        for broken in ["{\"a\":[1,2", "\"abc\\", "[\"]\"", "tru"] {
            let mut text = Text::new(broken.as_bytes()).unwrap();
            assert!(text.value().is_err(), "{broken}");
        }
    }
}
