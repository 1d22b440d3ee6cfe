//! Calls side by side, their end, and their callers'.

use super::*;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn stop_ends_waits_but_not_the_server() {
    let (mut client, desk, _serving) = host::start().await;
    let mut waiting = client.clone();
    let created = tokio::spawn(async move { create(&mut waiting, &note(&[("name", "wait".into())])).await });
    while desk.waiting.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stopped = client.stop_provider(pb::stop_provider::Request {}).await.expect("an answer").into_inner();
    assert_eq!(stopped.error, "");
    let created = created.await.expect("no panic");
    assert_eq!(summaries(&created.diagnostics), ["Stopped"]);
    assert!(received(created.new_state.as_ref()).is_some());
    schema_is_served(&mut client).await;
}

#[tokio::test]
async fn work_goes_on_when_its_caller_is_gone() {
    let (mut client, desk, _serving) = host::start().await;
    let mut waiting = client.clone();
    let call = tokio::spawn(async move { create(&mut waiting, &note(&[("name", "wait".into())])).await });
    while desk.waiting.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    call.abort();
    schema_is_served(&mut client).await;
    assert_eq!(desk.ended.load(Ordering::SeqCst), 0, "it still waits");
    desk.stopped.cancel();
    tokio::time::timeout(Duration::from_secs(5), async {
        while desk.ended.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("it was carried to its end");
}

#[tokio::test]
async fn sixty_four_calls_run_at_once() {
    let (mut client, desk, _serving) = host::start().await;
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { create(&mut client, &note(&[("name", "wait".into())])).await })
        })
        .collect();
    tokio::time::timeout(Duration::from_secs(10), async {
        while desk.waiting.load(Ordering::SeqCst) < 64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("all of them wait at the same time");
    client.stop_provider(pb::stop_provider::Request {}).await.expect("an answer");
    let mut ids = std::collections::BTreeSet::new();
    for call in calls {
        let state = received(call.await.expect("no panic").new_state.as_ref()).expect("a state");
        ids.insert(state.get("id").as_str().expect("an id").to_owned());
    }
    assert_eq!(ids.len(), 64);
}
