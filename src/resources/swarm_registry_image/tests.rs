//! What goes and comes at once, and what fails halfway: on a registry in memory.

use super::*;
use crate::docker::scripted::{Scripted, ok};
use crate::registry::repository::fake::{Fake, NAME, set};
use crate::terraform::{Private, Sensitive};

fn context(engine: &Scripted) -> Context<Docker> {
    Context { client: engine.docker.clone(), private: Private::default(), warnings: vec![] }
}

fn engine() -> Scripted {
    Scripted::new(|_| ok(serde_json::Value::Null))
}

/// A login of its own, so that nobody's on this machine is looked for.
fn access(fake: &Fake) -> RegistryAccess {
    let password = Some(Sensitive::from("hunter2".to_owned()));
    RegistryAccess { username: Some("ci".to_owned()), password, ..RegistryAccess::to(&fake.server.url()) }
}

/// An image with tags, which comes from another registry.
fn planned(from: &Fake, tag: &str, to: &Fake, tags: &[&str]) -> SwarmRegistryImage {
    let source = ImageSource {
        image: Some(format!("{}/{NAME}:{tag}", from.server.address)),
        registry: Some(access(from)),
        oci_layout: None,
        docker_archive: None,
        reference: None,
    };
    let image = SwarmRegistryImage::unread(access(to), NAME.to_owned());
    SwarmRegistryImage { tags: set(tags), source: Some(source), ..image }
}

/// The source, with an image and an index of two, and the registry that is filled.
async fn registries() -> (Fake, Fake) {
    let (from, to) = (Fake::start().await, Fake::start().await);
    {
        let mut state = from.state();
        let (one, other) = (state.image("2026-01-01T00:00:00Z"), state.image("2026-01-02T00:00:00Z"));
        let index = state.index(&[&one, &other]);
        state.tag("1", &one);
        state.tag("2", &other);
        state.tag("index", &index);
        let blobs = state.blobs.clone();
        to.state().blobs = blobs;
    }
    (from, to)
}

#[tokio::test]
async fn one_that_goes_spares_what_another_has_just_put_there() {
    let (from, to) = registries().await;
    let mut old = planned(&from, "1", &to, &["1", "old"]);
    old.create(&mut context(&engine())).await.unwrap();
    // The next run makes it anew under another name, and destroys this one.
    let engine = engine();
    let mut new = planned(&from, "1", &to, &["1"]);
    new.create(&mut context(&engine)).await.unwrap();
    let mut context = context(&engine);
    old.delete(&mut context).await.unwrap();
    assert!(context.warnings[0].detail.contains("has just put it there"), "{:?}", context.warnings);
    assert_eq!(to.tags(), set(&["1"]));
    assert!(to.state().has(&new.own_digest().unwrap()));
}

#[tokio::test]
async fn one_may_go_while_another_comes_with_the_same_image() {
    for later in [0, 3, 6, 9, 12, 20] {
        let (from, to) = registries().await;
        let mut old = planned(&from, "index", &to, &["old"]);
        old.create(&mut context(&engine())).await.unwrap();
        let engine = engine();
        let mut new = planned(&from, "index", &to, &["new"]);
        let (mut comes, mut goes) = (context(&engine), context(&engine));
        let delete = async {
            tokio::time::sleep(std::time::Duration::from_millis(later)).await;
            old.delete(&mut goes).await
        };
        let (created, deleted) = tokio::join!(new.create(&mut comes), delete);
        created.unwrap();
        deleted.unwrap();
        assert_eq!(to.tags(), set(&["new"]));
        let read = new.read(&mut context(&engine)).await.unwrap().unwrap();
        assert_eq!(read.tags, set(&["new"]));
    }
}

#[tokio::test]
async fn a_tag_that_moves_from_one_resource_to_another_stays() {
    let (from, to) = registries().await;
    let mut one = planned(&from, "1", &to, &["1", "x"]);
    one.create(&mut context(&engine())).await.unwrap();
    let engine = engine();
    planned(&from, "1", &to, &["x"]).create(&mut context(&engine)).await.unwrap();
    let mut less = planned(&from, "1", &to, &["1"]);
    less.digest = one.digest.clone();
    less.update(&one, &mut context(&engine)).await.unwrap();
    assert_eq!(to.tags(), set(&["1", "x"]));
}

#[tokio::test]
async fn an_update_that_cannot_take_a_tag_away_leaves_the_state_as_it_was() {
    let (from, to) = registries().await;
    let mut prior = planned(&from, "1", &to, &["1", "x"]);
    prior.create(&mut context(&engine())).await.unwrap();
    let engine = engine();
    to.state().deletes_nothing = true;
    let mut changed = planned(&from, "2", &to, &["1"]);
    let error = changed.update(&prior, &mut context(&engine)).await.unwrap_err();
    assert!(error.summary.contains("take the tag `x`"), "{error:?}");
    // So what was there before is read, with the tag that is to go.
    assert_eq!((changed.digest.known(), changed.id.known()), (None, None));
    let read = prior.read(&mut context(&engine)).await.unwrap().unwrap();
    assert_eq!(read.tags, set(&["1", "x"]));
}

#[tokio::test]
async fn an_index_of_which_an_image_is_gone_is_made_whole_again() {
    let (from, to) = registries().await;
    let engine = engine();
    let mut image = planned(&from, "index", &to, &["1"]);
    image.create(&mut context(&engine)).await.unwrap();
    let gone: Digest = from.state().tags["2"].parse().unwrap();
    to.state().manifests.remove(gone.as_str());
    let mut context = context(&engine);
    assert!(image.read(&mut context).await.unwrap().is_none());
    assert!(context.warnings[0].summary.contains("not whole"), "{:?}", context.warnings);
    let mut again = planned(&from, "index", &to, &["1"]);
    again.create(&mut context).await.unwrap();
    assert!(to.state().has(&gone));
    assert!(again.read(&mut context).await.unwrap().is_some());
}

#[tokio::test]
async fn an_image_of_a_destroyed_index_that_somebody_has_by_its_digest_stays() {
    let (from, to) = registries().await;
    planned(&from, "1", &to, &[]).create(&mut context(&engine())).await.unwrap();
    let mut index = planned(&from, "index", &to, &["1"]);
    index.create(&mut context(&engine())).await.unwrap();
    index.delete(&mut context(&engine())).await.unwrap();
    let one: Digest = from.state().tags["1"].parse().unwrap();
    assert!(to.state().has(&one));
}
