//! Garbage collection that cannot do harm: how a registry is made read-only, what runs beside it, what that says.
//!
//! Distribution's `garbage-collect` takes whatever no manifest refers to, and so what is just being pushed, too. So it
//! may only run while no registry writes to the same storage, which is proven before.

mod report;

pub use report::{Line, Refusal};

use super::Secret;

/// What makes a registry read-only, whatever its configuration file says. Distribution reads the values of its environment
/// as YAML, and overwrites what a file has at this place in 2.8, 3.0 and 3.1.
///
/// `REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED` would be ignored without a word where a file has such a block.
const VARIABLE: &str = "REGISTRY_STORAGE_MAINTENANCE_READONLY";
/// Ends in a comment of YAML. It tells who has made the registry read-only, people in a plan and us after a run that was cut
/// off; what follows it tells runs apart.
const VALUE: &str = "{enabled: true} # swarm_registry_garbage_collection ";
/// Follows where the variable had been set before, and leads to what it was.
const INSTEAD_OF: &str = ", instead of ";

/// What is done in a container that is like those of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// See whether a collection is possible and would do no harm. Writes nothing.
    Check,
    /// See what would be collected. Writes nothing.
    DryRun,
    /// Collect.
    Collect,
    /// Let redis forget which blobs there are.
    Flush,
}

/// What the container needs to know of the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The words that start it: entry point and arguments, as far as they are the service's own.
    pub words: Vec<String>,
    /// Folders that are mounted and outlive the container.
    pub mounted: Vec<String>,
    /// `host:port` of redis, where that is to forget which blobs there are.
    pub redis: Option<String>,
    /// Whether manifests without a tag are collected, too.
    pub delete_untagged: bool,
}

/// The secret with which the container logs in to redis, beneath `/run/secrets`.
pub const REDIS_SECRET: &str = "garbage-collection-redis";

/// The command that does a task in such a container.
pub fn command(task: Task, surroundings: &Surroundings) -> Vec<String> {
    let task = match task {
        Task::Check => "check",
        Task::DryRun => "dry-run",
        Task::Collect => "collect",
        Task::Flush => "flush",
    };
    let Surroundings { words, mounted, redis, delete_untagged } = surroundings;
    let is_program = |word: &&String| word.rsplit('/').next().is_some_and(|name| name.contains("registry"));
    let program = words.first().filter(is_program).map_or("registry", String::as_str);
    let is_file = |word: &&String| word.ends_with(".yml") || word.ends_with(".yaml");
    // `serve FILE`, whatever the file is called.
    let after_serve = words.iter().skip_while(|word| *word != "serve").nth(1);
    let file = after_serve.or_else(|| words.iter().find(is_file)).map_or("", String::as_str);
    let mounted = mounted.join("\n");
    let fixed = ["/bin/sh", "-c", include_str!("collect.sh"), "collect", task, program, file, &mounted];
    let mut command: Vec<String> = fixed.map(str::to_owned).to_vec();
    command.push(redis.clone().unwrap_or_default());
    command.extend(delete_untagged.then(|| "--delete-untagged".to_owned()));
    command
}

/// Makes a registry read-only by its environment, in the name of a run. One that another has made so stays that one's.
pub fn make_read_only(env: &mut Vec<String>, run: &str) {
    if who_made_read_only(env).is_some() {
        return;
    }
    match env.iter_mut().find(|entry| value(entry).is_some()) {
        Some(entry) => {
            let before = value(entry).unwrap_or_default().escape_default().to_string();
            *entry = format!("{VARIABLE}={VALUE}{run}{INSTEAD_OF}{before}");
        }
        None => env.push(format!("{VARIABLE}={VALUE}{run}")),
    }
}

/// The run that has made a registry read-only, if one has.
pub fn who_made_read_only(env: &[String]) -> Option<&str> {
    let rest = env.iter().find_map(|entry| value(entry)?.strip_prefix(VALUE))?;
    Some(rest.split_once(INSTEAD_OF).map_or(rest, |(run, _)| run))
}

/// Undoes [`make_read_only`]: the environment is what it was, in its order. Answers whether that changes anything.
pub fn make_writable(env: &mut Vec<String>) -> bool {
    let Some(at) = env.iter().position(|entry| value(entry).is_some_and(|value| value.starts_with(VALUE)))
    else {
        return false;
    };
    let before = env[at].split_once(INSTEAD_OF).map(|(_, before)| format!("{VARIABLE}={}", unescape(before)));
    match before {
        Some(before) => env[at] = before,
        None => drop(env.remove(at)),
    }
    true
}

fn value(entry: &str) -> Option<&str> {
    entry.strip_prefix(VARIABLE)?.strip_prefix('=')
}

/// Undoes `escape_default`.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            '\\' => match rest.next() {
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some('t') => plain.push('\t'),
                Some('u') => {
                    let code: String =
                        rest.by_ref().skip_while(|c| *c == '{').take_while(|c| *c != '}').collect();
                    plain.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
                }
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

/// What is said to redis before anything else: the login, if there is one, and the number of the database.
pub fn redis_login(username: Option<&str>, password: Option<&Secret>, database: i64) -> Secret {
    let mut said = String::new();
    if let Some(password) = password {
        let words = [Some("AUTH"), username, Some(password.expose())];
        said.push_str(&resp(&words.into_iter().flatten().collect::<Vec<_>>()));
    }
    said.push_str(&resp(&["SELECT", &database.to_string()]));
    said.into()
}

/// A command as redis takes it, whatever is in its words.
fn resp(words: &[&str]) -> String {
    let said: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    format!("*{}\r\n{said}", words.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    #[test]
    fn the_environment_is_afterwards_what_it_was() {
        for before in [
            env(&[]),
            env(&["B=1", "A=2"]),
            env(&["B=1", "REGISTRY_STORAGE_MAINTENANCE_READONLY={\"enabled\": false}", "A=2"]),
            env(&[
                "REGISTRY_STORAGE_MAINTENANCE_READONLY=",
                "REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED=1",
            ]),
            env(&[
                "REGISTRY_STORAGE_MAINTENANCE_READONLY=enabled:\n  false # 'a\\b' \u{e4}, instead of \u{1f511}",
            ]),
        ] {
            let mut now = before.clone();
            assert!(who_made_read_only(&now).is_none() && !make_writable(&mut now));
            make_read_only(&mut now, "one");
            make_read_only(&mut now, "other");
            assert_eq!(who_made_read_only(&now), Some("one"), "{now:?}");
            assert!(now.iter().all(|entry| !entry.contains('\n')), "it stays one line: {now:?}");
            assert!(make_writable(&mut now));
            assert_eq!(now, before);
        }
    }

    #[test]
    fn a_registry_that_its_user_made_read_only_is_left_so() {
        let mut own = env(&["REGISTRY_STORAGE_MAINTENANCE_READONLY={\"enabled\": true}"]);
        assert!(who_made_read_only(&own).is_none() && !make_writable(&mut own));
    }

    #[test]
    fn the_command_says_the_program_and_the_file_of_the_service() {
        let words = |words: &[&str]| Surroundings { words: env(words), ..Surroundings::default() };
        let said = |words: &Surroundings| {
            let command = command(Task::Check, words);
            (command[5].clone(), command[6].clone())
        };
        let own = |program: &str, file: &str| (program.to_owned(), file.to_owned());
        assert_eq!(said(&words(&[])), own("registry", ""));
        assert_eq!(said(&words(&["serve", "/run/secrets/a"])), own("registry", "/run/secrets/a"));
        assert_eq!(said(&words(&["/etc/b.yml"])), own("registry", "/etc/b.yml"));
        let whole = words(&["/usr/bin/docker-registry", "serve", "/c.yml"]);
        assert_eq!(said(&whole), own("/usr/bin/docker-registry", "/c.yml"));
        let all = Surroundings {
            mounted: env(&["/a", "/b"]),
            redis: Some("redis:6379".to_owned()),
            delete_untagged: true,
            ..Surroundings::default()
        };
        assert_eq!(command(Task::Collect, &all)[7..], env(&["/a\n/b", "redis:6379", "--delete-untagged"]));
    }

    #[test]
    fn redis_is_told_in_its_own_protocol() {
        let login = redis_login(Some("u"), Some(&"p $\r\n".into()), 3);
        assert_eq!(
            login.expose(),
            "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$5\r\np $\r\n\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"
        );
        assert_eq!(redis_login(None, None, 0).expose(), "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n");
    }
}
