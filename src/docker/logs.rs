//! What tasks write, as it comes.

use super::Docker;
use super::call::from_bollard;
use super::error::{Kind, Result};
use super::refusal::Subject;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use std::time::Duration;

/// Bytes of one line that are read at most; the rest of it is dropped.
const LINE: usize = 8 << 10;

impl Docker {
    /// Reads what a service's tasks write, standard output and standard error, line by line, until there is no more or
    /// `take` has had enough, which it says by `false`. With `follow` it waits for more, which may be for ever.
    ///
    /// The Engine sends frames of arbitrary size; a line is never longer than 8 KiB here, and nothing is kept of those before.
    ///
    /// # Errors
    /// The log driver keeps nothing that could be read, or the Engine does not answer.
    pub(super) async fn service_lines(
        &self,
        service: &str,
        follow: bool,
        tail: Option<usize>,
        mut take: impl FnMut(&str) -> bool + Send,
    ) -> Result<()> {
        let tail = tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).follow(follow).tail(&tail).build();
        let (engine, bollard) = self.bollard().await?;
        let mut stream = Box::pin(bollard.service_logs(service, Some(options)));
        let mut lines = [Lines::default(), Lines::default()];
        loop {
            let frame = tokio::select! {
                () = self.0.stop.cancelled() => return Err(super::Error::Stopped),
                frame = stream.next() => frame,
            };
            let Some(frame) = frame else { break };
            let subject = Subject::Of(Kind::Service, service.to_owned());
            let frame = frame.map_err(|error| from_bollard(&engine.http, &subject, error))?;
            // Either output has lines of its own.
            let is_error = matches!(frame, bollard::container::LogOutput::StdErr { .. });
            if !lines[usize::from(is_error)].push(&frame.into_bytes(), &mut take) {
                return Ok(());
            }
        }
        let _enough = lines.iter_mut().all(|rest| rest.flush(&mut take));
        Ok(())
    }

    /// The last lines that a service's tasks wrote, as far as they come within `limit`.
    pub(super) async fn last_service_lines(
        &self,
        service: &str,
        count: usize,
        limit: Duration,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let read = self.service_lines(service, false, Some(count), |line| {
            found.push(line.to_owned());
            true
        });
        let read = tokio::time::timeout(limit, read).await;
        if let Ok(Err(error)) = read {
            tracing::debug!(service, %error, "its log cannot be read");
        }
        found.drain(..found.len().saturating_sub(count));
        found
    }
}

/// A line in the making.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn push(&mut self, bytes: &[u8], take: &mut impl FnMut(&str) -> bool) -> bool {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.keep(&rest[..end]);
            rest = &rest[end + 1..];
            if !self.flush_even_empty(take) {
                return false;
            }
        }
        self.keep(rest);
        true
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE.saturating_sub(self.0.len()).min(bytes.len());
        self.0.extend_from_slice(&bytes[..room]);
    }

    fn flush(&mut self, take: &mut impl FnMut(&str) -> bool) -> bool {
        self.0.is_empty() || self.flush_even_empty(take)
    }

    fn flush_even_empty(&mut self, take: &mut impl FnMut(&str) -> bool) -> bool {
        let line = std::mem::take(&mut self.0);
        let text = String::from_utf8_lossy(&line);
        let text: String =
            text.trim_end().chars().filter(|next| !next.is_control() || *next == '\t').collect();
        take(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_and_never_too_long() {
        let mut lines = Lines::default();
        let mut found = vec![];
        let mut take = |line: &str| {
            found.push(line.to_owned());
            true
        };
        for frame in [&b"one\ntw"[..], b"o\r\n\x1b[1mthree\n\n", &[b'x'; 3 * LINE], b"\nfour"] {
            assert!(lines.push(frame, &mut take));
        }
        assert!(lines.flush(&mut take) && lines.flush(&mut take));
        assert_eq!(found[..4], ["one", "two", "[1mthree", ""]);
        assert_eq!((found[4].len(), found[5].as_str(), found.len()), (LINE, "four", 6));
        assert!(!lines.push(b"five\nsix\n", &mut |_| false), "enough is enough");
    }
}
