//! Many records by id in one request: `$batch`, multipart/mixed.

use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use salesmirror_model::{Change, Collect, TableMetadata};
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::client::Client;
use crate::link::{self, exact};
use crate::page::read_record;
use crate::{Error, Result};

/// Reads in one batch. The service takes 1,000 and answers a batch as a whole within two minutes,
/// so far fewer: a batch of wide rows is then some seconds' work and 300 kB.
const READS: usize = 100;

impl Client {
    /// Reads records by id, in their order; one that the service has no more is given as deleted.
    /// In batches; one by one where the environment refuses those.
    ///
    /// # Errors
    /// Whatever the service or the network says of any of them, except that it is not there.
    pub async fn fetch_records(
        &self,
        table: &TableMetadata,
        ids: &[Uuid],
        rows: &mut dyn Collect,
    ) -> Result<()> {
        let reads: Vec<_> = ids
            .chunks(READS)
            .map(|ids| self.fetch_some(table, ids))
            .collect();
        let parts: Vec<Vec<(Uuid, Option<Bytes>)>> = stream::iter(reads)
            .buffered(self.parallelism())
            .try_collect()
            .await?;
        for (id, body) in parts.into_iter().flatten() {
            match body {
                Some(body) => read_record(table, &body, rows)?,
                None => rows.take(Change::Delete(id)),
            }
        }
        Ok(())
    }

    async fn fetch_some(
        &self,
        table: &TableMetadata,
        ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Option<Bytes>)>> {
        let answered = match ids {
            // A batch of one saves nothing.
            [] | [_] => Vec::new(),
            _ => self.batch(table, ids).await?,
        };
        let reads: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(place, id)| {
                let (id, part) = (*id, answered.get(place));
                async move { Ok((id, self.part(table, id, part).await?)) }
            })
            .collect();
        stream::iter(reads)
            .buffered(self.parallelism())
            .try_collect()
            .await
    }

    /// The record of a part. What the batch did not answer for good is read by itself, which waits
    /// and tries again where that helps.
    async fn part(
        &self,
        table: &TableMetadata,
        id: Uuid,
        part: Option<&Part>,
    ) -> Result<Option<Bytes>> {
        let Some(part) = part else {
            return self.record_body(table, id).await;
        };
        if part.status.is_success() {
            let mut found = FoundId(None);
            return match read_record(table, &part.body, &mut found) {
                Ok(()) if found.0 == Some(id) => Ok(Some(part.body.clone())),
                _ => self.record_body(table, id).await,
            };
        }
        match self.refusal(part.status, &part.headers, &part.body) {
            error if error.code() == "not_found" => Ok(None),
            _ => self.record_body(table, id).await,
        }
    }

    /// The parts of one batch in the order of the ids; none where batches are refused.
    async fn batch(&self, table: &TableMetadata, ids: &[Uuid]) -> Result<Vec<Part>> {
        if self.batches_refused.load(Relaxed) {
            return Ok(Vec::new());
        }
        let url = exact(&format!("{}$batch", self.base()))?;
        let boundary = format!("batch_{}", Uuid::new_v4());
        let mut headers = HeaderMap::new();
        let content = format!("multipart/mixed; boundary=\"{boundary}\"");
        if let Ok(content) = HeaderValue::from_str(&content) {
            headers.insert(CONTENT_TYPE, content);
        }
        let call = Call {
            method: Method::POST,
            headers,
            body: Some(self.batch_body(table, ids, &boundary)?),
            // Nothing but reads: sent twice it does no harm.
            ..Call::get(&url, Some("odata.continue-on-error"))
        };
        match self.send(&call).await {
            Ok(answer) => Ok(parts(&answer)),
            Err(error) if is_refusal(&error) => {
                tracing::warn!(%error, "no batches here: records are read one by one");
                self.batches_refused.store(true, Relaxed);
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    fn batch_body(&self, table: &TableMetadata, ids: &[Uuid], boundary: &str) -> Result<Bytes> {
        let prefer = link::annotated();
        let mut body = String::new();
        for id in ids {
            let url = link::record(self.base(), table, *id)?;
            body.push_str(&format!(
                "--{boundary}\r\nContent-Type: application/http\r\n\
                 Content-Transfer-Encoding: binary\r\n\r\n\
                 GET {url} HTTP/1.1\r\nAccept: application/json\r\nPrefer: {prefer}\r\n\r\n\r\n"
            ));
        }
        body.push_str(&format!("--{boundary}--\r\n"));
        Ok(Bytes::from(body))
    }
}

/// Whose record a part holds.
struct FoundId(Option<Uuid>);

impl Collect for FoundId {
    fn take(&mut self, change: Change<'_>) {
        if let Change::Upsert(record) = change {
            self.0 = Some(record.id);
        }
    }
}

/// Whether the service, or something before it, takes no batches at all.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::NotDataverse(_) => true,
        Error::Service(error) => matches!(error.status, 400 | 403 | 404 | 405 | 406 | 415 | 501),
        Error::FrontDoor { status, .. } => *status == 501,
        _ => false,
    }
}

/// The answer to one operation.
#[derive(Debug, PartialEq)]
struct Part {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// The parts of a reply, as far as they can be read. Which headers a part has, and how its lines
/// end, varies.
fn parts(answer: &Answer) -> Vec<Part> {
    let body = &answer.body;
    let declared = answer
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(boundary);
    let Some(boundary) = declared.or_else(|| first_line_boundary(body)) else {
        return Vec::new();
    };
    let delimiter = format!("--{boundary}");
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = find(&body[at..], delimiter.as_bytes()) {
        let start = at + found;
        at = start + delimiter.len();
        // A delimiter stands at the beginning of a line.
        if start == 0 || body[start - 1] == b'\n' {
            starts.push((start, at));
        }
    }
    starts
        .windows(2)
        .map_while(|pair| part(&body.slice(pair[0].1..pair[1].0)))
        .collect()
}

/// `boundary=` of a content type, quoted or not.
fn boundary(content_type: &str) -> Option<String> {
    content_type.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty())
            .then(|| value.to_owned())
    })
}

fn first_line_boundary(body: &[u8]) -> Option<String> {
    let line = body
        .trim_ascii_start()
        .split(|byte| *byte == b'\n')
        .next()?;
    let text = std::str::from_utf8(line).ok()?.trim_end();
    text.strip_prefix("--").map(str::to_owned)
}

/// Headers of the part, a status line, headers of the answer, and its body.
fn part(bytes: &Bytes) -> Option<Part> {
    let mut at = line_end(bytes, 0)?;
    // To the status line: other headers of the part are of no interest.
    let status = loop {
        let end = line_end(bytes, at)?;
        let line = std::str::from_utf8(&bytes[at..end]).ok()?.trim();
        at = end;
        if let Some(rest) = line.strip_prefix("HTTP/") {
            let code = rest.split_whitespace().nth(1)?.parse::<u16>().ok()?;
            break StatusCode::from_u16(code).ok()?;
        }
    };
    let mut headers = HeaderMap::new();
    while let Some(end) = line_end(bytes, at) {
        let line = String::from_utf8_lossy(&bytes[at..end]).trim().to_owned();
        at = end;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && let Ok(name) = HeaderName::from_bytes(name.trim().as_bytes())
            && let Ok(value) = HeaderValue::from_str(value.trim())
        {
            headers.append(name, value);
        }
    }
    let body = bytes.slice_ref(bytes[at..].trim_ascii());
    Some(Part {
        status,
        headers,
        body,
    })
}

/// Where the next line begins.
fn line_end(bytes: &[u8], from: usize) -> Option<usize> {
    let found = bytes.get(from..)?.iter().position(|byte| *byte == b'\n')?;
    Some(from + found + 1)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: Option<&'static str>, body: &'static str) -> Vec<(u16, String)> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let answer = Answer {
            status: StatusCode::OK,
            headers,
            body: Bytes::from_static(body.as_bytes()),
            room: None,
        };
        parts(&answer)
            .into_iter()
            .map(|part| {
                let text = String::from_utf8_lossy(&part.body).into_owned();
                (part.status.as_u16(), text)
            })
            .collect()
    }

    #[test]
    fn parts_are_read_however_they_are_written() {
        let documented = "--batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\n\r\n\r\n--batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\r\n  \"a\": \"--batchresponse_1\"\r\n}\r\n--batchresponse_1--\r\n";
        let expect = vec![
            (204, String::new()),
            (200, "{\r\n  \"a\": \"--batchresponse_1\"\r\n}".to_owned()),
        ];
        let plain = "multipart/mixed; boundary=batchresponse_1";
        let quoted = "multipart/mixed; charset=utf-8; Boundary=\"batchresponse_1\"";
        for content_type in [Some(plain), Some(quoted), None] {
            assert_eq!(read(content_type, documented), expect, "{content_type:?}");
        }
        let lean = "preamble\n--x\nContent-ID: 1\n\nHTTP/1.1 404 Not Found\n\n{\"error\":{}}\n--x\nHTTP/2 200\n\n{}\n--x--";
        assert_eq!(
            read(Some("multipart/mixed;boundary=x"), lean),
            [(404, "{\"error\":{}}".to_owned()), (200, "{}".to_owned())]
        );
        for none in ["", "<html>", "--x", "--x\r\n\r\nnothing\r\n--x--"] {
            assert!(read(Some("multipart/mixed; boundary=x"), none).is_empty());
        }
    }
}
