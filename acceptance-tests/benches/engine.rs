//! An Engine that is asked as a script asks it: one request after the other, over one connection that stays open.

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::Path;
use tokio::{net::UnixStream, runtime};

/// A connection to an Engine.
pub struct Engine {
    runtime: runtime::Runtime,
    connection: http1::SendRequest<Full<Bytes>>,
}

impl Engine {
    /// Connects to an Engine's socket.
    pub fn at(socket: &Path) -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        let connection = runtime.block_on(async {
            let stream = UnixStream::connect(socket).await.expect("the Engine listens");
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("it speaks HTTP");
            tokio::spawn(connection);
            sender
        });
        Engine { runtime, connection }
    }

    /// What it answers; it must not refuse. An answer without a body is null.
    pub fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let text = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "engine")
            .header("content-type", "application/json")
            .body(Full::from(text))
            .expect("a request");
        let (status, answer) = self.runtime.block_on(async {
            self.connection.ready().await.expect("the connection is open");
            let answer = self.connection.send_request(request).await.expect("an answer");
            (answer.status(), answer.into_body().collect().await.expect("all of it").to_bytes())
        });
        assert!(status.is_success(), "{method} {path}: {status} {}", String::from_utf8_lossy(&answer));
        if answer.is_empty() { Value::Null } else { serde_json::from_slice(&answer).expect("JSON") }
    }

    /// What it answers to a question.
    pub fn get(&mut self, path: &str) -> Value {
        self.ask("GET", path, None)
    }
}
