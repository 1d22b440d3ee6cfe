//! What a 404 means: that the registry has no such thing, or that nobody asked the registry.
//!
//! What stands in front of a registry that is down answers 404, too, and to everything: whoever took that for the registry's
//! word would take every image for gone. So a 404 counts where the registry's own words are in it, else where the registry
//! answers at `/v2/` and says it once more.

use super::{Client, Error, Result, request::Call};
use http::{Response, StatusCode};
use hyper::body::Incoming;

/// How the codes end by which a registry says that it has no such thing: `MANIFEST_UNKNOWN`, `NAME_UNKNOWN`, `BLOB_UNKNOWN`.
const UNKNOWN: &str = "_UNKNOWN";

impl Client {
    /// Asks for something that may not be there: `thing` is what it is called.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the registry has no such thing, [`Error::Reach`] where it was no registry that said so. Any
    /// other status is an answer, for [`Client::expect`] to judge.
    pub(super) async fn look_for(&self, call: &Call, thing: &str) -> Result<Response<Incoming>> {
        let mut is_registry = false;
        loop {
            let response = self.send(call).await?;
            if response.status() != StatusCode::NOT_FOUND {
                return Ok(response);
            }
            let said = self.explained(response).await;
            if is_registry || said.iter().any(|said| said.code.ends_with(UNKNOWN)) {
                return Err(Error::NotFound { registry: self.registry().to_owned(), what: thing.to_owned() });
            }
            // It may have come up since, so that it is asked again.
            self.must_be_a_registry().await?;
            is_registry = true;
        }
    }

    /// Sees that it is a registry, whoever it lets in.
    async fn must_be_a_registry(&self) -> Result<()> {
        match self.ping().await {
            Err(Error::Unauthorized { .. } | Error::Denied { .. }) => Ok(()),
            answered => answered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Reply, Seen, Server};
    use crate::registry::client::{Client, Digest, Error, MANIFESTS, Result};

    /// How Distribution says it.
    const UNKNOWN: &str =
        r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]}"#;
    /// How a router says that no rule of it is met.
    const ROUTER: &str = "404 page not found\n";

    /// Everything that may be told to be absent.
    async fn all_asked(client: &Client) -> [Result<()>; 6] {
        let digest = Digest::of(b"x");
        [
            client.head("a", "1").await.map(|found| assert_eq!(found, None)),
            client.manifest("a", "1").await.map(drop),
            client.delete_manifest("a", &digest).await,
            client.delete_tag_alone("a", "1").await.map(drop),
            client.tags("a").await.map(drop),
            client.blob_from("a", &digest, 0).await.map(drop),
        ]
    }

    fn is_told_gone(answers: [Result<()>; 6]) {
        for (number, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(()) => assert_eq!(number, 0, "only that one answers so"),
                Err(error) => assert!(error.is_not_found(), "{number}: {error}"),
            }
        }
    }

    #[tokio::test]
    async fn a_404_in_the_registry_s_words_is_gone() {
        let server = Server::start(|_, _| Reply::status(404).body(UNKNOWN)).await;
        is_told_gone(all_asked(&server.client()).await);
        let error = server.client().manifest("a", "1").await.unwrap_err();
        assert!(error.to_string().ends_with("has no manifest a:1"), "{error}");
        assert!(!server.lines().contains(&"GET /v2/".to_owned()), "it has said who it is");
    }

    #[tokio::test]
    async fn a_404_without_a_word_is_gone_where_a_registry_answers() {
        for status in [200, 401] {
            let server = Server::start(move |seen, _| match seen.line.as_str() {
                "GET /v2/" => Reply::status(status),
                _ => Reply::status(404),
            })
            .await;
            is_told_gone(all_asked(&server.client()).await);
        }
    }

    #[tokio::test]
    async fn a_404_of_a_proxy_is_not_gone() {
        for body in [ROUTER, "", r#"{"errors":[{"code":"NO_ROUTE"}]}"#, r#"{"message":"no route"}"#] {
            let server = Server::start(move |_, _| Reply::status(404).body(body)).await;
            for (number, answer) in all_asked(&server.client()).await.into_iter().enumerate() {
                let error = answer.expect_err(&format!("{number} with {body:?}"));
                assert!(matches!(error, Error::Reach(_)), "{number}: {error:?}");
                assert!(error.to_string().contains("/v2/ answers 404"), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn a_registry_that_comes_up_meanwhile_is_asked_again() {
        let comes_up = |seen: &Seen, number: usize| match (number, seen.line.as_str()) {
            (0, _) => Reply::status(404).body(ROUTER),
            (_, "GET /v2/") => Reply::status(200),
            _ => Reply::status(202).header("Content-Type", MANIFESTS[2]),
        };
        let server = Server::start(comes_up).await;
        server.client().delete_manifest("a", &Digest::of(b"x")).await.unwrap();
        assert_eq!(server.lines().len(), 3);
    }

    #[tokio::test]
    async fn any_other_status_is_not_gone() {
        for status in [400, 401, 403, 405, 410] {
            let server = Server::start(move |_, _| Reply::status(status)).await;
            let error = server.client().head("a", "1").await.unwrap_err();
            assert!(!error.is_not_found(), "{status}: {error}");
        }
    }
}
