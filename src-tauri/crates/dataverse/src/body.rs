//! Bodies of replies, decompressed only while they are read: a page waits as the megabytes that it
//! was sent as.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::Result;
use crate::text::cut_off;

/// No reply that is read at once is larger, in bytes: metadata has some megabytes.
const LARGEST: u64 = 256 << 20;

/// A body as it was received.
#[derive(Debug, Clone)]
pub struct Body {
    bytes: Bytes,
    is_gzip: bool,
}

impl Body {
    pub fn new(headers: &HeaderMap, bytes: Bytes) -> Self {
        let encoding = headers.get(CONTENT_ENCODING);
        let is_gzip = encoding
            .and_then(|encoding| encoding.to_str().ok())
            .is_some_and(|encoding| encoding.trim().eq_ignore_ascii_case("gzip"));
        Self { bytes, is_gzip }
    }

    /// The body's text as it is decompressed.
    pub fn reader(&self) -> Box<dyn Read + '_> {
        if self.is_gzip {
            Box::new(GzDecoder::new(&*self.bytes))
        } else {
            Box::new(&*self.bytes)
        }
    }

    /// The body's text, decompressed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it is cut off or broken.
    pub fn read(&self) -> Result<Bytes> {
        if !self.is_gzip {
            return Ok(self.bytes.clone());
        }
        let mut text = Vec::new();
        self.reader()
            .take(LARGEST)
            .read_to_end(&mut text)
            .map_err(|_| cut_off())?;
        Ok(text.into())
    }
}
