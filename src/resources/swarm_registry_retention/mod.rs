//! `swarm_registry_retention`: tags of a registry that have had their time.

#[cfg(test)]
mod tests;

use super::{RegistryAccess, failure::within, refusal};
use crate::{
    docker::Docker,
    registry::{
        client::Client,
        retention::{Pattern, Rule, Survey},
    },
    terraform::{
        Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, Plan, Resource, Result, Timeouts,
    },
};
use regex_lite::Regex;
use std::{collections::BTreeSet, time::SystemTime};

/// How many tags a warning names.
const TOLD: usize = 20;
/// How long creating and changing may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(60);

/// Deletes the tags of a registry that a rule does not keep any more.
///
/// At each plan the registry is asked which tags have had their time: they are `expired`, a plan shows each of them go,
/// and its apply deletes those and no others, nor one that has been moved to another image meanwhile. So a plan is the
/// dry run, and a registry in which no tag is due plans empty. With `dry_run = true` nothing is ever deleted. What is deleted is
/// looked at anew right before; what somebody tags in the moment between that and the deletion itself is lost, since a
/// registry deletes on no condition.
///
/// A tag stays if one of the conditions keeps it: its name matches `keep_matching`, it is among the `keep_last` newest of
/// the others, or it is not `older_than` that. How old an image is, its own configuration says, since registries do not
/// tell when something was pushed; an image that does not say when it was built is kept.
///
/// With a tag go the manifests to which no other tag leads, the images of an index among them: an image that somebody needs
/// by its digest alone is protected by a tag and nothing else. Their layers stay on the disk until
/// `swarm_registry_garbage_collection` collects them. The registry must allow deleting (`storage = { delete = true }`).
///
/// When the rule is made or changed, or is to hold for another registry, no plan has asked by it yet: then the plan warns of
/// what would go now. Ctrl-C ends the deletion between two tags, and the next plan shows those that are left.
#[derive(Debug, Model)]
pub struct SwarmRegistryRetention {
    /// The registry.
    registry: RegistryAccess,

    /// Names of repositories, in which `*` stands for anything but a slash and `**` for anything, such as `team/*`.
    #[tf(check = patterns)]
    repositories: BTreeSet<String>,

    /// Regular expressions for tags that are kept for ever, such as `^v[0-9]`. They may match any part of the tag.
    #[tf(default = BTreeSet::new(), check = expressions)]
    keep_matching: BTreeSet<String>,

    /// How many of the newest of the other tags of each repository are kept. At least one of `keep_last` and `older_than`
    /// is set.
    #[tf(check = count)]
    keep_last: Option<i64>,

    /// How old an image must be to be deleted, such as `"720h"`.
    older_than: Option<Duration>,

    /// Whether nothing is deleted, and `expired` only says what would be.
    #[tf(default = false)]
    dry_run: bool,

    /// How long an apply may take: an hour, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// Host of the registry.
    id: Computed<String>,

    /// The tags that the rule does not keep any more, such as `team/app:1.0`, those of each repository from the oldest to
    /// the newest.
    expired: Computed<Vec<String>>,
}

/// The attributes that make the rule: what goes, and where.
const RULE: [&str; 7] = [
    "registry.url",
    "registry.connect_to",
    "repositories",
    "keep_matching",
    "keep_last",
    "older_than",
    "dry_run",
];
/// What else may change, and be the reason that an apply asks anew.
const OTHERS: [&str; 2] = ["registry", "timeouts"];

impl Resource for SwarmRegistryRetention {
    const TYPE: &'static str = "swarm_registry_retention";
    // A rule is kept by nobody but Terraform: there is nothing to find it by.
    const IDENTITY: &'static [&'static str] = &[];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        if ["keep_last", "older_than"].iter().any(|name| config.is_set(name)) {
            return vec![];
        }
        let detail = "Without `keep_last` and `older_than` every tag is kept. Set at least one of them.";
        vec![Diagnostic::error("A rule that deletes nothing", detail)]
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        match plan.known::<String>("registry.url") {
            Some(url) => plan.set("id", RegistryAccess::to(&url).host().to_owned()),
            None => plan.set_unknown("id"),
        }
        match plan.known::<bool>("dry_run") {
            Some(false) => plan.set("expired", Vec::<String>::new()),
            _ if RULE.iter().chain(&OTHERS).any(|name| plan.changes(name)) => plan.set_unknown("expired"),
            _ => {}
        }
        Ok(())
    }

    async fn check(plan: &Plan, docker: &Docker) -> Diagnostics {
        if !RULE.iter().any(|name| plan.changes(name)) || plan.known::<bool>("dry_run") == Some(true) {
            return vec![];
        }
        let mut object = plan.planned().0.clone();
        // What apply will know does not matter to the rule.
        object.put("id", String::new());
        object.put("expired", Vec::<String>::new());
        let Ok(planned) = <Self as Model>::decode(object) else {
            return vec![unasked("It is not known yet where the registry is, or what the rule is.")];
        };
        match planned.due(docker).await {
            Ok((_, due)) => warning(&names(&due)).into_iter().collect(),
            // It may be made in the same apply.
            Err(error) => vec![unasked(&error.detail)],
        }
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
        self.id = self.registry.host().to_owned().into();
        self.carry_out(&limit, &context.client, None).await
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let (_, due) = self.due(&context.client).await?;
        self.expired = names(&due).into();
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::update_or(self.timeouts.as_ref(), LIMIT);
        self.id = self.registry.host().to_owned().into();
        let shown: Option<BTreeSet<String>> = if self.is_same_rule(prior) {
            Some(prior.expired.get()?.iter().cloned().collect())
        } else {
            None
        };
        self.carry_out(&limit, &context.client, shown.as_ref()).await
    }

    async fn delete(self, _: &mut Context<Docker>) -> Result<()> {
        // The rule was nowhere but here.
        Ok(())
    }

    async fn import(_: &str, _: &mut Context<Docker>) -> Result<Option<Self>> {
        Err(Diagnostic::error(
            "A retention cannot be imported",
            "The rule is nowhere but in Terraform. Create it: a plan warns of what would go.",
        ))
    }

    async fn list(_: &mut Context<Docker>) -> Result<Vec<Self>> {
        Ok(vec![])
    }
}

/// A repository, and the tags in it that have had their time.
type Due = Vec<(Survey, Vec<String>)>;

impl SwarmRegistryRetention {
    /// What the rule does not keep now. It may be broken off anywhere, since it only reads.
    async fn due(&self, docker: &Docker) -> Result<(Client, Due)> {
        let ask = async {
            let client = self.registry.open(docker).await.map_err(|error| error.under("registry"))?;
            let (rule, now) = (self.rule()?, SystemTime::now());
            let failed = |what: String| move |error| refusal(&what, &error).at("registry");
            let all = client.repositories().await.map_err(failed("list the repositories".to_owned()))?;
            let mut due = vec![];
            for name in all.iter().filter(|name| self.concerns(name)) {
                let survey = Survey::of(&client, name).await;
                let survey = survey.map_err(failed(format!("look at the tags of `{name}`")))?;
                let expired = survey.expired(&rule, now);
                if !expired.is_empty() {
                    due.push((survey, expired));
                }
            }
            Ok((client, due))
        };
        tokio::select! {
            due = ask => due,
            () = docker.stopping().cancelled_owned() => Err(stopped("The registry was not asked to the end, and nothing was deleted.")),
        }
    }

    /// Deletes what is due, but for what was not `shown`, or says only what it is.
    async fn carry_out(
        &mut self,
        limit: &Duration,
        docker: &Docker,
        shown: Option<&BTreeSet<String>>,
    ) -> Result<()> {
        let what = || format!("delete tags of {}", self.registry.host());
        let work = async {
            let (client, due) = self.due(docker).await?;
            if self.dry_run {
                return Ok(names(&due));
            }
            let go_on = || !docker.stopping().is_cancelled();
            for (survey, expired) in &due {
                let is_shown = |tag: &&String| shown.is_none_or(|shown| shown.contains(&full(survey, tag)));
                let tags: BTreeSet<String> = expired.iter().filter(is_shown).cloned().collect();
                let deleted = survey.delete(&client, &tags, docker.number(), &go_on).await;
                let is_done = deleted.map_err(|error| {
                    refusal(&format!("delete tags of `{}`", survey.name()), &error).at("registry")
                })?;
                if !is_done {
                    return Err(stopped(
                        "The deletion was broken off. The next plan shows the tags that are left.",
                    ));
                }
            }
            Ok(vec![])
        };
        self.expired = within(limit, what, work).await?.into();
        Ok(())
    }

    fn rule(&self) -> Result<Rule> {
        let expression = |text: &String| {
            Regex::new(text).map_err(|error| {
                Diagnostic::error("No regular expression", format!("{error}.")).at("keep_matching")
            })
        };
        Ok(Rule {
            keep_matching: self.keep_matching.iter().map(expression).collect::<Result<_>>()?,
            keep_last: self.keep_last.and_then(|count| usize::try_from(count).ok()),
            older_than: self.older_than.as_ref().map(Duration::to_std),
        })
    }

    fn concerns(&self, repository: &str) -> bool {
        let patterns = self.repositories.iter().filter_map(|pattern| Pattern::parse(pattern).ok());
        patterns.into_iter().any(|pattern| pattern.matches(repository))
    }

    /// Whether what was shown by the other one is what this one does not keep.
    fn is_same_rule(&self, other: &Self) -> bool {
        let place = |it: &Self| (it.registry.url.clone(), it.registry.connect_to.clone());
        place(self) == place(other)
            && self.repositories == other.repositories
            && self.keep_matching == other.keep_matching
            && self.keep_last == other.keep_last
            && self.older_than == other.older_than
    }
}

/// What Terraform is told when it has asked to stop.
fn stopped(what: &str) -> Diagnostic {
    Diagnostic::error("Stopped", what)
}

/// What a plan says that could not ask the registry.
fn unasked(why: &str) -> Diagnostic {
    let detail = format!(
        "The registry could not be asked, so what goes is not known: the apply deletes what this rule does not keep. {why}"
    );
    Diagnostic::warning("Tags may be deleted", detail).at("registry")
}

fn full(survey: &Survey, tag: &str) -> String {
    format!("{}:{tag}", survey.name())
}

fn names(due: &Due) -> Vec<String> {
    due.iter().flat_map(|(survey, tags)| tags.iter().map(|tag| full(survey, tag))).collect()
}

/// What a plan says whose rule nobody has asked by yet.
fn warning(due: &[String]) -> Option<Diagnostic> {
    if due.is_empty() {
        return None;
    }
    let more = due.len().saturating_sub(TOLD);
    let told = due.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let detail = format!("By this rule go now: {told}{more}. With `dry_run = true` they are only listed.");
    Some(Diagnostic::warning(format!("{} tags will be deleted", due.len()), detail))
}

fn patterns(patterns: &BTreeSet<String>) -> std::result::Result<(), String> {
    patterns.iter().try_for_each(|pattern| Pattern::parse(pattern).map(drop))
}

fn expressions(expressions: &BTreeSet<String>) -> std::result::Result<(), String> {
    let check = |text: &String| {
        Regex::new(text).map(drop).map_err(|error| format!("`{text}` is no regular expression: {error}"))
    };
    expressions.iter().try_for_each(check)
}

fn count(count: &i64) -> std::result::Result<(), String> {
    if *count >= 0 { Ok(()) } else { Err("a number of tags is not negative".to_owned()) }
}
