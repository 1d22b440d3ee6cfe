//! What real Engines cannot be made to do at the right moment: secrets on a scripted one.

use super::*;
use crate::{
    docker::scripted::{Answer, Asked, Scripted, ok, refuse},
    resources::registry_service::settings::tests::settings,
};
use serde_json::{Value as Json, json};

fn context(engine: &Scripted, private: Private) -> Context<Docker> {
    Context { client: engine.docker.clone(), private, warnings: vec![] }
}

fn registry(more: Json) -> RegistryService {
    RegistryService {
        name: "hub".to_owned(),
        id: "service".to_owned().into(),
        settings: settings(more),
        ..RegistryService::unread()
    }
}

fn secret(id: &str, name: &str, role: &str, created_at: &str) -> Json {
    let labels = json!({ OWNER: "hub", GENERATION_OF: role });
    json!({ "ID": id, "CreatedAt": created_at, "Spec": { "Name": name, "Labels": labels } })
}

/// A specification that mounts secrets, as IDs and names.
fn mounting(secrets: &[(&str, &str)]) -> Json {
    let file = json!({ "Name": "registry.yml", "UID": "0", "GID": "0", "Mode": 256 });
    let secrets: Vec<Json> = secrets
        .iter()
        .map(|(id, name)| json!({ "SecretID": id, "SecretName": name, "File": file }))
        .collect();
    json!({ "Name": "hub", "TaskTemplate": { "ContainerSpec": { "Secrets": secrets } } })
}

fn removed(engine: &Scripted) -> Vec<String> {
    let asked = engine.asked();
    let ids = asked.iter().filter_map(|asked| asked.what.strip_prefix("DELETE /secrets/"));
    ids.map(str::to_owned).collect()
}

/// An Engine that makes each secret under its name as ID, but for the one whose name holds `refused`.
fn maker(refused: &'static str) -> impl Fn(&Asked) -> Answer + Send + Sync {
    move |asked| match asked.what.as_str() {
        "POST /secrets/create" => {
            let name = asked.body["Name"].as_str().unwrap();
            if name.contains(refused) { refuse(400, "planted") } else { ok(json!({ "ID": name })) }
        }
        "GET /secrets" => ok(json!([secret("live", "hub-config-live", "hub-config", "1")])),
        _ => ok(Json::Null),
    }
}

#[tokio::test]
async fn a_create_that_fails_takes_back_what_it_has_made_and_nothing_else() {
    let tls = json!({ "tls": { "certificate": "PEM", "private_key": "PEM" } });
    let engine = Scripted::new(maker("nothing is refused"));
    let provided =
        provide(&registry(tls.clone()), None, &mut context(&engine, Private::default())).await.unwrap();
    assert_eq!(removed(&engine), [""; 0]);
    provided.take_back(&engine.docker).await;
    let made: Vec<String> = provided.mounted.iter().map(|made| made.object.id.clone()).collect();
    assert_eq!((removed(&engine), made.len()), (made, 3));

    let engine = Scripted::new(maker("tls-key"));
    let failed = provide(&registry(tls), None, &mut context(&engine, Private::default())).await;
    assert!(failed.err().is_some_and(|error| error.detail.contains("planted")));
    assert_eq!((removed(&engine).len(), engine.count("POST /secrets/create")), (2, 3));
}

#[tokio::test]
async fn a_password_that_was_put_right_under_its_version_is_taken_after_a_rollback() {
    let proxy = |password: &str, version: u8| {
        let remote = "https://registry-1.docker.io";
        registry(
            json!({ "proxy": { "remote_url": remote, "username": "bot", "password_wo": password, "password_wo_version": version } }),
        )
    };
    let engine = Scripted::new(maker("nothing is refused"));
    let mut first = context(&engine, Private::default());
    let wrong = provide(&proxy("wrong", 2), None, &mut first).await.unwrap();
    let name = wrong.mounted[0].object.name.clone();

    // It was rolled back: the service mounts the one of before.
    let (listed, taken) = (name.clone(), std::sync::atomic::AtomicBool::new(true));
    let engine = Scripted::new(move |asked| match asked.what.as_str() {
        "GET /services/service" => ok(
            json!({ "ID": "service", "Version": { "Index": 1 }, "Spec": mounting(&[("old", "hub-config-old")]) }),
        ),
        "GET /secrets" => ok(json!([secret("wrong", &listed, "hub-config", "1")])),
        "DELETE /secrets/wrong" => {
            taken.store(false, std::sync::atomic::Ordering::SeqCst);
            ok(Json::Null)
        }
        "POST /secrets/create" if taken.load(std::sync::atomic::Ordering::SeqCst) => {
            refuse(409, "rpc error: code = AlreadyExists desc = secret already exists")
        }
        _ => ok(json!({ "ID": "right" })),
    });
    let mut second = context(&engine, first.private);
    let right = provide(&proxy("right", 2), Some(&proxy("", 1)), &mut second).await.unwrap();
    let object = &right.mounted[0].object;
    assert_eq!((object.id.as_str(), object.name.as_str()), ("right", name.as_str()));
}

#[tokio::test]
async fn what_a_rollback_would_mount_stays_before_what_is_newer() {
    let engine = Scripted::new(|asked| match asked.what.as_str() {
        "GET /services/service" => ok(json!({
            "ID": "service", "Version": { "Index": 1 },
            "Spec": mounting(&[("d", "d")]), "PreviousSpec": mounting(&[("a", "a")]),
        })),
        "GET /secrets" => ok(json!([
            secret("a", "a", "hub-config", "1"),
            secret("c", "c", "hub-config", "2"),
            secret("d", "d", "hub-config", "3"),
        ])),
        _ => ok(Json::Null),
    });
    let service = registry(json!({}));
    let mounted = [reference(&service, Role::Config, Object { id: "d".to_owned(), name: "d".to_owned() })];
    remove_superseded(&service, &mounted, &engine.docker).await;
    assert_eq!(removed(&engine), ["c"]);
}

#[tokio::test]
async fn a_service_that_goes_lets_go_of_its_secrets_while_it_is_still_there() {
    let mounted = [("own", "hub-config-1"), ("foreign", "theirs")];
    let engine = Scripted::new(move |asked| match asked.what.as_str() {
        "GET /secrets" => ok(json!([
            secret("own", "hub-config-1", "hub-config", "1"),
            { "ID": "foreign", "Spec": { "Name": "theirs" } },
        ])),
        "GET /services/service" => {
            ok(json!({ "ID": "service", "Version": { "Index": 7 }, "Spec": mounting(&mounted) }))
        }
        "DELETE /secrets/own" => refuse(500, "planted"),
        _ => ok(Json::Null),
    });
    let failed = remove_all("service", "hub", &engine.docker).await;
    assert!(failed.is_err_and(|error| error.detail.contains("planted")));
    let asked = engine.asked();
    let update = asked.iter().find(|asked| asked.what == "POST /services/service/update").unwrap();
    let task = &update.body["TaskTemplate"];
    assert_eq!(
        task["ContainerSpec"]["Secrets"].as_array().unwrap().len(),
        1,
        "the foreign one is left alone"
    );
    assert_eq!(task["Placement"]["Constraints"], json!(["node.id==none"]));
    assert_eq!(asked.last().unwrap().what, "DELETE /secrets/own", "the update comes before it");
    assert_eq!(engine.count("DELETE /services/service"), 0);
}

#[tokio::test]
async fn the_secrets_of_a_service_that_is_gone_go_too() {
    let engine = Scripted::new(|asked| match asked.what.as_str() {
        "GET /secrets" => ok(json!([secret("own", "hub-config-1", "hub-config", "1")])),
        "GET /services/service" => refuse(404, "service service not found"),
        _ => ok(Json::Null),
    });
    remove_all("service", "hub", &engine.docker).await.unwrap();
    assert_eq!(removed(&engine), ["own"]);
}
