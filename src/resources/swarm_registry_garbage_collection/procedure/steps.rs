//! The steps of a run: what is seen before, read-only, the collection itself, redis.

use super::{Run, alone::who_made_read_only, job};
use crate::docker::{
    BlobKind, Change, Docker, Error, Found, JobFailure, NewBlob, Service, ServiceSpec, Task, TaskState, Wait,
};
use crate::registry::garbage_collection::{self, Line, Surroundings, Task as What};
use crate::resources::{
    failure::{Doing, failure, sentence},
    service::credentials,
};
use crate::terraform::{Diagnostic, Progress, Result};
use std::{
    sync::atomic::Ordering::SeqCst,
    time::{Duration, Instant},
};

/// The secret with the login to redis: ID and name.
pub(super) type Login = (String, String);

/// How long a job's task may find no node.
const GRACE: Duration = Duration::from_secs(15);
/// How often at most a line of the job is shown.
const EVERY: Duration = Duration::from_millis(500);
/// Lines that are read again where a stream of them broke.
const LAST: usize = 100;

/// What a job said.
#[derive(Default)]
struct Said {
    version: Option<String>,
    collected: Option<(u64, Option<u64>)>,
    refused: Option<garbage_collection::Refusal>,
    done: bool,
    others: Vec<String>,
}

impl Said {
    fn take(&mut self, line: Line) {
        match line {
            Line::Version(version) => self.version = Some(version),
            Line::Collected { blobs, bytes } => self.collected = Some((blobs, bytes)),
            Line::Refused(refusal) => self.refused = Some(refusal),
            Line::Done => self.done = true,
            Line::Other(line) => {
                self.others.push(line);
                // Only the last of them say why.
                if self.others.len() > LAST {
                    self.others.remove(0);
                }
            }
            Line::ReadOnly | Line::Repository(_) | Line::Marked { .. } | Line::Deleting { .. } => {}
        }
    }
}

impl Run<'_> {
    /// Makes the secret with the login to redis, if there is a redis.
    pub(super) async fn secret(&self, service: &Service) -> Result<Option<Login>> {
        let Some(redis) = &self.what.redis else { return Ok(None) };
        self.remove_secret(self.docker, service, None).await;
        let (name, labels) = (job::secret_name(service.name()), job::secret_labels(service, &self.id));
        let login = redis.login();
        Self::set(&self.made.secret);
        let new = NewBlob {
            name: &name,
            labels: &labels,
            data: login.expose().as_bytes(),
            driver: None,
            templating: None,
        };
        let created = self.docker.create_blob(BlobKind::Secret, &new).await;
        Ok(Some((created.doing(|| format!("create secret `{name}`"))?, name)))
    }

    /// Sees, before anything is changed, that the collection is possible and will do no harm.
    pub(super) async fn check(
        &self,
        service: &Service,
        surroundings: &Surroundings,
        secret: Option<&Login>,
    ) -> Result<()> {
        self.progress.report("looking whether it can be done without harm");
        let said = self.job(self.docker, service, What::Check, surroundings, secret).await?;
        let version = said.version.unwrap_or_default();
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if self.what.delete_untagged
            && major.is_none_or(|major| major < 3)
            && !self.what.force_delete_untagged
        {
            return Err(self
                .refused(format!(
                    "The registry is Distribution {version}, which takes the images of a multi-platform index for untagged and \
                     deletes them. Collect without `delete_untagged`, move to Distribution 3, or, if there is no index in the \
                     registry, set `force_delete_untagged`. Nothing was changed."
                ))
                .at("delete_untagged"));
        }
        Ok(())
    }

    /// Sees what would be collected.
    pub(super) async fn dry_run(
        &self,
        service: &Service,
        surroundings: &Surroundings,
    ) -> Result<(u64, Option<u64>)> {
        let counted = self.job(self.docker, service, What::DryRun, surroundings, None).await?.collected;
        let (blobs, bytes) = counted.unwrap_or_default();
        self.progress.report(format!("{} would be deleted", counts(blobs, bytes)));
        Ok((blobs, bytes))
    }

    /// Makes the registry read-only, and waits until no task is left that writes.
    pub(super) async fn make_read_only(&self, service: &Service) -> Result<()> {
        let what = || format!("make registry `{}` read-only", service.name());
        self.progress
            .report("the registry becomes read-only: pulls go on, pushes have to be made again afterwards");
        let mut is_others = false;
        let write = |spec: &mut ServiceSpec| {
            let task = spec.task_template.get_or_insert_default();
            let env = task.container_spec.get_or_insert_default().env.get_or_insert_default();
            garbage_collection::make_read_only(env, &self.id);
            is_others = garbage_collection::who_made_read_only(env) != Some(&self.id);
            if is_others {
                return Ok(Change::None);
            }
            Self::set(&self.made.read_only);
            Ok(Change::IfAny)
        };
        let written = self.docker.update_service(&service.id, None, write).await.doing(what);
        if is_others {
            // It is the other's to take back.
            self.made.read_only.store(false, SeqCst);
            return Err(
                self.refused("Another collection of the same registry has begun meanwhile. Run it again.")
            );
        }
        written?;
        let mut told = None;
        let watched = self.docker.watch(&service.id, Wait::at_most(self.left()), |progress| {
            if told != Some(progress) {
                told = Some(progress);
                self.progress.report(format!("{} of {} tasks are read-only", progress.done, progress.wanted));
            }
        });
        watched.await.map_err(|failure| {
            Diagnostic::error(format!("Cannot {}", what()), format!("{failure}\nNothing was collected."))
        })?;
        self.docker.wait_older_tasks_ended(&service.id, self.left()).await.doing(what)?;
        self.nobody_writes(service).await
    }

    /// Collects while it watches that the registry stays read-only.
    pub(super) async fn sweep(
        &self,
        service: &Service,
        surroundings: &Surroundings,
    ) -> Result<(u64, Option<u64>)> {
        if self.what.redis.is_some() {
            Self::set(&self.made.stale);
        }
        let collecting = Box::pin(self.job(self.docker, service, What::Collect, surroundings, None));
        let said = tokio::select! {
            said = collecting => said?,
            changed = Box::pin(self.watch(service)) => return Err(changed),
        };
        let (blobs, bytes) = said.collected.unwrap_or_default();
        self.progress.report(format!("{} deleted", counts(blobs, bytes)));
        Ok((blobs, bytes))
    }

    /// Ends when somebody lets the registry write: then the collection has to end, too.
    async fn watch(&self, service: &Service) -> Diagnostic {
        loop {
            if let Err(changed) = self.nobody_writes(service).await {
                return changed;
            }
            if let Err(stopped) = self.docker.nap(Duration::from_millis(500)).await {
                return failure(&self.doing(), &stopped);
            }
        }
    }

    /// Whether neither the service nor any task that is alive may write, and will not before this run says so.
    pub(super) async fn nobody_writes(&self, service: &Service) -> Result<()> {
        let what = || self.doing();
        let now = self.docker.inspect_service(&service.id).await.doing(what)?;
        let tasks = self.docker.tasks(&service.id).await.doing(what)?;
        let who = who_made_read_only(&now);
        if who.is_some_and(|who| who != self.id) {
            return Err(self.refused(
                "Another collection of the same registry has taken this one for cut off, and has begun in its place. This one was \
                 stopped; what images need was not touched.",
            ));
        }
        if who.is_some() && tasks.iter().filter(|task| is_alive(task)).all(is_read_only) {
            return Ok(());
        }
        Err(self.refused(
            "Somebody has changed the service meanwhile, and the registry would write again. The collection was stopped; what \
             images need was not touched. Run it again when nobody else changes the service.",
        ))
    }

    /// Lets redis forget which blobs there are.
    pub(super) async fn flush(
        &self,
        docker: &Docker,
        service: &Service,
        surroundings: &Surroundings,
        secret: Option<&Login>,
    ) -> Result<()> {
        if self.what.redis.is_none() {
            return Ok(());
        }
        self.progress.report("redis is flushed");
        self.job(docker, service, What::Flush, surroundings, secret).await?;
        self.made.stale.store(false, SeqCst);
        Ok(())
    }

    /// The same after a collection that failed, within a limit: some blobs may be gone.
    pub(super) async fn flush_again(
        &self,
        docker: &Docker,
        service: &Service,
        limit: Duration,
    ) -> Result<()> {
        let name = job::secret_name(service.name());
        let found = docker.find_blob(BlobKind::Secret, &name).await.found().doing(|| self.doing())?;
        let Some(secret) = found.filter(|secret| job::run_of(&secret.labels) == Some(&self.id)) else {
            return Err(self.refused("Its login to redis is gone, or another collection's by now."));
        };
        let (surroundings, login) = (self.surroundings(service), (secret.id, name));
        let flush = self.flush(docker, service, &surroundings, Some(&login));
        let late = |_| Err(self.refused(format!("Redis was not flushed within {} s.", limit.as_secs())));
        let flushed = tokio::time::timeout(limit, flush).await.unwrap_or_else(late);
        // As long as its job is there, the secret is in use.
        let removed = self.remove_job(docker, service).await;
        flushed.and(removed)
    }

    /// Runs a job to its end and removes it.
    async fn job(
        &self,
        docker: &Docker,
        service: &Service,
        task: What,
        surroundings: &Surroundings,
        secret: Option<&Login>,
    ) -> Result<Said> {
        let what = || self.doing();
        let node = self.node(docker, service).await?;
        // The image is that of now: a rollout may have pinned it.
        let spec = job::job(service, &node, &self.id, task, surroundings, secret);
        let auth = credentials(service.spec.image().unwrap_or_default(), docker).await?;
        let (mut said, mut teller) = (Said::default(), Teller::new(&self.progress));
        Self::set(&self.made.job);
        let ended = docker.run_job(&spec, auth.as_ref(), GRACE, |line| {
            let line = Line::of(line);
            teller.tell(&line);
            said.take(line);
        });
        let ended = Box::pin(ended).await.map_err(|failure| {
            if let JobFailure::Engine(Error::NameTaken { .. }) = failure {
                // It is another run's, and not to be removed.
                self.made.job.store(false, SeqCst);
                return self
                    .refused("Another collection of the same registry has begun meanwhile. Run it again.");
            }
            self.refused(format!("A job on the node of the registry did not do it: {failure}."))
        })?;
        if !said.done && said.refused.is_none() {
            // The stream may have ended early; what the job wrote is still there.
            let lines = docker.last_lines_of(&ended.job, LAST).await;
            said = Said::default();
            lines.iter().for_each(|line| said.take(Line::of(line)));
        }
        if let Some(refusal) = &said.refused {
            return Err(self.put(refusal, &said.others));
        }
        if ended.state != TaskState::Complete || !said.done {
            let mut why =
                format!("Its job ended as {} (status {}) {}", ended.state, ended.exit_code, ended.error);
            for line in said.others.iter().rev().take(10).rev() {
                why.push_str(&format!("\n    {line}"));
            }
            return Err(self.refused(why));
        }
        docker.remove_job(&ended.job, self.left()).await.doing(what)?;
        self.made.job.store(false, SeqCst);
        Ok(said)
    }

    /// A node on which a task of the registry runs: what is on its disk is what the registry has.
    async fn node(&self, docker: &Docker, service: &Service) -> Result<String> {
        let tasks = docker.tasks_up_to_date(&service.id).await.doing(|| self.doing())?;
        let running = tasks.into_iter().filter(|task| task.status.state == TaskState::Running);
        let first = running.min_by_key(|task| task.slot).map(|task| task.node_id);
        first.ok_or_else(|| {
            self.refused(
                "No task of it runs, so nobody knows on which node its images are. Let it have at least one replica.",
            )
        })
    }

    /// Why a job refused, and what to do.
    fn put(&self, refusal: &garbage_collection::Refusal, words: &[String]) -> Diagnostic {
        let (advice, path) = match refusal.about.as_str() {
            "storage" => ("Mount a volume or a folder there, as `storage` of `registry_service` does.", None),
            "proxy" => ("Let it delete by itself: it does when `storage.delete` is on.", None),
            "redis" => ("Set `redis` to the redis of its cache.", Some("redis")),
            "program" => ("Use an image with a shell and busybox, as the official ones have.", None),
            _ => ("", None),
        };
        let why = sentence(&refusal.why);
        let mut detail = format!("{why} {advice}").trim_end().to_owned();
        for line in words.iter().rev().take(10).rev() {
            detail.push_str(&format!("\n    {line}"));
        }
        let diagnostic = self.refused(detail);
        path.map_or(diagnostic.clone(), |path| diagnostic.at(path))
    }
}

/// Shows what a job says, but not more than a person can read.
struct Teller<'a> {
    progress: &'a Progress,
    last: Option<Instant>,
}

impl<'a> Teller<'a> {
    fn new(progress: &'a Progress) -> Self {
        Teller { progress, last: None }
    }

    fn tell(&mut self, line: &Line) {
        let is_one_of_many = matches!(line, Line::Repository(_) | Line::Deleting { .. });
        if is_one_of_many && self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        if let Some(told) = line.told() {
            self.progress.report(told);
            self.last = Some(Instant::now());
        }
    }
}

/// Whether a task may do something.
pub(super) fn is_alive(task: &Task) -> bool {
    task.status.state >= TaskState::Assigned && task.status.state.is_alive()
}

/// Whether a task was made of a specification that a run has made read-only.
pub(super) fn is_read_only(task: &Task) -> bool {
    let env = task.spec.container_spec.as_ref().and_then(|container| container.env.as_deref());
    garbage_collection::who_made_read_only(env.unwrap_or_default()).is_some()
}

fn counts(blobs: u64, bytes: Option<u64>) -> String {
    match bytes {
        Some(bytes) => format!("{blobs} blobs with {bytes} bytes"),
        None => format!("{blobs} blobs"),
    }
}
