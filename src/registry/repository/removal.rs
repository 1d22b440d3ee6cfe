//! How tags go, and the manifests that nothing else needs.
//!
//! Distribution deletes a manifest with all tags that point to it at that moment, and cannot be told to do so only if nothing
//! has changed. So everything is looked at anew right before a deletion, and again for every few of them. A tag that
//! somebody else moves to such a manifest, or makes, between that look and the deletion is lost with it.

use super::{Claims, Repository, reach::Graph};
use crate::registry::{
    client::{Digest, Error, Result},
    copy::untag,
};
use std::collections::{BTreeMap, BTreeSet};

/// For how many manifests with tags one look is good.
const PER_LOOK: usize = 16;

/// Why a manifest stays although its tags go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// These tags lead to it.
    For(Vec<String>),
    /// It was put there in the same run.
    Claimed,
    /// The registry does not show whether these are all of its tags.
    Unsure,
}

/// A repository as it is now.
struct Look {
    /// The tags that go.
    going: BTreeMap<String, Digest>,
    /// The tags that were to go, and point elsewhere.
    moved: Vec<String>,
    /// What other tags lead to, with those tags.
    needed: BTreeMap<Digest, BTreeSet<String>>,
    claimed: BTreeSet<Digest>,
    shows_all: bool,
}

impl Look {
    fn keeps(&self, digest: &Digest) -> Option<Kept> {
        match self.needed.get(digest) {
            _ if self.claimed.contains(digest) => Some(Kept::Claimed),
            Some(tags) => Some(Kept::For(tags.iter().cloned().collect())),
            None if !self.shows_all => Some(Kept::Unsure),
            None => None,
        }
    }

    /// Manifests with all below them that nothing keeps: each after all that lead to it, so that no index leads nowhere.
    fn in_order(&self, roots: &[Digest], graph: &Graph) -> Vec<Digest> {
        let all: BTreeSet<Digest> = roots.iter().flat_map(|root| graph.reach(root)).collect();
        let mut left: Vec<Digest> = all.into_iter().filter(|digest| self.keeps(digest).is_none()).collect();
        let mut ordered = vec![];
        while !left.is_empty() {
            let below: BTreeSet<Digest> =
                left.iter().flat_map(|digest| graph.reach(digest).into_iter().skip(1)).collect();
            let (next, rest): (Vec<Digest>, Vec<Digest>) =
                left.into_iter().partition(|digest| !below.contains(digest));
            if next.is_empty() {
                break;
            }
            ordered.extend(next);
            left = rest;
        }
        ordered
    }
}

impl Repository<'_> {
    /// Deletes a manifest with the tags that are ours. If anything else needs it, or may, only our tags go; it is answered
    /// why. The images of an index stay in any case: an older index without a tag, or somebody who has one of them by
    /// its digest, may need them, and no registry tells.
    ///
    /// # Errors
    /// What the registry refuses.
    pub async fn delete(
        &self,
        digest: &Digest,
        ours: &BTreeSet<String>,
        claims: &Claims,
    ) -> Result<Option<Kept>> {
        let going = ours.iter().map(|tag| (tag.clone(), digest.clone())).collect();
        let mut graph = Graph::default();
        // The first look reads all indexes, so that the second, which decides, takes less time.
        self.look(&going, claims, &mut graph).await?;
        let now = self.look(&going, claims, &mut graph).await?;
        for tag in &now.moved {
            untag(self.client, self.name, tag, digest).await?;
        }
        if self.client.head(self.name, digest.as_str()).await?.is_none() {
            return Ok(None);
        }
        let kept = now.keeps(digest);
        if kept.is_some() {
            for tag in now.going.keys() {
                untag(self.client, self.name, tag, digest).await?;
            }
        } else {
            gone(self.client.delete_manifest(self.name, digest).await)?;
        }
        Ok(kept)
    }

    /// Takes tags away that still point where it is said, with the manifests to which only they lead, images of an
    /// index among them. Answers whether it got to the end: `go_on` is asked in between.
    ///
    /// # Errors
    /// What the registry refuses; what was deleted before is gone.
    pub async fn expire(
        &self,
        tags: &BTreeMap<String, Digest>,
        run: u64,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool> {
        let mut by_digest: BTreeMap<&Digest, Vec<&String>> = BTreeMap::new();
        for (tag, digest) in tags {
            by_digest.entry(digest).or_default().push(tag);
        }
        let all: Vec<(&Digest, Vec<&String>)> = by_digest.into_iter().collect();
        let mut graph = Graph::default();
        for some in all.chunks(PER_LOOK) {
            let claims = self.hold(run).await;
            let own = |(digest, tags): &(&Digest, Vec<&String>)| -> Vec<(String, Digest)> {
                tags.iter().map(|tag| ((*tag).clone(), (*digest).clone())).collect()
            };
            let going: BTreeMap<String, Digest> = some.iter().flat_map(own).collect();
            self.look(&going, &claims, &mut graph).await?;
            let now = self.look(&going, &claims, &mut graph).await?;
            if !self.expire_some(&now, &graph, go_on).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What goes by one look.
    async fn expire_some(
        &self,
        now: &Look,
        graph: &Graph,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool> {
        let mut roots: BTreeSet<Digest> = now.going.values().cloned().collect();
        for (tag, digest) in now.going.iter().filter(|(_, digest)| now.keeps(digest).is_some()) {
            if !go_on() {
                return Ok(false);
            }
            untag(self.client, self.name, tag, digest).await?;
            roots.remove(digest);
        }
        let ordered = now.in_order(&roots.iter().cloned().collect::<Vec<_>>(), graph);
        let mut stopped = false;
        for digest in ordered {
            // What is only below goes with what has led to it, even when there is no time for more.
            stopped |= !go_on();
            let is_left = stopped && roots.iter().any(|root| graph.reach(root).contains(&digest));
            if !is_left {
                gone(self.client.delete_manifest(self.name, &digest).await)?;
                roots.remove(&digest);
            }
        }
        Ok(!stopped)
    }

    async fn look(
        &self,
        going: &BTreeMap<String, Digest>,
        claims: &Claims,
        graph: &mut Graph,
    ) -> Result<Look> {
        let mut tags = self.tags().await?;
        tags.names.extend(going.keys().cloned());
        let heads = self.heads(tags.names).await?;
        let from = heads.values().map(|head| (head.digest.clone(), head.media_type.clone()));
        graph.walk(self, from.chain(claims.images()).collect()).await?;
        let mut look = Look {
            going: BTreeMap::new(),
            moved: vec![],
            needed: BTreeMap::new(),
            claimed: claims.images().flat_map(|(digest, _)| graph.reach(&digest)).collect(),
            shows_all: tags.are_all,
        };
        for (tag, head) in heads {
            match going.get(&tag) {
                Some(digest) if *digest == head.digest && !claims.has(&tag, digest) => {
                    look.going.insert(tag, head.digest);
                    continue;
                }
                Some(digest) if *digest != head.digest => look.moved.push(tag.clone()),
                _ => {}
            }
            for digest in graph.reach(&head.digest) {
                look.needed.entry(digest).or_default().insert(tag.clone());
            }
        }
        Ok(look)
    }
}

/// That it is gone already is as good.
fn gone(deleted: Result<()>) -> Result<()> {
    match deleted {
        Err(Error::NotFound { .. }) => Ok(()),
        deleted => deleted,
    }
}
