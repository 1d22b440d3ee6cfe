//! What real Engines cannot be made to do at the right moment: a swarm on a scripted one.

use super::*;
use crate::docker::{
    Endpoint, Settings,
    scripted::{Answer, Scripted, ok, refuse},
};
use crate::resources::swarm_registry_garbage_collection::settings::Redis;
use crate::terraform::WriteOnly;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A swarm with registry `hub`, which a run has made read-only, and with the secret and the job of a run.
struct Swarm {
    hub: Value,
    secret: Option<Value>,
    job: Option<Value>,
    job_has_ended: bool,
    tasks: Value,
    node: &'static str,
}

/// How a run marks the environment.
fn marked(run: &str) -> Value {
    json!([format!(
        "REGISTRY_STORAGE_MAINTENANCE_READONLY={{enabled: true}} # swarm_registry_garbage_collection {run}"
    )])
}

fn spec(name: &str, env: &Value) -> Value {
    json!({"Name": name, "TaskTemplate": {"ContainerSpec": {"Image": "registry:2", "Env": env}}})
}

fn task(env: &Value) -> Value {
    json!({
        "ID": "t", "ServiceID": "h", "NodeID": "n", "Slot": 1, "DesiredState": "running",
        "Status": {"State": "running"}, "Spec": {"ContainerSpec": {"Env": env}},
    })
}

impl Swarm {
    /// All of it is of this run.
    fn of(run: &str) -> Self {
        let mut job = spec("hub-garbage-collection", &marked(run));
        job["Labels"] = json!(job::labels_of("h"));
        job["Mode"] = json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}});
        let service = Service { id: "h".into(), ..Service::default() };
        let labels = job::secret_labels(&service, run);
        Swarm {
            hub: spec("hub", &marked(run)),
            secret: Some(json!({"Name": "hub-garbage-collection-redis", "Labels": labels})),
            job: Some(job),
            job_has_ended: false,
            tasks: json!([task(&marked(run))]),
            node: "ready",
        }
    }

    fn answer(&mut self, what: &str, query: &str, body: &Value) -> Answer {
        let service = |id: &str, spec: &Value| json!({"ID": id, "Version": {"Index": 1}, "Spec": spec});
        let job = self.job.as_ref().map(|job| service("j", job));
        match (what, job) {
            ("GET /info", _) => ok(json!({"Swarm": {"LocalNodeState": "active", "ControlAvailable": true}})),
            ("GET /services", job) => {
                ok([Some(service("h", &self.hub)), job].into_iter().flatten().collect())
            }
            ("GET /services/h", _) => ok(service("h", &self.hub)),
            ("GET /services/j", Some(job)) => ok(job),
            ("GET /tasks", Some(_)) if query.contains("%22j%22") => ok(json!([{
                "ID": "jt", "ServiceID": "j", "NodeID": "n",
                "DesiredState": if self.job_has_ended { "shutdown" } else { "complete" },
                "Status": {"State": if self.job_has_ended { "shutdown" } else { "running" }},
            }])),
            ("GET /tasks", _) if query.contains("%22h%22") => ok(self.tasks.clone()),
            ("GET /tasks", _) => ok(json!([])),
            ("GET /nodes", _) => ok(json!([{"ID": "n", "Spec": {}, "Status": {"State": self.node}}])),
            ("GET /secrets", _) => {
                ok(self.secret.iter().map(|spec| json!({"ID": "s", "Spec": spec})).collect())
            }
            ("POST /services/create", None) => {
                (self.job, self.job_has_ended) = (Some(body.clone()), false);
                ok(json!({"ID": "j"}))
            }
            ("POST /services/h/update", _) => {
                self.hub = body.clone();
                ok(json!({}))
            }
            ("POST /services/j/update", Some(_)) => {
                self.job_has_ended = true;
                ok(json!({}))
            }
            ("DELETE /services/j", Some(_)) => {
                self.job = None;
                Answer::Json(204, Value::Null)
            }
            ("DELETE /secrets/s", Some(_)) => refuse(
                400,
                "rpc error: secret 's' is in use by the following service: hub-garbage-collection",
            ),
            ("DELETE /secrets/s", None) => {
                self.secret = None;
                Answer::Json(204, Value::Null)
            }
            _ => refuse(404, "not found"),
        }
    }

    fn start(self) -> (Scripted, Arc<Mutex<Swarm>>) {
        let swarm = Arc::new(Mutex::new(self));
        let own = Arc::clone(&swarm);
        let engine =
            Scripted::new(move |asked| own.lock().unwrap().answer(&asked.what, &asked.query, &asked.body));
        (engine, swarm)
    }
}

fn collection() -> Collection {
    let redis = Redis {
        address: "redis:6379".into(),
        db: 0,
        username: None,
        password_wo: WriteOnly::default(),
        password: None,
    };
    Collection {
        service: "hub".to_owned(),
        dry_run: false,
        delete_untagged: false,
        force_delete_untagged: false,
        redis: Some(redis),
    }
}

/// A run of this name that has made all that there is to make.
fn run<'a>(id: &str, what: &'a Collection, docker: &'a Docker) -> Run<'a> {
    let mut run = Run::new(what, Duration::from_secs(60), docker, Progress::default());
    run.id = id.to_owned();
    for flag in [&run.made.job, &run.made.secret, &run.made.read_only, &run.made.stale] {
        Run::set(flag);
    }
    run
}

async fn hub(docker: &Docker) -> Service {
    docker.inspect_service("h").await.unwrap()
}

#[tokio::test]
async fn a_run_that_was_overtaken_leaves_the_other_alone() {
    let (engine, swarm) = Swarm::of("other").start();
    let what = collection();
    let run = run("own", &what, &engine.docker);
    let service = hub(&engine.docker).await;
    let error = run.nobody_writes(&service).await.unwrap_err();
    assert!(error.detail.contains("Another collection of the same registry has taken"), "{error:?}");
    engine.docker.stop();
    let error = run.aftercare(&service).await.unwrap_err();
    assert!(error.detail.contains("Redis was not flushed"), "{error:?}");
    let swarm = swarm.lock().unwrap();
    assert_eq!(swarm.hub, spec("hub", &marked("other")));
    assert!(swarm.secret.is_some() && swarm.job.is_some() && !swarm.job_has_ended);
}

#[tokio::test]
async fn what_another_has_begun_meanwhile_is_not_taken_back_with_what_was_left() {
    let (engine, swarm) = Swarm::of("left").start();
    let what = collection();
    let run = run("own", &what, &engine.docker);
    let service = hub(&engine.docker).await;
    let seen = run.trace(&service).await.unwrap();
    *swarm.lock().unwrap() = Swarm { job: None, secret: None, ..Swarm::of("other") };
    run.take_back(&service, &seen).await.unwrap();
    assert_eq!(swarm.lock().unwrap().hub, spec("hub", &marked("other")));
}

#[tokio::test]
async fn a_run_takes_back_what_it_has_made() {
    let (engine, swarm) = Swarm::of("own").start();
    let what = Collection { redis: None, ..collection() };
    let run = run("own", &what, &engine.docker);
    let service = hub(&engine.docker).await;
    run.nobody_writes(&service).await.unwrap();
    engine.docker.stop();
    run.aftercare(&service).await.unwrap();
    let swarm = swarm.lock().unwrap();
    assert_eq!(swarm.hub["TaskTemplate"]["ContainerSpec"].get("Env"), None);
    assert!(swarm.secret.is_none() && swarm.job.is_none());
}

#[tokio::test]
async fn a_flush_that_takes_too_long_leaves_neither_job_nor_secret() {
    let (engine, swarm) = Swarm { job: None, ..Swarm::of("own") }.start();
    let what = collection();
    let run = run("own", &what, &engine.docker);
    let service = hub(&engine.docker).await;
    let flushed = run.flush_again(&engine.docker, &service, Duration::from_millis(500)).await;
    assert!(flushed.unwrap_err().detail.contains("Redis was not flushed within"));
    assert_eq!(engine.count("POST /services/create"), 1);
    assert!(swarm.lock().unwrap().job.is_none());
    run.remove_secret(&engine.docker, &service, Some("own")).await;
    assert!(swarm.lock().unwrap().secret.is_none());
}

/// Whichever step has no time left says how it gets more.
#[tokio::test]
async fn a_registry_that_is_not_at_rest_in_time_says_so() {
    let restless = Swarm { hub: spec("hub", &json!([])), job: None, tasks: json!([]), ..Swarm::of("none") };
    let (engine, _) = restless.start();
    let what = Collection { redis: None, ..collection() };
    let run = Run::new(&what, Duration::from_millis(300), &engine.docker, Progress::default());
    let error = run.collect().await.unwrap_err();
    assert!(error.detail.starts_with("It was not done within"), "{error:?}");
    assert!(error.detail.contains("is not as it is to be"), "{error:?}");
}

#[tokio::test]
async fn a_run_that_waits_for_old_tasks_is_alive() {
    for (node, is_alive) in [("ready", true), ("down", false)] {
        let old = Swarm { tasks: json!([task(&json!([]))]), job: None, node, ..Swarm::of("other") };
        let (engine, _) = old.start();
        let what = collection();
        let run = run("own", &what, &engine.docker);
        assert_eq!(run.is_moving(&hub(&engine.docker).await).await.unwrap(), is_alive, "{node}");
    }
}

#[tokio::test]
async fn whoever_may_write_to_the_same_storage_is_in_the_way() {
    let with = |name: &str, mount: Value| {
        let container = json!({"Image": "acme/hub:1", "Mounts": [mount]});
        json!({"Name": name, "TaskTemplate": {"ContainerSpec": container}})
    };
    let mount = |more: Value| {
        let mut mount = json!({"Type": "bind", "Source": "/mnt/images", "Target": "/images"});
        mount.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        mount
    };
    for (other, is_in_the_way) in [
        (mount(json!({})), true),
        (mount(json!({"Target": "/elsewhere"})), true),
        (mount(json!({"ReadOnly": true})), false),
        (mount(json!({"Source": "/mnt/others"})), false),
    ] {
        let hub = with("hub", mount(json!({})));
        let swarm = Swarm { hub, job: Some(with("twin", other)), ..Swarm::of("own") };
        let (engine, _) = swarm.start();
        let what = collection();
        let run = run("own", &what, &engine.docker);
        let service = engine.docker.inspect_service("h").await.unwrap();
        let alone = run.alone_on_its_storage(&service).await;
        assert_eq!(alone.is_err(), is_in_the_way, "{alone:?}");
        if let Err(error) = alone {
            assert!(error.detail.contains("Service `twin`"), "{error:?}");
        }
    }
}

/// A thread of the runtime has 2 MiB, and each layer above moves the whole of it.
#[test]
fn a_run_is_small() {
    let endpoint = Endpoint::resolve(&Settings::default(), &|_| None, None).unwrap();
    let docker = Docker::new(&endpoint).unwrap();
    let what = collection();
    let run = Run::new(&what, Duration::from_secs(1), &docker, Progress::default());
    let size = size_of_val(&run.collect());
    assert!(size < 32 << 10, "{size} bytes");
}
