//! What there is in a registry: its repositories, and their tags.

use super::{Client, Error, Result, Scope, request::Call};
use http::{HeaderMap, Method, StatusCode, header};
use serde::Deserialize;

/// The longest page that is read.
const PAGE_LIMIT: usize = 16 * 1024 * 1024;
/// The longest list that is read, in all its pages.
const LIST_LIMIT: usize = 4 * PAGE_LIMIT;
/// How many are asked for at a time. Distribution refuses more than its `catalog.maxentries`, 1000 by default.
const PAGE: usize = 1000;
/// The most pages that are read, so that a list without an end has one.
const PAGES: usize = 10_000;

#[derive(Deserialize)]
struct Catalog {
    repositories: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

impl Client {
    /// The repositories that there are, in the registry's order. One whose images are all deleted is still there.
    ///
    /// # Errors
    /// They cannot be listed; a public hub does not let anybody.
    pub async fn repositories(&self) -> Result<Vec<String>> {
        let first = [format!("/v2/_catalog?n={PAGE}"), "/v2/_catalog".to_owned()];
        let read = |page: &[u8]| serde_json::from_slice(page).map(|page: Catalog| page.repositories);
        self.pages(&first, &Scope::Catalog, "catalog of repositories", read).await
    }

    /// The tags of a repository, in the registry's order, which may be none. They are asked for as a whole, and come in
    /// pages only where the registry wants it so: Distribution 3.1 on S3 loses tags where two pages meet.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such repository, and whatever keeps them from being listed.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>> {
        let first = [format!("/v2/{repository}/tags/list")];
        let read = |page: &[u8]| serde_json::from_slice(page).map(|page: Tags| page.tags);
        self.pages(&first, &Scope::Pull(repository.to_owned()), &format!("repository {repository}"), read)
            .await
    }

    /// The one tag that a registry lists after a place in its order, if it has another there; more where it lists no single
    /// ones. `None` from one that does not list from just anywhere.
    ///
    /// # Errors
    /// Whatever else keeps them from being listed.
    pub async fn tags_after(&self, repository: &str, place: &str) -> Result<Option<Vec<String>>> {
        let asked = || format!("list the repository {repository} from {place} on");
        let uri = self.uri(&format!("/v2/{repository}/tags/list?n=1&last={place}"))?;
        let call = Call::new(Method::GET, uri, Scope::Pull(repository.to_owned()), asked());
        let response = self.send(&call).await?;
        let response = match self.expect(&call, response, &[200]).await {
            // What stores its images in other ways may fail for a place that is no tag.
            Err(Error::Status { .. } | Error::NotAllowed { .. }) => return Ok(None),
            response => response?,
        };
        let body = self.body(response, PAGE_LIMIT, &asked).await?;
        let found: Tags =
            serde_json::from_slice(&body).map_err(|_| self.malformed("it is not the JSON that is due"))?;
        Ok(Some(found.tags.unwrap_or_default()))
    }

    /// All pages of a list. The first of the ways to ask for it that the registry takes is the one.
    async fn pages(
        &self,
        first: &[String],
        scope: &Scope,
        what: &str,
        read: impl Fn(&[u8]) -> serde_json::Result<Option<Vec<String>>>,
    ) -> Result<Vec<String>> {
        let asked = || format!("list the {what}");
        let mut ways = first.iter();
        let mut next = self.uri(ways.next().map_or("/", String::as_str))?;
        let mut all: Vec<String> = vec![];
        let mut left = LIST_LIMIT;
        for page in 0..PAGES {
            let call = Call::new(Method::GET, next.clone(), scope.clone(), asked());
            let mut response = self.look_for(&call, what).await?;
            if page == 0
                && response.status() == StatusCode::BAD_REQUEST
                && let Some(other) = ways.next()
            {
                // It wants no pages as long as that, so it says how long they are.
                let call = Call { uri: self.uri(other)?, ..call };
                response = self.look_for(&call, what).await?;
            }
            let response = self
                .expect(&Call::new(Method::GET, next.clone(), scope.clone(), asked()), response, &[200])
                .await?;
            let link = following(response.headers());
            let body = self.body(response, PAGE_LIMIT, &asked).await?;
            left = left.checked_sub(body.len()).ok_or_else(|| Error::TooLong {
                what: format!("the list of the {what}"),
                limit: LIST_LIMIT,
            })?;
            let found = read(&body).map_err(|_| self.malformed("it is not the JSON that is due"))?;
            all.extend(found.unwrap_or_default());
            match link {
                // Only the way is taken from it, not the server.
                Some(link) => {
                    let link: http::Uri = link.parse().map_err(|_| self.malformed("its Link is no URL"))?;
                    let link = self.uri(link.path_and_query().map_or("/", |it| it.as_str()))?;
                    if link == next {
                        return Err(self.malformed("its next page is the same again"));
                    }
                    next = link;
                }
                None => return Ok(all),
            }
        }
        Err(self.malformed("its pages have no end"))
    }
}

/// Where the next page is: `Link: </v2/_catalog?n=100&last=x>; rel="next"`.
pub(super) fn following(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::LINK).iter().filter_map(|line| line.to_str().ok());
    let links = lines.flat_map(|line| line.split(','));
    links
        .filter_map(|link| link.trim().strip_prefix('<')?.split_once('>'))
        .find(|(_, options)| {
            options.split(';').any(|option| matches!(option.trim(), "rel=\"next\"" | "rel=next"))
        })
        .map(|(link, _)| link.to_owned())
}
