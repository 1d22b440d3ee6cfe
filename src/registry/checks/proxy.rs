//! C1 to C4: the registry as a pull-through cache.

use super::{Given, Replicas};
use crate::registry::{Dialect, Finding, derive::Order};
use std::time::Duration;

/// A pull-through cache as it is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cache<'a> {
    /// `proxy.remote_url`
    pub remote_url: Given<&'a str>,
    /// Whether `proxy.username` is set.
    pub has_username: Option<bool>,
    /// Whether there is any kind of authentication.
    pub has_auth: Option<bool>,
    /// Whether it removes what is old; see [`expires`].
    pub expires: Option<bool>,
    /// `storage.delete`
    pub deletes: Option<bool>,
    /// How many tasks there are.
    pub replicas: Option<Replicas>,
    /// Where the images are.
    pub store: Option<Store>,
    /// `placement.max_replicas_per_node`
    pub max_per_node: Option<u64>,
    /// `update.order` as the user set it.
    pub order: Option<Order>,
}

/// Who sees one and the same storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// All tasks: an object store, or files that are the same on every node.
    OfAll,
    /// The tasks of one node: a volume or folder of it.
    OfNode,
    /// Each task for itself: memory.
    OfTask,
}

/// Whether a cache removes what nobody asked for lately, by a schedule that it keeps in its storage: always, but for a
/// `proxy.ttl` of nothing, with which Distribution 3 starts no schedule. 2.8 does not read it.
pub fn expires(ttl: Given<Duration>, dialect: Option<Dialect>) -> Option<bool> {
    match ttl {
        Given::Unknown => None,
        Given::Is(Duration::ZERO) => dialect.map(|dialect| !dialect.is_3()),
        Given::Is(_) | Given::Unset => Some(true),
    }
}

/// Applies C1, C2, C3 and C4.
pub fn cache(cache: &Cache<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if cache.expires == Some(true) {
        sharing(cache, &mut findings);
    }
    if cache.expires == Some(true) && cache.deletes == Some(false) {
        let message = "A cache removes what nobody asked for lately only where deletion is allowed; without it, it grows for \
                       ever. Set storage.delete = true.";
        findings.push(Finding::warning("C2", "storage.delete", message));
    }
    if let Given::Is(url) = cache.remote_url {
        findings.extend(remote(url));
    }
    if cache.has_username == Some(true) && cache.has_auth == Some(false) {
        let message = "Everybody who reaches the cache can pull what this user may read upstream, private images among it. Set \
                       auth, unless that is meant.";
        findings.push(Finding::warning("C4", "proxy.username", message));
    }
    findings
}

/// C1. A cache keeps its schedule of what is removed when in a file of its storage, which each instance overwrites with its
/// own (distribution issues 3251 and 4594).
fn sharing(cache: &Cache<'_>, findings: &mut Vec<Finding>) {
    let Some(store) = cache.store else { return };
    let way_out = "Use mode = \"global\" with a volume, so that each node has a cache of its own.";
    let mut refuse = |path: &str, message: String| findings.push(Finding::error("C1", path, message));
    match (store, cache.replicas) {
        (Store::OfAll, Some(replicas)) if replicas.are_many() => refuse(
            "proxy",
            format!(
                "{} of a cache would share one storage, and the last to write decides what is removed when. {way_out}",
                replicas.in_words()
            ),
        ),
        (Store::OfNode, Some(Replicas::Count(count))) if count > 1 && cache.max_per_node != Some(1) => {
            refuse(
                "proxy",
                format!(
                    "{count} replicas of a cache may come to share the storage of one node, and the last to write decides what is \
                 removed when. {way_out} Or set placement.max_replicas_per_node = 1."
                ),
            )
        }
        _ => {}
    }
    if cache.order == Some(Order::StartFirst) && store != Store::OfTask {
        let message = "With start-first two instances of a cache would share one storage during each update, and the last to \
                       write decides what is removed when. Use stop-first.";
        refuse("update.order", message.to_owned());
    }
}

/// C3. That it has a scheme is part of its type, and that 2.8 does not know `ttl` and `exec` is told with what else it does not
/// know.
fn remote(url: &str) -> Option<Finding> {
    let path = "proxy.remote_url";
    let error = |message: &str| Some(Finding::error("C3", path, message));
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return error("A user does not belong into the address. Use proxy.username and proxy.password.");
    }
    if rest.contains(['?', '#']) {
        return error("The address of a registry has no query; write https://HOST[:PORT].");
    }
    let beyond = &rest[authority.len()..];
    if !matches!(beyond, "" | "/") {
        let message = "It has a path, of which Distribution makes use in some requests only. Write https://HOST[:PORT], unless \
                       you know that the upstream takes both.";
        return Some(Finding::warning("C3", path, message));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache on each node, which is how it should be.
    fn good() -> Cache<'static> {
        Cache {
            remote_url: Given::Is("https://registry-1.docker.io"),
            has_username: Some(false),
            has_auth: Some(false),
            expires: Some(true),
            deletes: Some(true),
            replicas: Some(Replicas::Global),
            store: Some(Store::OfNode),
            max_per_node: Some(0),
            order: None,
        }
    }

    fn codes(case: Cache<'_>) -> Vec<(bool, &'static str)> {
        cache(&case).iter().map(|finding| (finding.is_error(), finding.code)).collect()
    }

    #[test]
    fn what_is_not_known_is_not_judged() {
        assert_eq!(codes(Cache::default()), []);
    }

    #[test]
    fn c1_caches_that_share_their_storage() {
        assert_eq!(codes(good()), []);
        let of = |store, replicas| Cache { store: Some(store), replicas: Some(replicas), ..good() };
        assert_eq!(codes(of(Store::OfAll, Replicas::Global)), [(true, "C1")]);
        assert_eq!(codes(of(Store::OfAll, Replicas::Count(2))), [(true, "C1")]);
        assert_eq!(codes(of(Store::OfAll, Replicas::Count(1))), []);
        let two = of(Store::OfNode, Replicas::Count(2));
        assert_eq!(codes(two), [(true, "C1")]);
        assert_eq!(codes(Cache { max_per_node: Some(1), ..two }), []);
        assert_eq!(codes(of(Store::OfTask, Replicas::Count(2))), []);
        assert_eq!(codes(Cache { order: Some(Order::StartFirst), ..good() }), [(true, "C1")]);
        assert_eq!(codes(Cache { order: Some(Order::StopFirst), ..good() }), []);
    }

    #[test]
    fn c2_a_cache_that_grows_for_ever() {
        assert_eq!(codes(Cache { deletes: Some(false), ..good() }), [(false, "C2")]);
    }

    #[test]
    fn c1_and_c2_are_of_caches_that_remove_what_is_old() {
        let shared = Cache {
            store: Some(Store::OfAll),
            order: Some(Order::StartFirst),
            deletes: Some(false),
            ..good()
        };
        assert_eq!(codes(shared), [(true, "C1"), (true, "C1"), (false, "C2")]);
        for expires in [Some(false), None] {
            assert_eq!(codes(Cache { expires, ..shared }), []);
        }
    }

    #[test]
    fn only_distribution_3_keeps_all_with_a_ttl_of_nothing() {
        let (nothing, hour) = (Given::Is(Duration::ZERO), Given::Is(Duration::from_secs(3600)));
        for dialect in [Dialect::V3_0, Dialect::V3_1] {
            assert_eq!(expires(nothing, Some(dialect)), Some(false));
            assert_eq!(expires(hour, Some(dialect)), Some(true));
            assert_eq!(expires(Given::Unset, Some(dialect)), Some(true));
        }
        assert_eq!(expires(nothing, Some(Dialect::V2_8)), Some(true));
        assert_eq!(expires(nothing, None), None);
        assert_eq!(expires(Given::Unset, None), Some(true));
        assert_eq!(expires(Given::Unknown, Some(Dialect::V3_1)), None);
    }

    #[test]
    fn c3_an_upstream_that_is_no_address() {
        let at = |url| codes(Cache { remote_url: Given::Is(url), ..good() });
        for bad in ["https://u:p@a.example", "https://a.example?x", "https://a.example/#x"] {
            assert_eq!(at(bad), [(true, "C3")], "{bad}");
        }
        assert_eq!(at("https://a.example/team"), [(false, "C3")]);
        for good in ["https://a.example/", "http://mirror:5000"] {
            assert_eq!(at(good), [], "{good}");
        }
        let said = remote("https://u:hunter2@a.example").unwrap();
        assert!(!said.message.contains("hunter2"));
    }

    #[test]
    fn c4_what_is_private_upstream_in_public_here() {
        let user = Cache { has_username: Some(true), ..good() };
        assert_eq!(codes(user), [(false, "C4")]);
        assert_eq!(codes(Cache { has_auth: Some(true), ..user }), []);
    }
}
