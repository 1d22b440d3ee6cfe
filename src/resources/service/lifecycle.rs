//! What becomes of a service: checked, made, changed, waited for, removed. Every service resource goes this way.

use super::{
    Known, Wanted, generations, generations::References, known::missing_references, live::Wish,
    remember_names, too_old::too_old,
};
use crate::docker::{self, Change, Docker, Found, Service, ServiceSpec, Wait};
use crate::resources::{
    failure::{Doing, failure, ready},
    registry_service::is_registry,
    swarm_registry_garbage_collection::end_left,
};
use crate::terraform::{
    Attribute, Context, Diagnostic, Diagnostics, Duration, Model, Object, Plan, Private, Result,
};

/// What the private state says while a rollout is under way: an update that was cut off is to be carried on.
const UNSETTLED: &str = "unsettled";

/// Whether an update of the service was cut off.
pub fn is_unsettled(private: &Private) -> bool {
    private.get::<bool>(UNSETTLED) == Some(true)
}

/// What the Engine and the live swarm say of a plan. What a label or a node that comes in the same apply may heal is no
/// error yet.
pub async fn check(attributes: &[(&'static str, Attribute)], plan: &Plan, docker: &Docker) -> Diagnostics {
    let mut found = too_old(attributes, &plan.planned().0, docker).await;
    if let Some(wish) = Wish::planned(plan) {
        found.extend(as_it_is_now(&wish, docker).await);
    }
    found.extend(missing_references(plan, docker).await.into_iter().map(for_now));
    found
}

/// An error of now as a warning, since the apply may put it right.
pub fn for_now(mut error: Diagnostic) -> Diagnostic {
    error.detail.push_str(" This is how it is now: if this apply changes it first, all is well.");
    error.as_warning()
}

/// What the live swarm says of a wish, as warnings.
async fn as_it_is_now(wish: &Wish, docker: &Docker) -> Diagnostics {
    let mut found = vec![];
    match (docker.nodes().await, docker.services().await) {
        (Ok(nodes), Ok(services)) => {
            found.extend(wish.against(&nodes, &services).into_iter().map(for_now));
        }
        // The swarm itself may be made in the same apply.
        (Err(error), _) if error.is_no_swarm() => {}
        (Err(error), _) | (_, Err(error)) => {
            found.push(failure("check the plan against the swarm", &error).as_warning());
        }
    }
    found
}

impl Wanted {
    /// What the live swarm says of it at the time of a plan, as warnings.
    pub async fn check(&self, docker: &Docker) -> Diagnostics {
        as_it_is_now(&Wish::of(self), docker).await
    }

    /// Refuses what the Engine cannot do, before anything is changed; and what the swarm cannot do now, if the apply
    /// `waits` for it.
    ///
    /// # Errors
    /// The first that was found.
    pub async fn refuse(&self, waits: bool, docker: &Docker) -> Result<()> {
        ready(docker, || format!("write service `{}`", self.name)).await?;
        let object: Object = self.parts.clone().encode();
        let mut found = too_old(&super::Parts::attributes(), &object, docker).await;
        if waits {
            let nodes = docker.nodes_now().await.doing(|| "list the nodes".to_owned())?;
            let services = docker.services().await.doing(|| "list the services".to_owned())?;
            found.extend(Wish::of(self).against(&nodes, &services));
        }
        found.into_iter().find(Diagnostic::is_error).map_or(Ok(()), Err)
    }

    /// Creates the service, and answers its ID.
    ///
    /// # Errors
    /// It was not created.
    pub async fn create(&self, docker: &Docker) -> Result<String> {
        let known = Known::to_write(&self.parts, docker).await?;
        let auth = self.credentials(docker).await?;
        let mut spec = ServiceSpec::default();
        self.write(&mut spec, None, &known)?;
        docker.create_service(&spec, auth.as_ref()).await.map_err(|error| self.not_created(&error))
    }

    fn not_created(&self, error: &docker::Error) -> Diagnostic {
        let mut diagnostic = failure(&format!("create service `{}`", self.name), error);
        if matches!(error, docker::Error::NameTaken { .. }) {
            diagnostic.detail.push_str(&format!(
                " To manage that one here, import it: terraform import ADDRESS {}.",
                self.name
            ));
            return diagnostic.at("name");
        }
        diagnostic
    }

    /// Changes the service, and answers whether the swarm brings that about from now on: not if it had been done before.
    /// Until it has [settled](Wanted::settled), the swarm may be between two states, which the private state says.
    ///
    /// An update of the very same that is under way is waited for as if it were this one, whoever began it: if the swarm rolls
    /// it back, that is told, and the next apply goes on.
    ///
    /// # Errors
    /// It was not changed.
    pub async fn update(&self, id: &str, prior: &Self, context: &mut Context<Docker>) -> Result<bool> {
        let docker = &context.client;
        let known = Known::to_write(&self.parts, docker).await?;
        let auth = self.credentials(docker).await?;
        if is_registry(&self.image) {
            end_left(id, &self.name, docker).await?;
        }
        let resend = self.has_new_credentials(prior) && auth.is_some();
        context.private.set(UNSETTLED, true);
        let (mut refused, mut before, mut now) = (None, References::default(), References::default());
        let edit = |spec: &mut ServiceSpec| {
            before.add(References::of(spec));
            refused = self.write(spec, Some(prior), &known).err();
            now = References::of(spec);
            Ok(match &refused {
                Some(_) => Change::None,
                None if resend => Change::Always,
                None => Change::OrGoesOn,
            })
        };
        let updated = docker.update_service(id, auth.as_ref(), edit).await;
        if let Some(refused) = refused {
            return Err(refused);
        }
        // Of a write that failed it is not known whether it was done.
        generations::remember(&before, &now, &mut context.private);
        updated.doing(|| format!("update service `{}`", self.name))
    }

    /// Waits until all of the service's tasks run, or have completed where they are to. `written` says whether the swarm
    /// brings about what was written, as [`Wanted::update`] answers.
    ///
    /// # Errors
    /// They cannot, or not in time; the words are those of the tasks.
    pub async fn settle(&self, id: &str, written: bool, limit: &Duration, docker: &Docker) -> Result<()> {
        let wait = Wait { written, ..Wait::at_most(limit.to_std()) };
        let Err(failure) = docker.converge(id, wait).await else { return Ok(()) };
        let mut detail = failure.to_string();
        let ended = failure.problems.iter().any(|problem| problem.state == docker::TaskState::Complete);
        if ended && self.parts.healthcheck.is_some() {
            detail.push_str(
                "\nThe Engine also stops a task whose health check fails, and some programs end without an error then: try \
                 the command of `healthcheck` in its container.",
            );
        }
        Err(Diagnostic::error(format!("Service `{}` does not run as it should", self.name), detail))
    }

    /// Says that an update is done, and removes the generations of secrets and configs that it let go.
    pub async fn settled(&self, context: &mut Context<Docker>) {
        context.private.remove(UNSETTLED);
        generations::remove_left(&mut context.private, &context.client).await;
    }
}

/// The service as it is now, with the names of what it refers to; none where it is gone.
///
/// # Errors
/// It could not be read.
pub async fn read(id: &str, name: &str, context: &mut Context<Docker>) -> Result<Option<(Service, Known)>> {
    let what = || format!("read service `{name}`");
    ready(&context.client, what).await?;
    let Some(service) = context.client.service(id).await.found().doing(what)? else { return Ok(None) };
    let known = Known::to_read(&service.spec, &context.client).await?;
    remember_names(&service.spec, &known, &mut context.private);
    Ok(Some((service, known)))
}

/// The service of that ID or name, as of now.
///
/// # Errors
/// It could not be looked up.
pub async fn find(id: &str, context: &mut Context<Docker>) -> Result<Option<(Service, Known)>> {
    let found = context.client.find_service(id).await.found().doing(|| format!("find service `{id}`"))?;
    let Some(service) = found else { return Ok(None) };
    let known = Known::to_read(&service.spec, &context.client).await?;
    remember_names(&service.spec, &known, &mut context.private);
    Ok(Some((service, known)))
}

/// Removes a service, and waits until none of its tasks is left: then its networks and volumes are free.
///
/// # Errors
/// It is still there, or some of its tasks are.
pub async fn remove(id: &str, name: &str, limit: &Duration, docker: &Docker) -> Result<()> {
    let what = || format!("remove service `{name}`");
    docker.end_job(id, limit.to_std()).await.found().doing(what)?;
    docker.remove_service(id).await.found().doing(what)?;
    docker.wait_service_gone(id, name, limit.to_std()).await.doing(what)
}
