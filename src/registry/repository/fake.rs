//! A registry with one repository in memory, which behaves as the versions of Distribution do that cannot be had for a test.

use crate::registry::client::{
    Digest, MANIFESTS,
    scripted::{Reply, Seen, Server},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The repository's name.
pub(crate) const NAME: &str = "team/app";

/// What the registry has, and how it is.
#[derive(Default)]
pub(crate) struct State {
    pub manifests: BTreeMap<String, (String, Vec<u8>)>,
    pub tags: BTreeMap<String, String>,
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// As 2.8 does: tags go with their manifest only.
    pub deletes_no_tags: bool,
    /// As by default: nothing is deleted.
    pub deletes_nothing: bool,
    /// As 3.1.1 on S3: what begins with the tag before is not listed.
    pub hides: bool,
    /// As other registries may: a list begins at a tag and nowhere else.
    pub lists_from_tags_only: bool,
    on: Vec<(String, Change)>,
}

type Change = Box<dyn FnOnce(&mut State) -> Option<u16> + Send>;

impl State {
    /// Stores an image that says when it was built.
    pub fn image(&mut self, created: &str) -> Digest {
        let config = json!({"os": "linux", "architecture": "amd64", "created": created}).to_string();
        let descriptor = self.blob("application/vnd.oci.image.config.v1+json", config.as_bytes());
        self.put(MANIFESTS[2], &json!({"schemaVersion": 2, "config": descriptor, "layers": []}))
    }

    /// Stores an index of these.
    pub fn index(&mut self, manifests: &[&Digest]) -> Digest {
        let below: Vec<Value> = manifests
            .iter()
            .map(|digest| {
                let (media_type, bytes) = &self.manifests[digest.as_str()];
                json!({
                    "mediaType": media_type, "digest": digest.as_str(), "size": bytes.len(),
                    "platform": {"os": "linux", "architecture": "amd64"},
                })
            })
            .collect();
        self.put(MANIFESTS[3], &json!({"schemaVersion": 2, "manifests": below}))
    }

    pub fn tag(&mut self, tag: &str, digest: &Digest) {
        self.tags.insert(tag.to_owned(), digest.to_string());
    }

    pub fn has(&self, digest: &Digest) -> bool {
        self.manifests.contains_key(digest.as_str())
    }

    fn blob(&mut self, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::of(content).to_string();
        self.blobs.insert(digest.clone(), content.to_vec());
        json!({"mediaType": media_type, "digest": digest, "size": content.len()})
    }

    fn put(&mut self, media_type: &str, document: &Value) -> Digest {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        self.manifests.insert(digest.to_string(), (media_type.to_owned(), bytes));
        digest
    }

    fn list(&self, last: &str, n: usize) -> Vec<String> {
        let mut all: Vec<&String> = self.tags.keys().collect();
        if self.hides {
            // Objects are in the order of their names, in which a tag is followed by a slash.
            all.sort_by_key(|tag| format!("{tag}/"));
            all.retain(|tag| format!("{tag}/current/link").as_str() > last);
        }
        let (last, mut skipped) = (last.replace('/', "\0"), None::<&String>);
        let mut found = vec![];
        for tag in all {
            if self.hides && skipped.is_some_and(|skipped| tag.starts_with(skipped)) {
                continue;
            }
            skipped = Some(tag);
            if **tag > *last && found.len() < n {
                found.push(tag.clone());
                if found.len() == n {
                    break;
                }
            }
        }
        found
    }

    fn tags_list(&self, query: &str) -> Reply {
        let value = |name: &str| query.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
        let last = value("last").unwrap_or_default();
        if self.lists_from_tags_only && last.contains('/') {
            return Reply::status(400);
        }
        // 2.8 knows no pages.
        let (last, n) = if self.deletes_no_tags { ("", None) } else { (last, value("n")) };
        let found = self.list(last, n.map_or(usize::MAX, |n| n.parse().unwrap()));
        Reply::status(200).body(json!({"name": NAME, "tags": found}).to_string())
    }

    fn answer(&mut self, seen: &Seen, itself: &Arc<Mutex<State>>) -> Reply {
        if let Some(at) = self.on.iter().position(|(line, _)| seen.line.starts_with(line.as_str()))
            && let Some(status) = self.on.remove(at).1(self)
        {
            return Reply::status(status);
        }
        let (method, uri) = seen.line.split_once(' ').unwrap();
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let path = path.strip_prefix("/v2/").unwrap();
        let Some((kind, what)) =
            path.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('/')?.split_once('/'))
        else {
            return Reply::status(200).body(json!({"repositories": [NAME]}).to_string());
        };
        match (kind, method) {
            ("tags", _) => self.tags_list(query),
            ("blobs", "GET") => self
                .blobs
                .get(what)
                .map_or_else(|| Reply::status(404), |blob| Reply::status(200).body(blob.clone())),
            ("blobs", _) => Reply::status(200).header("Content-Length", "0"),
            (_, "PUT") => {
                let (state, what) = (Arc::clone(itself), what.to_owned());
                let media_type = seen.header("content-type").to_owned();
                Reply::status(201).then(move |body| {
                    let mut state = state.lock().unwrap();
                    let digest = Digest::of(body).to_string();
                    state.manifests.insert(digest.clone(), (media_type, body.to_vec()));
                    if !what.contains(':') {
                        state.tags.insert(what, digest);
                    }
                })
            }
            (_, "DELETE") => self.delete(what),
            _ => {
                let digest = self.tags.get(what).map_or(what, String::as_str);
                match self.manifests.get(digest) {
                    Some((media_type, bytes)) => Reply::status(200)
                        .header("Content-Type", media_type)
                        .header("Docker-Content-Digest", digest)
                        .body(bytes.clone()),
                    None => Reply::status(404),
                }
            }
        }
    }

    fn delete(&mut self, what: &str) -> Reply {
        let is_digest = what.contains(':');
        if self.deletes_nothing {
            return Reply::status(405);
        }
        if !is_digest && self.deletes_no_tags {
            return Reply::status(400);
        }
        let is_there =
            if is_digest { self.manifests.remove(what).is_some() } else { self.tags.remove(what).is_some() };
        self.tags.retain(|_, digest| !is_digest || digest != what);
        Reply::status(if is_there { 202 } else { 404 })
    }
}

/// The registry; it ends with the test's runtime.
pub(crate) struct Fake {
    pub server: Server,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub async fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let own = Arc::clone(&state);
        let server = Server::start(move |seen, _| own.lock().unwrap().answer(seen, &own)).await;
        Fake { server, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something right before the first request whose line begins so; a status is its answer.
    pub fn when(&self, line: &str, change: impl FnOnce(&mut State) -> Option<u16> + Send + 'static) {
        self.state().on.push((line.to_owned(), Box::new(change)));
    }

    pub fn tags(&self) -> BTreeSet<String> {
        self.state().tags.keys().cloned().collect()
    }
}

/// Names as a set.
pub(crate) fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
