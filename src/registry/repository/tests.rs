use super::{
    fake::{Fake, NAME, set},
    *,
};
use crate::registry::{copy::untag, retention::Rule, retention::Survey};
use std::time::SystemTime;

/// A run of Terraform that no other test has.
fn run() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static RUN: AtomicU64 = AtomicU64::new(1 << 40);
    RUN.fetch_add(1, Ordering::Relaxed)
}

async fn tags(fake: &Fake) -> Tags {
    let client = fake.server.client();
    Repository { client: &client, name: NAME }.tags().await.unwrap()
}

async fn delete(fake: &Fake, digest: &Digest, ours: &[&str], claims: &Claims) -> Option<Kept> {
    let client = fake.server.client();
    Repository { client: &client, name: NAME }.delete(digest, &set(ours), claims).await.unwrap()
}

/// Deletes what is not among so many of the newest.
async fn expire(fake: &Fake, keep: usize, change: impl FnOnce(&Fake)) {
    let client = fake.server.client();
    let survey = Survey::of(&client, NAME).await.unwrap();
    let rule = Rule { keep_matching: vec![], keep_last: Some(keep), older_than: None };
    let due = survey.expired(&rule, SystemTime::now()).into_iter().collect();
    change(fake);
    assert!(survey.delete(&client, &due, run(), &|| true).await.unwrap());
}

const DAYS: [&str; 3] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"];

fn images(fake: &Fake) -> [Digest; 3] {
    DAYS.map(|day| fake.state().image(day))
}

#[tokio::test]
async fn tags_that_a_list_hides_are_found() {
    let fake = Fake::start().await;
    let [image, ..] = images(&fake);
    let all = [
        "0.1.2", "0.1.20", "0.1.200", "0.1.21", "0.1.2-rc", "1", "10", "10.1", "10.1-rc", "100", "10_a", "2",
        "a", "a-b", "ab", "ab-c", "ab.c",
    ];
    {
        let mut state = fake.state();
        state.hides = true;
        all.iter().for_each(|tag| state.tag(tag, &image));
    }
    let listed = fake.server.client().tags(NAME).await.unwrap();
    assert_eq!(listed, ["0.1.2-rc", "0.1.2", "1", "2", "a-b", "a"]);
    assert_eq!(tags(&fake).await, Tags { names: set(&all), are_all: true });
}

#[tokio::test]
async fn a_list_that_shows_its_way_is_not_asked_twice() {
    let fake = Fake::start().await;
    let [image, ..] = images(&fake);
    ["1", "10", "2"].iter().for_each(|tag| fake.state().tag(tag, &image));
    assert_eq!(tags(&fake).await, Tags { names: set(&["1", "10", "2"]), are_all: true });
    assert_eq!(fake.server.lines().len(), 1);
    // 2.8 lists all tags whatever it is asked for.
    fake.state().tags.remove("10");
    fake.state().deletes_no_tags = true;
    assert!(tags(&fake).await.are_all);
    // One that lists from tags only does not show that these are all.
    fake.state().deletes_no_tags = false;
    assert!(tags(&fake).await.are_all);
    fake.state().lists_from_tags_only = true;
    assert_eq!(tags(&fake).await, Tags { names: set(&["1", "2"]), are_all: false });
}

#[tokio::test]
async fn an_image_with_a_hidden_tag_stays() {
    let fake = Fake::start().await;
    let [image, ..] = images(&fake);
    fake.state().hides = true;
    ["0.1.2", "0.1.20"].iter().for_each(|tag| fake.state().tag(tag, &image));
    let kept = delete(&fake, &image, &["0.1.2"], &Claims::default()).await;
    assert_eq!(kept, Some(Kept::For(vec!["0.1.20".to_owned()])));
    assert_eq!((fake.tags(), fake.state().has(&image)), (set(&["0.1.20"]), true));
    // A rule sees it, too: it is due with the one that hides it.
    fake.state().tag("0.1.2", &image);
    expire(&fake, 1, |_| {}).await;
    assert_eq!((fake.tags(), fake.state().has(&image)), (set(&["0.1.20"]), true));
}

#[tokio::test]
async fn an_image_stays_where_nobody_knows_whether_it_is_needed() {
    let fake = Fake::start().await;
    let [image, ..] = images(&fake);
    fake.state().lists_from_tags_only = true;
    fake.state().tag("1", &image);
    assert_eq!(delete(&fake, &image, &["1"], &Claims::default()).await, Some(Kept::Unsure));
    assert_eq!((fake.tags(), fake.state().has(&image)), (set(&[]), true));
}

#[tokio::test]
async fn a_tag_that_is_moved_to_an_expired_image_after_the_survey_keeps_it() {
    let fake = Fake::start().await;
    let [old, older, new] = images(&fake);
    for (tag, image) in [("1", &old), ("2", &older), ("stable", &new)] {
        fake.state().tag(tag, image);
    }
    let moved = old.clone();
    expire(&fake, 1, move |fake| {
        fake.state().tag("stable", &moved);
        fake.state().tag("new", &moved);
    })
    .await;
    assert_eq!(fake.tags(), set(&["new", "stable"]));
    assert!(fake.state().has(&old) && !fake.state().has(&older));
}

#[tokio::test]
async fn a_tag_that_is_moved_during_the_first_look_keeps_the_image() {
    let fake = Fake::start().await;
    let [old, new, _] = images(&fake);
    fake.state().tag("1", &old);
    fake.state().tag("2", &new);
    let moved = old.clone();
    // The survey asks for manifests, a look for heads only.
    fake.when(&format!("HEAD /v2/{NAME}/manifests/1"), move |state| {
        state.tag("late", &moved);
        None
    });
    expire(&fake, 1, |_| {}).await;
    assert_eq!((fake.tags(), fake.state().has(&old)), (set(&["2", "late"]), true));
}

#[tokio::test]
async fn a_tag_that_was_moved_itself_stays() {
    let fake = Fake::start().await;
    let [old, new, other] = images(&fake);
    fake.state().tag("1", &old);
    fake.state().tag("2", &new);
    expire(&fake, 1, |fake| fake.state().tag("1", &other)).await;
    assert_eq!(fake.tags(), set(&["1", "2"]));
}

#[tokio::test]
async fn a_rule_takes_the_images_of_an_index_that_nothing_leads_to_however_deep() {
    let fake = Fake::start().await;
    let [one, shared, kept] = images(&fake);
    let (below, index, top) = {
        let mut state = fake.state();
        let below = state.index(&[&kept, &shared]);
        let (index, top) = (state.index(&[&one, &shared]), state.index(&[&below]));
        state.tag("1", &index);
        state.tag("z", &kept);
        (below, index, top)
    };
    // Only an index of an index leads to the shared one; it has no date, so it stays.
    fake.state().tag("top", &top);
    expire(&fake, 1, |_| {}).await;
    assert_eq!(fake.tags(), set(&["top", "z"]));
    let state = fake.state();
    assert!(!state.has(&index) && !state.has(&one));
    assert!([&top, &below, &shared, &kept].iter().all(|digest| state.has(digest)));
    drop(state);
    let deleted: Vec<String> =
        fake.server.lines().into_iter().filter(|line| line.starts_with("DELETE")).collect();
    assert!(deleted[0].ends_with(index.as_str()) && deleted[1].ends_with(one.as_str()), "{deleted:?}");
}

#[tokio::test]
async fn a_deletion_that_is_stopped_leaves_no_half_an_index() {
    let fake = Fake::start().await;
    let [one, other, shared] = images(&fake);
    let indexes = {
        let mut state = fake.state();
        let indexes = [state.index(&[&one, &shared]), state.index(&[&other, &shared])];
        state.tag("1", &indexes[0]);
        state.tag("2", &indexes[1]);
        indexes
    };
    let client = fake.server.client();
    let survey = Survey::of(&client, NAME).await.unwrap();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let go_on = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 1;
    assert!(!survey.delete(&client, &set(&["1", "2"]), run(), &go_on).await.unwrap());
    let left = fake.tags();
    assert_eq!(left.len(), 1);
    let state = fake.state();
    for (tag, index, own) in [("1", &indexes[0], &one), ("2", &indexes[1], &other)] {
        assert_eq!((state.has(index), state.has(own)), (left.contains(tag), left.contains(tag)));
    }
    assert!(state.has(&shared));
}

#[tokio::test]
async fn the_images_of_a_destroyed_index_stay() {
    let fake = Fake::start().await;
    let [one, other, _] = images(&fake);
    let index = fake.state().index(&[&one, &other]);
    fake.state().tag("1", &index);
    assert_eq!(delete(&fake, &index, &["1"], &Claims::default()).await, None);
    let state = fake.state();
    assert!(state.has(&one) && state.has(&other) && !state.has(&index));
}

#[tokio::test]
async fn an_image_deep_in_an_index_with_a_tag_stays() {
    let fake = Fake::start().await;
    let [image, ..] = images(&fake);
    let below = fake.state().index(&[&image]);
    let top = fake.state().index(&[&below]);
    fake.state().tag("1", &image);
    fake.state().tag("top", &top);
    let kept = delete(&fake, &image, &["1"], &Claims::default()).await;
    assert_eq!(kept, Some(Kept::For(vec!["top".to_owned()])));
    assert_eq!((fake.tags(), fake.state().has(&image)), (set(&["top"]), true));
}

#[tokio::test]
async fn what_was_put_there_in_the_same_run_is_spared() {
    let fake = Fake::start().await;
    let [image, other, _] = images(&fake);
    let index = fake.state().index(&[&other]);
    let client = fake.server.client();
    let repository = Repository { client: &client, name: NAME };
    let run = run();
    let mut held = repository.hold(run).await;
    held.claim(&image, &set(&["1"]));
    held.claim(&index, &set(&[]));
    drop(held);
    for (tag, digest) in [("1", &image), ("2", &image), ("other", &other)] {
        fake.state().tag(tag, digest);
    }
    let held = repository.hold(run).await;
    assert_eq!(delete(&fake, &image, &["1", "2"], &held).await, Some(Kept::Claimed));
    assert_eq!((fake.tags(), fake.state().has(&image)), (set(&["1", "other"]), true));
    assert_eq!(delete(&fake, &other, &["other"], &held).await, Some(Kept::Claimed));
    assert!(fake.state().has(&other));
    drop(held);
    // Another run knows nothing of it.
    let held = repository.hold(run + (1 << 20)).await;
    assert_eq!(delete(&fake, &image, &["1"], &held).await, None);
}

#[tokio::test]
async fn a_repository_is_held_by_one_at_a_time() {
    let fake = Fake::start().await;
    let client = fake.server.client();
    let (repository, run) = (Repository { client: &client, name: NAME }, run());
    let held = repository.hold(run).await;
    let waits = tokio::time::timeout(std::time::Duration::from_millis(20), repository.hold(run)).await;
    assert!(waits.is_err());
    repository.hold(run + (1 << 20)).await;
    Repository { name: "other", ..repository }.hold(run).await;
    drop(held);
    repository.hold(run).await;
}

#[tokio::test]
async fn an_image_of_which_a_part_is_gone_is_not_whole() {
    let fake = Fake::start().await;
    let [one, other, _] = images(&fake);
    let below = fake.state().index(&[&one]);
    let top = fake.state().index(&[&below, &other]);
    let client = fake.server.client();
    let repository = Repository { client: &client, name: NAME };
    assert!(repository.is_whole(&top).await.unwrap() && repository.is_whole(&one).await.unwrap());
    for gone in [&one, &below, &other, &top] {
        let kept = fake.state().manifests.remove(gone.as_str()).unwrap();
        assert!(!repository.is_whole(&top).await.unwrap());
        fake.state().manifests.insert(gone.to_string(), kept);
    }
}

/// A registry of 2.8, in which a tag is all but taken away from an image.
async fn broken_off() -> (Fake, Digest) {
    let fake = Fake::start().await;
    let [image, ..] = images(&fake);
    fake.state().deletes_no_tags = true;
    fake.state().tag("1", &image);
    fake.state().tag("2", &image);
    let client = fake.server.client();
    // The second deletion of a manifest fails, after that one by which is found out whether there is any.
    let delete = format!("DELETE /v2/{NAME}/manifests/sha256");
    fake.when(&delete, |_| None);
    fake.when(&delete, |_| Some(401));
    untag(&client, NAME, "1", &image).await.unwrap_err();
    assert_ne!(fake.state().tags["1"], image.as_str());
    (fake, image)
}

#[tokio::test]
async fn a_tag_that_was_all_but_taken_away_goes_by_the_next_try() {
    let (fake, image) = broken_off().await;
    let client = fake.server.client();
    let repository = Repository { client: &client, name: NAME };
    assert_eq!(repository.tags_of(&image, &set(&["1", "2"])).await.unwrap(), set(&["1", "2"]));
    untag(&client, NAME, "1", &image).await.unwrap();
    assert_eq!((fake.tags(), fake.state().has(&image)), (set(&["2"]), true));
    // What points to somebody's image is not ours.
    let other = fake.state().image(DAYS[2]);
    fake.state().tag("1", &other);
    untag(&client, NAME, "1", &image).await.unwrap();
    assert_eq!(repository.tags_of(&image, &set(&["1", "2"])).await.unwrap(), set(&["2"]));
    assert_eq!(fake.tags(), set(&["1", "2"]));
}

#[tokio::test]
async fn what_is_left_of_a_tag_goes_with_the_image_and_by_a_rule() {
    let (fake, image) = broken_off().await;
    assert_eq!(delete(&fake, &image, &["1", "2"], &Claims::default()).await, None);
    assert_eq!((fake.tags(), fake.state().manifests.len()), (set(&[]), 2));
    let (fake, image) = broken_off().await;
    expire(&fake, 1, |_| {}).await;
    assert_eq!((fake.tags(), fake.state().has(&image)), (set(&["2"]), true));
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_done() {
    let fake = Fake::start().await;
    let [image, ..] = images(&fake);
    fake.state().deletes_no_tags = true;
    fake.state().tag("1", &image);
    fake.state().tag("2", &image);
    for _ in 0..2 {
        fake.when(&format!("DELETE /v2/{NAME}/manifests/sha256"), |state| {
            let last = state.tags.get("1").filter(|digest| state.tags["2"] != **digest).cloned();
            state.tags.retain(|_, digest| Some(&*digest) != last.as_ref());
            Some(404)
        });
    }
    untag(&fake.server.client(), NAME, "1", &image).await.unwrap();
    assert_eq!(fake.tags(), set(&["2"]));
}
