//! A request that was passed on, and how its answer comes back.

use super::{
    fault::{Fault, Moment},
    http::{Body, Head, refusal},
    proxy::{HELD_BACK, Shared},
};
use std::{io, time::Duration};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};

/// How late an answer comes that comes late.
const LATE: Duration = Duration::from_secs(1);
/// A request whose answer begins to come.
pub struct Exchange<'a, C, E> {
    pub client: &'a mut C,
    pub engine: &'a mut E,
    pub head: Head,
    pub body: Body,
    pub number: usize,
}

impl<C: AsyncBufRead + Unpin, E: AsyncBufRead + Unpin> Exchange<'_, C, E> {
    /// Passes the answer on, however long it goes on, until the client leaves.
    pub async fn pass(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
        to.write_all(&self.head.0).await?;
        to.flush().await?;
        loop {
            tokio::select! {
                part = self.body.part(self.engine) => match part? {
                    Some(part) => {
                        to.write_all(&part).await?;
                        to.flush().await?;
                    }
                    None => return Ok(true),
                },
                // Nobody sends another request before the answer is there.
                left = self.client.fill_buf(), if !self.body.is_over() => {
                    if left?.is_empty() {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Waits until the Engine has done what was asked. A stream of events never is.
    pub async fn is_done(&mut self) -> io::Result<()> {
        let rest = self.body.rest(self.engine);
        tokio::time::timeout(HELD_BACK, rest).await.map_or(Ok(()), |rest| rest.map(drop))
    }

    /// Lets the answer go wrong, and answers whether the connection goes on.
    pub async fn goes_wrong(
        &mut self,
        fault: Fault,
        to: &mut (impl AsyncWrite + Unpin),
        shared: &Shared,
    ) -> io::Result<bool> {
        match fault {
            Fault::Late => {
                shared.injected();
                tokio::time::sleep(LATE).await;
                self.pass(to).await
            }
            Fault::Reordered => {
                if shared.is_overtaken(self.number).await {
                    shared.injected();
                }
                self.pass(to).await
            }
            Fault::Cut => {
                shared.injected();
                self.cut(to).await
            }
            Fault::Truncated => self.truncate(to, shared).await,
            Fault::Refused(words, Moment::Done) => {
                self.is_done().await?;
                shared.injected();
                let (status, message) = words.answer();
                to.write_all(&refusal(status, message)).await?;
                Ok(self.body.is_over())
            }
            Fault::Struck(_) => {
                self.is_done().await?;
                shared.strike().await?;
                Ok(false)
            }
            _ => {
                self.is_done().await?;
                shared.injected();
                Ok(false)
            }
        }
    }

    /// Half of the first part of the body, or of the head where there is no body.
    async fn cut(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
        if self.body.is_empty() {
            to.write_all(&self.head.0[..self.head.0.len() / 2]).await?;
        } else {
            to.write_all(&self.head.0).await?;
            let part = tokio::time::timeout(HELD_BACK, self.body.part(self.engine)).await;
            if let Ok(Some(part)) = part.unwrap_or(Ok(None)) {
                to.write_all(&part[..part.len() / 2]).await?;
            }
        }
        to.flush().await?;
        Ok(false)
    }

    /// The whole body, but what says that it has ended.
    async fn truncate(&mut self, to: &mut (impl AsyncWrite + Unpin), shared: &Shared) -> io::Result<bool> {
        let head = if self.body.is_chunked() { Some(self.head.0.clone()) } else { self.head.exaggerating() };
        let Some(head) = head.filter(|_| !self.body.is_empty()) else { return self.pass(to).await };
        shared.injected();
        to.write_all(&head).await?;
        while let Ok(Some(part)) =
            tokio::time::timeout(HELD_BACK, self.body.part(self.engine)).await.unwrap_or(Ok(None))
        {
            if self.body.is_chunked() && self.body.is_over() {
                break;
            }
            to.write_all(&part).await?;
        }
        to.flush().await?;
        Ok(false)
    }
}
