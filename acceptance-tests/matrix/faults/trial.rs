//! One operation with one fault, and what is to be seen afterwards.

use super::{
    boundaries::Requests,
    fault::Fault,
    ground::{Ground, Images},
    inventory::Inventory,
    operation::{Operation, Stage},
    proxy::{Blow, Injection, Proxy},
    subjects::Subject,
    terraform::{Said, observe, run, shows_no_secret},
};
use crate::{terraform::Workspace, testbed::unique};
use std::{
    cell::{Cell as Slot, RefCell},
    collections::BTreeMap,
    fs,
};

/// A workspace with a proxy of its own, in which one operation on one type is tried again and again.
pub struct Trial<'a> {
    ground: Ground<'a>,
    subject: &'a Subject,
    operation: Operation,
    count: usize,
    prefix: String,
    workspace: Workspace,
    proxy: Proxy,
    images: Images,
    /// What is there now, according to the last apply.
    stage: Slot<Option<Stage>>,
    /// What the Engine has at each stage, as an undisturbed run left it.
    expected: RefCell<BTreeMap<Stage, Inventory>>,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Whether something went wrong at all.
    pub injected: bool,
    /// Whether an apply said what to do, and that had to be done.
    pub told: bool,
}

const PLAN: &[&str] = &["plan", "-detailed-exitcode", "-no-color", "-input=false", "-out=plan.bin"];
const APPLY: &[&str] = &["apply", "-auto-approve", "-no-color", "-input=false"];
const DESTROY: &[&str] = &["destroy", "-auto-approve", "-no-color", "-input=false"];

impl<'a> Trial<'a> {
    /// One with `count` resources.
    pub fn new(ground: Ground<'a>, subject: &'a Subject, operation: Operation, count: usize) -> Self {
        let mut workspace = ground.workspace();
        observe(&mut workspace);
        let proxy = ground.proxy(workspace.path());
        if let Ground::Swarm(..) = ground {
            workspace.set("DOCKER_HOST", &proxy.address);
        }
        Trial {
            ground,
            subject,
            operation,
            count,
            prefix: format!("{}-", unique("m")),
            workspace,
            proxy,
            images: Images::new(),
            stage: Slot::new(None),
            expected: RefCell::default(),
        }
    }

    /// Says what happens where something real is to.
    pub fn strikes(&self, blow: Blow) {
        self.proxy.strikes(blow);
    }

    /// Sets an environment variable of Terraform's.
    pub fn set(&mut self, name: &str, value: &str) {
        self.workspace.set(name, value);
    }

    /// Runs the operation undisturbed, and answers its requests.
    ///
    /// # Errors
    /// It is not as it should be even so.
    pub fn undisturbed(&self) -> Result<Requests, String> {
        if self.renews() {
            // A registry has the layers that all images share from the first run on, so that has more to do than any other.
            self.prepare()?;
            let before = self.inventory();
            self.after(&self.disturbed(None)?, None, &before)?;
        }
        self.prepare()?;
        let before = self.inventory();
        let said = self.disturbed(None)?;
        let requests = self.proxy.requests();
        self.after(&said, None, &before)?;
        Ok(requests)
    }

    /// Runs the operation with a fault, and lets it converge without.
    ///
    /// # Errors
    /// What is not as it should be.
    pub fn with(&self, injection: Injection) -> Result<Outcome, String> {
        self.prepare()?;
        let before = self.inventory();
        let said = self.disturbed(Some(injection))?;
        let injected = self.proxy.end();
        let told = self.after(&said, Some(injection), &before)?;
        Ok(Outcome { injected, told })
    }

    /// The request that has met the fault of the last run.
    pub fn met(&self) -> String {
        match self.proxy.met() {
            Some((method, path)) => format!("{method} {}", path.replace(&self.prefix, "NAME")),
            None => "nothing".to_owned(),
        }
    }

    fn terraform(&self, args: &[&str]) -> Result<Said, String> {
        run(&self.workspace, args, |process| self.proxy.terraform_is(process))
    }

    /// The same, which has to succeed.
    fn succeeds(&self, what: &str, args: &[&str]) -> Result<Said, String> {
        let said = self.terraform(args)?;
        if said.succeeded() { Ok(said) } else { Err(format!("{what} fails: {}", said.in_one_line())) }
    }

    fn inventory(&self) -> Inventory {
        self.ground.inventory(self.subject.kind, &self.prefix, &self.images)
    }

    /// Whether each run is to put an image into the registry that was never there.
    fn renews(&self) -> bool {
        matches!(self.operation, Operation::Create | Operation::Replace)
            && self.subject.kind == "swarm_registry_image"
    }

    fn write(&self, stage: Stage) {
        let attributes =
            (self.subject.hcl)(stage).replace("NAME", &format!("{}${{count.index}}", self.prefix));
        let attributes = self.ground.fill(&attributes, &self.proxy, &self.images);
        self.workspace.write(&format!(
            "variable \"mark\" {{\n  type = string\n  ephemeral = true\n}}\n\n\
             resource \"{}\" \"it\" {{\n  provider = swarm\n  count = {}\n  {attributes}\n}}\n",
            self.subject.kind, self.count
        ));
    }

    /// Brings about what the operation begins with.
    fn prepare(&self) -> Result<(), String> {
        let (there, operation) = (self.stage.get(), self.operation);
        let is_to_be_there = operation != Operation::Create;
        if there.is_none() && is_to_be_there {
            self.stock();
            self.write(Stage::Made);
            self.succeeds("making it", APPLY)?;
            self.now_is(Stage::Made)?;
        }
        // What makes nothing of its own works on what others have pushed.
        if operation == Operation::Create || operation == Operation::Update && self.subject.makes_nothing {
            self.stock();
        }
        if operation == Operation::Import {
            for index in 0..self.count {
                let address = format!("{}.it[{index}]", self.subject.kind);
                self.succeeds("forgetting it", &["state", "rm", &address])?;
            }
        }
        Ok(())
    }

    /// Others push what it is to work on.
    fn stock(&self) {
        let names = (0..self.count).map(|index| format!("{}{index}", self.prefix));
        self.ground.stock(self.subject.kind, names);
    }

    /// Runs the operation itself.
    fn disturbed(&self, injection: Option<Injection>) -> Result<Said, String> {
        let next = self.operation.leads_from(self.stage.get().unwrap_or(Stage::Made));
        if self.renews() {
            self.images.renew(next);
        }
        self.write(next);
        let state = self.workspace.path().join("terraform.tfstate");
        let before = fs::read(&state).ok();
        self.proxy.begin(injection);
        let said = match self.operation {
            Operation::Read => self.terraform(PLAN),
            Operation::Delete => self.terraform(DESTROY),
            Operation::Import => self.import(0),
            _ => self.terraform(APPLY),
        };
        let said = said?;
        // Terraform empties its file before it writes it anew. Who kills it in between has the state of before, from its backup
        // or from a backend that keeps more than one.
        let silenced = injection.is_some_and(|injection| injection.fault.silences());
        if silenced
            && fs::read(&state).is_ok_and(|now| serde_json::from_slice::<serde_json::Value>(&now).is_err())
        {
            match &before {
                Some(before) => fs::write(&state, before),
                None => fs::remove_file(&state),
            }
            .map_err(|error| error.to_string())?;
        }
        let plain = said.code().is_some_and(|code| code == 0 || code == 2) || !said.errors().is_empty();
        if !plain && !silenced {
            return Err(format!("it ends without a word ({:?}): {}", said.status, said.in_one_line()));
        }
        if injection.is_none() && !said.succeeded() {
            return Err(format!("it fails undisturbed: {}", said.in_one_line()));
        }
        Ok(said)
    }

    fn import(&self, index: usize) -> Result<Said, String> {
        let address = format!("{}.it[{index}]", self.subject.kind);
        let id = self.subject.import.replace("NAME", &format!("{}{index}", self.prefix));
        let id = self.ground.fill(&id, &self.proxy, &self.images);
        self.terraform(&["import", "-no-color", "-input=false", &address, &id])
    }

    /// What has to be so after the operation, whatever came of it. Answers whether an apply told what to do.
    fn after(&self, said: &Said, injection: Option<Injection>, before: &Inventory) -> Result<bool, String> {
        if self.operation.keeps() {
            self.makes_nothing(said)?;
        }
        if injection.is_some_and(|injection| injection.fault.is_harmless()) && !said.succeeded() {
            return Err(format!("it fails, although the answer only took longer: {}", said.in_one_line()));
        }
        let stage = self.operation.leads_from(self.stage.get().unwrap_or(Stage::Made));
        let mut told = false;
        match self.operation {
            Operation::Delete => {
                if !said.succeeded() {
                    self.succeeds("the next destroy", DESTROY)?;
                }
                self.is_destroyed(before)?;
            }
            Operation::Import => {
                self.is_imported()?;
                told = self.converges(said, injection)?;
            }
            _ => told = self.converges(said, injection)?,
        }
        if self.operation != Operation::Delete {
            self.now_is(stage)?;
        }
        self.is_turned_over(before)?;
        if self.operation.keeps() && self.inventory().ids() != before.ids() {
            return Err(format!("it is another one now: {:?} was {:?}", self.inventory(), before));
        }
        if self.operation == Operation::Create {
            let there = self.inventory();
            self.succeeds("destroying it", DESTROY)?;
            self.is_destroyed(&there)?;
        }
        if injection.is_some() {
            shows_no_secret("the Engine's words", &self.ground.everything())?;
        }
        Ok(told)
    }

    /// No plan may speak of making what is there.
    fn makes_nothing(&self, said: &Said) -> Result<(), String> {
        for words in ["will be created", "must be replaced", "has been deleted"] {
            if said.text.contains(words) {
                return Err(format!("the plan says that it {words}: {}", said.in_one_line()));
            }
        }
        if self.operation == Operation::Read && said.code() == Some(2) {
            return Err(format!("the plan is not empty: {}", said.in_one_line()));
        }
        Ok(())
    }

    /// New data are in a new secret, however much that looks like the old one.
    fn is_turned_over(&self, before: &Inventory) -> Result<(), String> {
        let replaced = self.operation == Operation::Replace;
        let is_changed_hub = self.operation == Operation::Update && self.subject.kind == "registry_service";
        if !replaced && !is_changed_hub {
            return Ok(());
        }
        self.inventory()
            .is_stale(before, replaced)
            .map_or(Ok(()), |what| Err(format!("the Engine has {what}")))
    }

    /// The next plan, if it is not empty one apply, and then an empty plan. After a success it is empty at once, but for what an
    /// import does not know.
    fn converges(&self, said: &Said, injection: Option<Injection>) -> Result<bool, String> {
        let plan = self.terraform(PLAN)?;
        if self.operation.keeps() {
            self.makes_nothing(&plan)?;
        }
        match plan.code() {
            Some(0) => return Ok(false),
            Some(2) if said.succeeded() && self.operation != Operation::Import => {
                return Err(format!("it says that it succeeded, and then plans: {}", plan.in_one_line()));
            }
            Some(2) => {}
            _ => return Err(format!("the next plan fails: {}", plan.in_one_line())),
        }
        let mut apply = self.terraform(APPLY)?;
        let is_struck = injection.is_some_and(|injection| matches!(injection.fault, Fault::Struck(_)));
        if is_struck && apply.errors().iter().any(|error| error.contains("rolled back")) {
            // The blow made the tasks fail, so the swarm undid the update while this apply waited for it, and that was said.
            apply = self.terraform(APPLY)?;
        }
        let told = !apply.succeeded();
        if told {
            self.do_as_told(&apply)?;
            self.succeeds("the apply after doing as told", APPLY)?;
        }
        let plan = self.terraform(PLAN)?;
        match plan.code() {
            Some(0) => Ok(told),
            _ => Err(format!("the plan after the next apply is not empty: {}", plan.in_one_line())),
        }
    }

    /// An apply that finds what an earlier one made without living to tell says how to import it.
    fn do_as_told(&self, apply: &Said) -> Result<(), String> {
        for error in apply.errors() {
            let word_after = |words: &str| {
                let rest = error.split(words).nth(1)?;
                rest.split_whitespace().next().map(|word| word.trim_end_matches(['.', ',']).to_owned())
            };
            let advice = word_after("terraform import ADDRESS ");
            let (Some(id), Some(address)) = (advice, word_after(" with ")) else {
                return Err(format!("the next apply fails and says nothing that helps: {error}"));
            };
            let import = ["import", "-no-color", "-input=false", &address, &id];
            self.succeeds("the import that was told", &import)?;
        }
        Ok(())
    }

    fn is_imported(&self) -> Result<(), String> {
        let there = self.succeeds("listing the state", &["state", "list"])?;
        for index in 0..self.count {
            if !there.text.contains(&format!("it[{index}]")) {
                let said = self.import(index)?;
                if !said.succeeded() {
                    return Err(format!("the next import fails: {}", said.in_one_line()));
                }
            }
        }
        Ok(())
    }

    /// The Engine has what it should have at a stage.
    fn now_is(&self, stage: Stage) -> Result<(), String> {
        self.stage.set(Some(stage));
        let spare = usize::from(self.subject.spare.contains(&self.operation));
        let there = self.inventory();
        let mut expected = self.expected.borrow_mut();
        let expected = expected.entry(stage).or_insert_with(|| there.clone());
        there.differs(expected, spare).map_or(Ok(()), |what| Err(format!("the Engine has {what}")))
    }

    /// Nothing is left of what it made; what it did not make is `there` as before.
    fn is_destroyed(&self, there: &Inventory) -> Result<(), String> {
        self.stage.set(None);
        let left = self.ground.inventory("", &self.prefix, &self.images);
        let is_as_expected = if self.subject.makes_nothing { left == *there } else { left.0.is_empty() };
        if is_as_expected { Ok(()) } else { Err(format!("destroying leaves {:?}", left.0)) }
    }
}

impl Drop for Trial<'_> {
    /// Whatever is left of it goes, and its workspace forgets it: a swarm would end with its resource.
    fn drop(&mut self) {
        self.proxy.end();
        if self.subject.kind != "swarm_cluster" {
            self.workspace.try_run(DESTROY);
        }
        for file in ["terraform.tfstate", "terraform.tfstate.backup"] {
            fs::remove_file(self.workspace.path().join(file)).unwrap_or_default();
        }
        self.ground.sweep(&self.prefix);
    }
}
