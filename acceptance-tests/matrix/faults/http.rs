//! As much of HTTP/1.1 as it takes to pass messages on, to count them, and to break them at a chosen place.

use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// What comes before the body of a request or an answer, as it came.
pub struct Head(pub Vec<u8>);

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClosed,
}

/// A body that is read part by part, each as it came.
pub struct Body {
    framing: Framing,
    over: bool,
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl Head {
    /// Reads one; none where the other side has closed the connection instead of beginning another message.
    pub async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if from.read_until(b'\n', &mut head).await? == 0 {
                return if head.is_empty() { Ok(None) } else { Err(broken("a head that ends early")) };
            }
        }
        Ok(Some(Head(head)))
    }

    fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The value of a header.
    fn header(&self, name: &str) -> Option<String> {
        self.text().lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// The method of a request, and its path without the version of the API and the query.
    pub fn asked(&self) -> (String, String) {
        let text = self.text();
        let mut words = text.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.split('?').next().unwrap_or_default();
        let path = match path.strip_prefix("/v1.") {
            Some(rest) => rest.find('/').map_or(path, |at| &rest[at..]),
            None => path,
        };
        (method.to_owned(), path.to_owned())
    }

    /// The status of an answer.
    pub fn status(&self) -> u16 {
        self.text().split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    /// The body of a request with this head.
    pub fn body_of_request(&self) -> Body {
        self.body(Framing::Length(0))
    }

    /// The body of an answer with this head to a request of that method.
    pub fn body_of_answer(&self, method: &str) -> Body {
        let none = method == "HEAD" || matches!(self.status(), 100..=199 | 204 | 304);
        if none { Body::of(Framing::Length(0)) } else { self.body(Framing::UntilClosed) }
    }

    fn body(&self, otherwise: Framing) -> Body {
        let chunked = self.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        let length = self.header("content-length").and_then(|value| value.parse().ok());
        Body::of(if chunked { Framing::Chunked } else { length.map_or(otherwise, Framing::Length) })
    }

    /// The same head, which says that the body is longer than it is; none where it says nothing of a length.
    pub fn exaggerating(&self) -> Option<Vec<u8>> {
        let length: u64 = self.header("content-length")?.parse().ok()?;
        let lines = self
            .text()
            .lines()
            .map(|line| match line.split_once(':') {
                Some((key, _)) if key.eq_ignore_ascii_case("content-length") => {
                    format!("{key}: {}\r\n", length + 16)
                }
                _ => format!("{line}\r\n"),
            })
            .collect::<String>();
        (length > 0).then(|| lines.into_bytes())
    }
}

impl Body {
    fn of(framing: Framing) -> Self {
        Body { framing, over: framing == Framing::Length(0) }
    }

    /// Whether there is none, so that nothing of it can be cut.
    pub fn is_empty(&self) -> bool {
        self.over
    }

    /// Whether all of it was read.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether it comes in chunks.
    pub fn is_chunked(&self) -> bool {
        self.framing == Framing::Chunked
    }

    /// Whether the connection can be used for another message after it.
    pub fn leaves_open(&self) -> bool {
        self.framing != Framing::UntilClosed
    }

    /// The next part as it came: a chunk with its frame, or some bytes. None where all was read.
    pub async fn part(&mut self, from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
        if self.over {
            return Ok(None);
        }
        if self.framing == Framing::Chunked {
            return self.chunk(from).await.map(Some);
        }
        let there = from.fill_buf().await?;
        if there.is_empty() {
            self.over = true;
            return if self.leaves_open() { Err(broken("a body that ends early")) } else { Ok(None) };
        }
        let most = match self.framing {
            Framing::Length(left) => usize::try_from(left).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let part = there[..there.len().min(most)].to_vec();
        from.consume(part.len());
        if let Framing::Length(left) = &mut self.framing {
            *left -= part.len() as u64;
            self.over = *left == 0;
        }
        Ok(Some(part))
    }

    async fn chunk(&mut self, from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
        let mut raw = Vec::new();
        from.read_until(b'\n', &mut raw).await?;
        let line = String::from_utf8_lossy(&raw).into_owned();
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| broken("a chunk without a size"))?;
        if size == 0 {
            self.over = true;
            // Trailers, and the empty line behind them.
            while from.read_until(b'\n', &mut raw).await? > 2 {}
            return Ok(raw);
        }
        let start = raw.len();
        raw.resize(start + size + 2, 0);
        from.read_exact(&mut raw[start..]).await?;
        Ok(raw)
    }

    /// All of it.
    pub async fn rest(&mut self, from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<Vec<u8>>> {
        let mut parts = Vec::new();
        while let Some(part) = self.part(from).await? {
            parts.push(part);
        }
        Ok(parts)
    }
}

/// An answer of a status with the Engine's form of words.
pub fn refusal(status: u16, message: &str) -> Vec<u8> {
    let body = serde_json::json!({ "message": message }).to_string();
    format!(
        "HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
