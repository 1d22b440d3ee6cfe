//! A server on loopback that answers as a test says: for what a real registry cannot be brought to do.

use super::{Client, Credentials};
use crate::registry::Trust;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A request as the server saw it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Method and path: `GET /v2/`.
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

type Then = Box<dyn FnOnce(&[u8]) + Send>;

/// What the server does about a request.
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// How much of the request's body is read before the connection is cut, if it is.
    cut_after: Option<usize>,
    /// How much longer the answer is said to be than it is.
    missing: usize,
    /// What is done with the request's body before it is answered.
    then: Option<Then>,
    /// Whether it is answered before the request's body has come.
    is_early: bool,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Reply {
            status,
            headers: vec![],
            body: vec![],
            cut_after: None,
            missing: 0,
            then: None,
            is_early: false,
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn cut_after(length: usize) -> Self {
        Reply { cut_after: Some(length), ..Reply::status(0) }
    }

    /// Does something with the request's body, once it is there.
    pub fn then(mut self, then: impl FnOnce(&[u8]) + Send + 'static) -> Self {
        self.then = Some(Box::new(then));
        self
    }

    /// Does not wait for the request's body, as a server does that refuses it by its head.
    pub fn early(mut self) -> Self {
        self.is_early = true;
        self
    }

    /// Breaks off before the answer is whole.
    pub fn missing(mut self, length: usize) -> Self {
        self.missing = length;
        self
    }
}

/// A server; it ends with the test's runtime.
pub struct Server {
    /// Host and port.
    pub address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Serves what `answer` makes of each request, of which the body is still to come, and of its number.
    pub async fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (answer, all) = (Arc::new(answer), Arc::clone(&seen));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answer, all) = (Arc::clone(&answer), Arc::clone(&all));
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while serve(&mut stream, &*answer, &all).await.is_some() {}
                });
            }
        });
        Server { address, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What was asked, in its order.
    pub fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    pub fn client(&self) -> Client {
        Client::new(&self.url(), Trust::System, None, None).unwrap()
    }

    /// A client that logs in as `ci` with the password `hunter2`.
    pub fn client_with_login(&self) -> Client {
        let login = Credentials::Password { username: "ci".into(), password: "hunter2".into() };
        Client::new(&self.url(), Trust::System, None, Some(login)).unwrap()
    }
}

async fn serve(
    stream: &mut BufReader<TcpStream>,
    answer: &(dyn Fn(&Seen, usize) -> Reply + Send + Sync),
    all: &Mutex<Vec<Seen>>,
) -> Option<()> {
    let mut seen = head(stream).await?;
    let number = all.lock().unwrap().len();
    let mut reply = answer(&seen, number);
    let length: usize = seen.header("content-length").parse().unwrap_or(0);
    let wanted = reply.cut_after.map_or(length, |cut| cut.min(length));
    if !reply.is_early {
        seen.body = vec![0; wanted];
        stream.read_exact(&mut seen.body).await.ok()?;
    }
    if let Some(then) = reply.then.take() {
        then(&seen.body);
    }
    let is_head = seen.line.starts_with("HEAD");
    all.lock().unwrap().push(seen);
    if reply.cut_after.is_some() {
        return None;
    }
    let mut text = format!("HTTP/1.1 {} Said\r\n", reply.status);
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if reply.status != 204 {
        text.push_str(&format!("Content-Length: {}\r\n", reply.body.len() + reply.missing));
    }
    stream.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
    if !is_head {
        stream.write_all(&reply.body).await.ok()?;
    }
    if reply.is_early {
        // What comes late is taken, so that the answer is not lost by a reset.
        stream.read_to_end(&mut vec![]).await.ok()?;
    }
    (reply.missing == 0).then_some(())
}

async fn head(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut seen = Seen::default();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        match line.split_once(": ") {
            _ if line.is_empty() => return Some(seen),
            _ if seen.line.is_empty() => {
                seen.line = line.trim_end_matches(" HTTP/1.1").to_owned();
            }
            Some((name, value)) => drop(seen.headers.insert(name.to_lowercase(), value.to_owned())),
            None => return None,
        }
    }
}
