//! What is left of a sample without its attribute: what stands beside it stays wherever it can, so that clearing shows the
//! attribute and nothing else.

use serde_json::{Map, Value as Json};

/// The arguments that are left, and what went.
#[derive(Debug, PartialEq)]
pub struct Without {
    /// What is left of the arguments; as JSON it is HCL, too.
    pub arguments: Map<String, Json>,
    /// Whether the argument went as a whole, and with it what it has by default.
    pub whole: bool,
}

impl Without {
    /// Takes the attribute out of arguments. `needed` says of each step of its path whether the object before it cannot be
    /// without it.
    pub fn of(arguments: Json, path: &str, needed: &[bool]) -> Self {
        let steps: Vec<&str> = path.split('.').collect();
        let mut left = arguments;
        let whole = !take(&mut left, &steps, needed);
        let left = left.as_object_mut().unwrap();
        if whole {
            left.remove(steps[0]);
        }
        Without { arguments: left.clone(), whole }
    }

    /// The arguments as lines of a resource.
    pub fn lines(&self) -> String {
        self.arguments.iter().map(|(name, value)| format!("  {name} = {value}\n")).collect()
    }
}

/// Takes it out of what something else is left of; what it is alone in goes with it, and what cannot be without it, too.
fn take(value: &mut Json, path: &[&str], needed: &[bool]) -> bool {
    match value {
        Json::Array(items) => items.iter_mut().all(|item| take(item, path, needed)),
        Json::Object(members) => match members.get_mut(path[0]) {
            Some(member) => {
                if path.len() > 1 && take(member, &path[1..], &needed[1..]) {
                    return true;
                }
                let can_go = !needed[0] && members.len() > 1;
                if can_go {
                    members.remove(path[0]);
                }
                can_go
            }
            // The keys of a map are no steps.
            None => !members.is_empty() && members.values_mut().all(|member| take(member, path, needed)),
        },
        _ => false,
    }
}

/// Arguments in HCL, with `VALUE` in the place of the value, as JSON.
pub fn parsed(hcl: &str) -> Json {
    let text = hcl.replace("VALUE", "null");
    let words: Vec<&str> = text.split(' ').collect();
    let json = words.iter().enumerate().map(|(at, word)| match *word {
        "=" => ":".to_owned(),
        word if words.get(at + 1) == Some(&"=") => format!("\"{word}\""),
        word => word.to_owned(),
    });
    serde_json::from_str(&format!("{{{}}}", json.collect::<Vec<_>>().join(" "))).unwrap()
}

#[test]
fn what_stands_beside_stays_where_it_can() {
    let of = |hcl: &str, path: &str, needed: &[bool]| Without::of(parsed(hcl), path, needed);
    let left = |json: Json, whole: bool| Without { arguments: json.as_object().unwrap().clone(), whole };
    let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    let secrets = r#"secrets = [{ source = "a", mode = VALUE }]"#;
    assert_eq!(
        of(secrets, "secrets.mode", &[false, false]),
        left(json(r#"{ "secrets": [{ "source": "a" }] }"#), false)
    );
    // A required one takes along what it is required by, and all of an object what the object is required by.
    assert_eq!(of(secrets, "secrets.source", &[false, true]), left(json("{}"), true));
    let ulimits = "ulimits = { nofile = { soft = VALUE, hard = 9 } }";
    assert_eq!(of(ulimits, "ulimits.soft", &[false, true]), left(json("{}"), true));
    // What it is alone in goes.
    assert_eq!(of("dns = { search = VALUE }", "dns.search", &[false, false]), left(json("{}"), true));
    let mounts = r#"mounts = [{ target = "/a", volume = { no_copy = VALUE } }]"#;
    assert_eq!(
        of(mounts, "mounts.volume.no_copy", &[false, false, false]),
        left(json(r#"{ "mounts": [{ "target": "/a" }] }"#), false)
    );
    assert_eq!(of("a = 1, b = VALUE", "b", &[false]), left(json(r#"{ "a": 1 }"#), false));
}
