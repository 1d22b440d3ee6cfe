//! A case: a resource of which one attribute is tried, or several at once.

/// What is tried with one resource.
#[derive(Clone, Debug)]
pub struct Case {
    /// The type of the resource.
    pub r#type: &'static str,
    /// The attributes, by their paths in the schema.
    pub paths: Vec<String>,
    /// The arguments of the resource with their first values, their second ones, and without any; `None` where it cannot be
    /// without them.
    pub arguments: [Option<String>; 3],
    /// Other blocks that it needs.
    pub beside: String,
    /// What the plan of the second values is.
    pub change: Expected,
    /// What the plan without any is.
    pub clear: Expected,
    /// What the plan is when somebody else has put the first values back.
    pub behind: Expected,
    /// Whether what stands beside the attribute in its argument has to go with it.
    pub whole: bool,
    /// What else may differ in these plans, since it follows from the attributes.
    pub follows: Vec<&'static str>,
    /// Why a plan of other values is looked at and never applied.
    pub only_planned: Option<&'static str>,
}

/// What a plan has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// An update which shows the attributes and nothing else.
    Update,
    /// Another object in the place of the old one, because of the attributes and nothing else.
    Replace,
    /// Nothing, and why that is right.
    Nothing(&'static str),
    /// Nobody can change it in what is there, so it is read anew: an import of the object finds it as it is.
    Imported,
    /// It cannot be tried, and why.
    Blank(&'static str),
}

/// The stage of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    First,
    Second,
    Cleared,
}

pub const STAYS: &str = "what is not set is left as it is";
pub const REQUIRED: &str = "it must be set";
pub const ONE_OF_SEVERAL: &str = "one of several must be set, and here it is the one";
pub const FIXED: &str = "nobody can change it in what is there";
pub const TERRAFORM_S: &str = "it is Terraform's alone";
pub const OPAQUE: &str = "the Engine gives it to nobody";

impl Case {
    /// A case of one attribute, whose change and removal are updates which others could make too.
    pub fn new(r#type: &'static str, path: &str, first: &str, second: &str, without: Option<&str>) -> Self {
        Case {
            r#type,
            paths: vec![path.to_owned()],
            arguments: [Some(first.to_owned()), Some(second.to_owned()), without.map(str::to_owned)],
            beside: String::new(),
            change: Expected::Update,
            clear: if without.is_some() { Expected::Update } else { Expected::Blank(REQUIRED) },
            behind: Expected::Update,
            whole: false,
            follows: vec![],
            only_planned: None,
        }
    }

    /// The same, whose changes make another object.
    pub fn replaces(mut self) -> Self {
        self.change = Expected::Replace;
        self.behind = Expected::Imported;
        if self.clear == Expected::Update {
            self.clear = Expected::Replace;
        }
        self
    }

    /// The same the other way round, where the second value is what is meant without one: only what is not the default can
    /// show that it is cleared.
    pub fn back_to_default(mut self) -> Self {
        self.arguments.swap(0, 1);
        self
    }

    /// The same, whose whole argument goes where it is cleared.
    pub fn whole(self, whole: bool) -> Self {
        Case { whole, ..self }
    }

    /// The same, which plans that without it; what cannot be without it keeps it.
    pub fn cleared(mut self, clear: Expected) -> Self {
        if matches!(clear, Expected::Blank(_)) {
            self.arguments[2] = None;
        }
        self.clear = clear;
        self
    }

    /// The same, which plans that after others.
    pub fn behind(self, behind: Expected) -> Self {
        Case { behind, ..self }
    }

    /// The same, from which something more follows.
    pub fn follows(mut self, follows: &[&'static str]) -> Self {
        self.follows.extend(follows);
        self
    }

    /// The same, whose other values are planned only.
    pub fn only_planned(self, why: &'static str) -> Self {
        Case { only_planned: Some(why), ..self }
    }

    /// The stage at which it is after an apply of another.
    pub fn after(&self, stage: Stage) -> Stage {
        if self.only_planned.is_some() { Stage::First } else { stage }
    }

    /// The same with other blocks.
    pub fn beside(self, beside: String) -> Self {
        Case { beside, ..self }
    }

    /// The address in Terraform.
    pub fn address(&self) -> String {
        format!("{}.{}", self.r#type, self.label())
    }

    fn label(&self) -> String {
        self.paths[0].replace('.', "__")
    }

    /// The resource at a stage. What cannot be without the attributes keeps them.
    pub fn hcl(&self, stage: Stage) -> String {
        let [first, second, without] = &self.arguments;
        let arguments = match stage {
            Stage::First => first.as_ref(),
            Stage::Second => second.as_ref(),
            Stage::Cleared => without.as_ref().or(second.as_ref()),
        };
        let arguments = arguments.map_or("", String::as_str);
        format!(
            "resource \"{}\" \"{}\" {{\n  provider = swarm\n{arguments}\n}}\n{}\n",
            self.r#type,
            self.label(),
            self.beside
        )
    }

    /// Whether a path that differs is that of an attribute. What is in a list differs under its number, and what is in a map under
    /// its key, neither of which the schema has; a list of which the length differs does so as a whole.
    pub fn is_own(&self, differing: &str) -> bool {
        let is_part = |path: &String| {
            let mut left = path.split('.').peekable();
            let mut steps = differing.split('.');
            if steps.next() != left.next() {
                return false;
            }
            for step in steps {
                match left.peek() {
                    None => return true,
                    Some(own) if *own == step => drop(left.next()),
                    Some(_) => {}
                }
            }
            left.peek().is_none() || path.strip_prefix(differing).is_some_and(|rest| rest.starts_with('.'))
        };
        self.paths.iter().any(is_part)
    }

    /// Whether it is in the same argument as an attribute, and goes with it.
    pub fn is_beside(&self, differing: &str) -> bool {
        self.whole && self.paths.iter().any(|path| path.split('.').next() == differing.split('.').next())
    }

    /// Whether it follows from the attributes.
    pub fn is_consequence(&self, differing: &str) -> bool {
        self.follows.iter().any(|path| {
            differing.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

#[test]
fn what_differs_is_known_by_its_path() {
    let case = |path: &str| Case::new("swarm_service", path, "", "", None);
    for (path, differing) in [
        ("labels", "labels.a"),
        ("ulimits.soft", "ulimits.nofile.soft"),
        ("secrets.source", "secrets"),
        ("secrets.source", "secrets.0.source"),
        ("log.mail_hooks.smtp.address", "log.mail_hooks.0.smtp.address"),
        ("dns.search", "dns.search"),
    ] {
        assert!(case(path).is_own(differing), "{path} {differing}");
    }
    for (path, differing) in [
        ("labels", "container_labels"),
        ("secrets.source", "secrets.0.mode"),
        ("ulimits.soft", "ulimits.nofile.hard"),
        ("dns.search", "dns.options"),
        ("a.b", "b"),
    ] {
        assert!(!case(path).is_own(differing), "{path} {differing}");
    }
}
