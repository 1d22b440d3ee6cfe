//! How tasks resolve names: `ContainerSpec.Hosts` and `ContainerSpec.DNSConfig` of the Engine API.

use super::{container, container_mut};
use crate::docker::{DnsConfig, ServiceSpec};
use crate::terraform::Model;
use std::collections::{BTreeMap, BTreeSet};

/// How the tasks resolve names: their `/etc/resolv.conf`.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Dns {
    /// Addresses of name servers, the first asked first.
    #[tf(default = vec![], check = addresses)]
    pub nameservers: Vec<String>,

    /// Domains in which short names are looked for.
    #[tf(default = vec![])]
    pub search: Vec<String>,

    /// Options of the resolver, such as `ndots:3`.
    #[tf(default = vec![])]
    pub options: Vec<String>,
}

fn addresses(addresses: &[String]) -> Result<(), String> {
    addresses.iter().try_for_each(|address| self::address(address))
}

fn address(address: &str) -> Result<(), String> {
    match address.parse::<std::net::IpAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{address}` is no IP address")),
    }
}

/// Names as they can stand in `/etc/hosts`, and their addresses.
pub fn names(hosts: &BTreeMap<String, BTreeSet<String>>) -> Result<(), String> {
    for (name, addresses) in hosts {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '#') {
            return Err(format!("`{name}` is no name of a host"));
        }
        if addresses.is_empty() {
            return Err(format!("`{name}` needs an address"));
        }
        addresses.iter().try_for_each(|address| self::address(address))?;
    }
    Ok(())
}

/// The names of a specification; a line of it is an address and its names.
pub fn read_hosts(spec: &ServiceSpec) -> BTreeMap<String, BTreeSet<String>> {
    let mut hosts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in container(spec).into_iter().flat_map(|container| container.hosts.iter().flatten()) {
        let mut words = line.split_whitespace();
        let Some(address) = words.next() else { continue };
        for name in words {
            hosts.entry(name.to_owned()).or_default().insert(address.to_owned());
        }
    }
    hosts
}

/// Gives these names and no others. What is given already keeps its place, since another order restarts the tasks.
pub fn write_hosts(wanted: &BTreeMap<String, BTreeSet<String>>, spec: &mut ServiceSpec) {
    if read_hosts(spec) == *wanted {
        return;
    }
    let mut rest: BTreeSet<(&str, &str)> = wanted
        .iter()
        .flat_map(|(name, addresses)| addresses.iter().map(move |address| (address.as_str(), name.as_str())))
        .collect();
    let mut lines = vec![];
    let before = container(spec).and_then(|container| container.hosts.clone()).unwrap_or_default();
    for line in &before {
        let mut words = line.split_whitespace();
        let Some(address) = words.next() else { continue };
        let names: Vec<&str> = words.filter(|name| rest.remove(&(address, *name))).collect();
        if !names.is_empty() {
            lines.push(format!("{address} {}", names.join(" ")));
        }
    }
    lines.extend(rest.into_iter().map(|(address, name)| format!("{address} {name}")));
    container_mut(spec).hosts = Some(lines);
}

impl Dns {
    /// What a specification says, if it says anything.
    pub fn read(spec: &ServiceSpec) -> Option<Self> {
        let config = container(spec)?.dns_config.as_ref()?;
        let dns = Dns {
            nameservers: config.nameservers.clone().unwrap_or_default(),
            search: config.search.clone().unwrap_or_default(),
            options: config.options.clone().unwrap_or_default(),
        };
        (dns != Dns::none()).then_some(dns)
    }

    /// Says this, unless it is what is said already.
    pub fn write(wanted: Option<&Self>, spec: &mut ServiceSpec) {
        let wanted = wanted.filter(|wanted| **wanted != Dns::none());
        if Self::read(spec).as_ref() == wanted {
            return;
        }
        let config = &mut container_mut(spec).dns_config;
        *config = wanted.map(|wanted| DnsConfig {
            nameservers: Some(wanted.nameservers.clone()),
            search: Some(wanted.search.clone()),
            options: Some(wanted.options.clone()),
            ..config.take().unwrap_or_default()
        });
    }

    fn none() -> Self {
        Dns { nameservers: vec![], search: vec![], options: vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec(lines: &[&str]) -> ServiceSpec {
        let mut spec = ServiceSpec::default();
        container_mut(&mut spec).hosts = Some(lines.iter().map(|line| (*line).to_owned()).collect());
        spec
    }

    fn hosts(pairs: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
        let addresses = |addresses: &[&str]| addresses.iter().map(|address| (*address).to_owned()).collect();
        pairs.iter().map(|(name, own)| ((*name).to_owned(), addresses(own))).collect()
    }

    #[test]
    fn lines_are_names_with_addresses_and_keep_their_places() {
        let mut service = spec(&["10.0.0.9 z", "10.0.0.1 a b", "fd00::1 a"]);
        let read = read_hosts(&service);
        assert_eq!(
            read,
            hosts(&[("a", &["10.0.0.1", "fd00::1"]), ("b", &["10.0.0.1"]), ("z", &["10.0.0.9"])])
        );
        write_hosts(&read, &mut service);
        assert_eq!(service, spec(&["10.0.0.9 z", "10.0.0.1 a b", "fd00::1 a"]), "the same is left alone");
        write_hosts(
            &hosts(&[("b", &["10.0.0.1"]), ("c", &["10.0.0.2"]), ("z", &["10.0.0.9"])]),
            &mut service,
        );
        assert_eq!(service, spec(&["10.0.0.9 z", "10.0.0.1 b", "10.0.0.2 c"]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            before in proptest::collection::vec("10\\.0\\.0\\.[1-3]( [a-c]){0,3}", 0..5),
            wanted in proptest::collection::btree_map(
                "[a-d]",
                proptest::collection::btree_set("10\\.0\\.0\\.[1-4]", 1..3),
                0..4,
            ),
        ) {
            let before: Vec<&str> = before.iter().map(String::as_str).collect();
            let mut service = spec(&before);
            write_hosts(&wanted, &mut service);
            prop_assert_eq!(read_hosts(&service), wanted.clone());
            let once = service.clone();
            write_hosts(&wanted, &mut service);
            prop_assert_eq!(service, once, "the same is left alone");
        }
    }
}
