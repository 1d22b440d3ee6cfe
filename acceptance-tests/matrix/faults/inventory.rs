//! What the Engine has of a trial, asked without the provider and without its proxy.

use crate::testbed::Testbed;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
};

/// The hosts of the testbed. That which all tests share has no `spare` one.
pub const HOSTS: [&str; 4] = ["hubmgr", "hubworker01", "hubworker02", "spare"];

/// What a secret that has generations has in its line.
const GENERATION: &str = "generation-of=NAME-";
/// What begins the line of a secret that a service mounts.
const MOUNTED: &str = "mounted by";

/// What is there: each object in words, and its ID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(pub Vec<(String, String)>);

/// What an Engine answers.
fn ask(engine: &Path, path: &str) -> Value {
    let answer = exchange(UnixStream::connect(engine).unwrap(), "GET", path);
    serde_json::from_str(&answer.1).unwrap_or_default()
}

/// The head and the body of an answer. In HTTP/1.0, so that the server neither sends chunks nor waits for another request.
fn exchange(mut server: impl Read + Write, method: &str, path: &str) -> (String, String) {
    let accept = swarm::registry::client::MANIFESTS.join(", ");
    write!(server, "{method} {path} HTTP/1.0\r\nHost: it\r\nAccept: {accept}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.to_owned(), body.to_owned())
}

/// Everything that the Engine says of its swarm, to look for what should not be in it.
pub fn everything(testbed: &Testbed) -> String {
    let engine = testbed.socket("hubmgr");
    let lists = ["/secrets", "/services", "/nodes", "/networks", "/volumes", "/tasks"];
    lists.map(|path| ask(&engine, path).to_string()).concat()
}

impl Inventory {
    /// What there is whose name begins with `prefix`, and what resources of a type describe that have no name.
    pub fn of(testbed: &Testbed, kind: &str, prefix: &str) -> Self {
        let mut inventory = Self::named(testbed, prefix);
        let engine = testbed.socket("hubmgr");
        match kind {
            "swarm_node" => {
                let nodes = list(&ask(&engine, "/nodes"));
                let spare = nodes.iter().filter(|node| node["Description"]["Hostname"] == "spare");
                inventory.0.extend(spare.map(|node| {
                    (
                        format!("spare is {} {}", node["Spec"]["Availability"], node["Spec"]["Role"]),
                        text(&node["ID"]),
                    )
                }));
            }
            "swarm_cluster" => {
                let swarm = ask(&engine, "/swarm");
                inventory.0.push((format!("swarm {}", swarm["Spec"]["Orchestration"]), text(&swarm["ID"])));
            }
            _ => {}
        }
        inventory
    }

    /// The tags of a registry whose repositories begin with `prefix`, and what they lead to.
    pub fn of_registry(address: &str, prefix: &str) -> Self {
        let ask = |method: &str, path: &str| exchange(TcpStream::connect(address).unwrap(), method, path);
        let json = |path: &str| serde_json::from_str::<Value>(&ask("GET", path).1).unwrap_or_default();
        let mut found = Vec::new();
        for repository in list(&json("/v2/_catalog?n=1000")["repositories"]).iter().map(text) {
            if !repository.starts_with(prefix) {
                continue;
            }
            for tag in list(&json(&format!("/v2/{repository}/tags/list"))["tags"]).iter().map(text) {
                let (head, _) = ask("HEAD", &format!("/v2/{repository}/manifests/{tag}"));
                let digest = head.lines().find_map(|line| line.strip_prefix("Docker-Content-Digest: "));
                let line = format!("image {}:{tag} {}", plain(&repository, prefix), digest.unwrap_or("-"));
                found.push((line, repository.clone()));
            }
        }
        found.sort();
        Inventory(found)
    }

    /// What there is whose name begins with `prefix`.
    fn named(testbed: &Testbed, prefix: &str) -> Self {
        let engine = testbed.socket("hubmgr");
        let mut found = Vec::new();
        for (kind, path) in [("secret", "/secrets"), ("config", "/configs"), ("service", "/services")] {
            for object in list(&ask(&engine, path)) {
                let spec = &object["Spec"];
                let name = text(&spec["Name"]);
                if name.starts_with(prefix) {
                    let more = match kind {
                        "service" => of_service(spec, prefix),
                        _ => format!("{} {}", words(&spec["Labels"], prefix), text(&spec["Data"])),
                    };
                    found.push((format!("{kind} {} {more}", plain(&name, prefix)), text(&object["ID"])));
                    found.extend(mounted(spec, prefix));
                }
            }
        }
        for network in list(&ask(&engine, "/networks")) {
            let name = text(&network["Name"]);
            if name.starts_with(prefix) {
                let line = format!("network {} {}", plain(&name, prefix), words(&network["Labels"], prefix));
                found.push((line, text(&network["Id"])));
            }
        }
        for host in HOSTS.iter().filter(|host| testbed.socket(host).exists()) {
            for volume in list(&ask(&testbed.socket(host), "/volumes")["Volumes"]) {
                let name = text(&volume["Name"]);
                if name.starts_with(prefix) {
                    let labels = words(&volume["Labels"], prefix);
                    let line = format!("volume {} on {host} {labels}", plain(&name, prefix));
                    found.push((line, text(&volume["CreatedAt"])));
                }
            }
        }
        for node in list(&ask(&engine, "/nodes")) {
            let host = text(&node["Description"]["Hostname"]);
            let labels = node["Spec"]["Labels"].as_object().into_iter().flatten();
            for (key, value) in labels.filter(|(key, _)| key.starts_with(prefix)) {
                found.push((format!("label {} of {host}: {value}", plain(key, prefix)), host.clone()));
            }
        }
        found.sort();
        Inventory(found)
    }

    /// What is not as in `expected`, in words. Of what has generations so many superseded ones may be there: `spare`.
    pub fn differs(&self, expected: &Self, spare: usize) -> Option<String> {
        let (found, wanted) = (self.counted(), expected.counted());
        let mut differences = Vec::new();
        for (line, count) in &found {
            let wanted = wanted.get(line).copied().unwrap_or_default();
            let most = if wanted > 0 && line.contains(GENERATION) { wanted + spare } else { wanted };
            if *count > most {
                differences.push(format!("{count} instead of {wanted}: {line}"));
            }
        }
        let missing =
            wanted.iter().filter(|(line, count)| found.get(*line).copied().unwrap_or_default() < **count);
        differences.extend(missing.map(|(line, _)| format!("missing: {line}")));
        (!differences.is_empty()).then(|| differences.join("; "))
    }

    fn counted(&self) -> BTreeMap<&str, usize> {
        let mut counted = BTreeMap::new();
        for (line, _) in &self.0 {
            *counted.entry(line.as_str()).or_default() += 1;
        }
        counted
    }

    /// What changing or replacing something has to turn over, though it looks the same: data that the Engine gives to nobody are
    /// in another secret, and a service mounts that one. Says what of `before` is there still.
    pub fn is_stale(&self, before: &Self, replaced: bool) -> Option<String> {
        let lines =
            |inventory: &Self| inventory.0.iter().map(|(line, _)| line.clone()).collect::<BTreeSet<_>>();
        if lines(self) != lines(before) {
            return None;
        }
        let is_known = |id: &str| before.0.iter().any(|(_, known)| known == id);
        let (lasting, generations): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|(line, _)| !line.contains(GENERATION));
        let turned_over = |line: &str| replaced || line.starts_with(MOUNTED);
        // What is mounted may be a superseded generation that has been kept, but not the one that was mounted.
        if let Some((line, _)) = lasting.iter().find(|own| turned_over(&own.0) && before.0.contains(own)) {
            return Some(format!("as before: {line}"));
        }
        // One that could not be removed at once may be taken up again, and then there are two of it.
        let one_each = before.counted().values().all(|count| *count == 1);
        let are_known = !generations.is_empty() && generations.iter().all(|(_, id)| is_known(id));
        (replaced && one_each && are_known).then(|| "the generations of before and no other".to_owned())
    }

    /// The IDs, to see whether they are the same; but for what has generations, of which new ones are made.
    pub fn ids(&self) -> Vec<&str> {
        let is_made_anew = |line: &str| line.contains(GENERATION) || line.starts_with(MOUNTED);
        let lasting = self.0.iter().filter(|(line, _)| !is_made_anew(line));
        let mut ids: Vec<&str> = lasting.map(|(_, id)| id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The name without what is another one in each trial: its beginning, and the digest of a generation.
fn plain(name: &str, prefix: &str) -> String {
    let name = name.replacen(prefix, "NAME-", 1);
    let digest = |end: &str| end.len() == 12 && end.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name.rsplit_once('-') {
        Some((name, end)) if digest(end) => format!("{name}-DIGEST"),
        _ => name,
    }
}

/// Labels in words, the provider's own by their last part. Each resource has another line of generations.
fn words(labels: &Value, prefix: &str) -> String {
    let labels = labels.as_object().into_iter().flatten().filter(|(key, _)| !key.ends_with(".line"));
    let labels = labels.map(|(key, value)| {
        let key = key.rsplit('.').next().unwrap_or(key);
        format!("{key}={}", plain(value.as_str().unwrap_or_default(), prefix))
    });
    labels.collect::<Vec<_>>().join(",")
}

/// What matters of a service: that it is the one that is wanted.
fn of_service(spec: &Value, prefix: &str) -> String {
    let container = &spec["TaskTemplate"]["ContainerSpec"];
    format!("{} {} {}", words(&spec["Labels"], prefix), spec["Mode"], container["Env"])
}

/// The secrets that a service mounts, with their IDs; nothing else mounts any.
fn mounted(spec: &Value, prefix: &str) -> Vec<(String, String)> {
    let secrets = list(&spec["TaskTemplate"]["ContainerSpec"]["Secrets"]);
    let line = |secret: &Value| {
        let [service, secret] = [&spec["Name"], &secret["SecretName"]].map(|name| plain(&text(name), prefix));
        format!("{MOUNTED} {service}: {secret}")
    };
    secrets.iter().map(|secret| (line(secret), text(&secret["SecretID"]))).collect()
}

/// Removes what there is whose name begins with `prefix`: a run that went wrong may not spoil the next.
pub fn sweep(testbed: &Testbed, prefix: &str) {
    for kind in ["service", "secret", "config", "network"] {
        let there = testbed.docker(&[kind, "ls", "--format", "{{.Name}}"]);
        for name in there.lines().filter(|name| name.starts_with(prefix)) {
            testbed.try_docker(&[kind, "rm", name]);
        }
    }
    let volumes = testbed.docker(&["volume", "ls", "--format", "{{.Name}}"]);
    for name in volumes.lines().filter(|name| name.starts_with(prefix)) {
        testbed.try_docker(&["volume", "rm", name]);
    }
    for (line, host) in Inventory::named(testbed, prefix).0 {
        if let Some(key) = line.strip_prefix("label ").and_then(|rest| rest.split(' ').next()) {
            let key = key.replacen("NAME-", prefix, 1);
            testbed.try_docker(&["node", "update", "--label-rm", &key, &host]);
        }
    }
}

#[test]
fn what_was_not_turned_over_is_seen() {
    let of = |lines: &[(&str, &str)]| {
        Inventory(lines.iter().map(|(line, id)| ((*line).to_owned(), (*id).to_owned())).collect())
    };
    let (secret, mounted, generation) = (
        "secret NAME-0",
        "mounted by NAME-0: NAME-0-config-DIGEST",
        "secret NAME-0-DIGEST generation-of=NAME-0",
    );
    let stale =
        |before: &[(&str, &str)], now: &[(&str, &str)], replaced| of(now).is_stale(&of(before), replaced);
    // The same secret under the same name, though it was to have other data.
    assert!(stale(&[(secret, "a")], &[(secret, "a")], true).is_some());
    assert_eq!(stale(&[(secret, "a")], &[(secret, "b")], true), None);
    assert_eq!(
        stale(&[(secret, "a")], &[("secret NAME-0 which=b", "a")], true),
        None,
        "that shows by itself"
    );
    // A service that was changed and mounts what it did before; a generation that was kept may be mounted again.
    let with = |id| [(mounted, id), (generation, "a"), (generation, "b")];
    assert!(stale(&with("a"), &with("a"), false).is_some());
    assert_eq!(stale(&with("a"), &with("b"), false), None);
    assert!(stale(&[(generation, "a")], &[(generation, "a")], true).is_some());
    assert_eq!(stale(&[(generation, "a")], &[(generation, "b")], true), None);
}
