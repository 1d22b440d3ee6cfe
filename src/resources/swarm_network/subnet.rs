//! Subnets, so that a plan refuses what an apply could not do or would spell differently.

use std::net::IpAddr;

/// A subnet in CIDR form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    address: IpAddr,
    bits: u32,
}

impl Subnet {
    /// Reads one.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits): (IpAddr, u32) = (address.parse().ok()?, bits.parse().ok()?);
        (bits <= width(address)).then_some(Subnet { address, bits })
    }

    /// Whether an address is one of it.
    pub fn contains(self, address: IpAddr) -> bool {
        width(address) == width(self.address) && self.network(address) == self.network(self.address)
    }

    /// Whether another subnet is a part of it.
    pub fn covers(self, other: Self) -> bool {
        self.bits <= other.bits && self.contains(other.address)
    }

    /// An address without the bits of its host.
    fn network(self, address: IpAddr) -> u128 {
        let shift = width(address) - self.bits;
        number(address).checked_shr(shift).unwrap_or(0)
    }

    fn has_host_bits(self) -> bool {
        let shift = width(self.address) - self.bits;
        self.network(self.address).checked_shl(shift).unwrap_or(0) != number(self.address)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// A subnet as the Engine spells it.
pub fn subnet(text: &str) -> Result<(), String> {
    let example = "a subnet has the form 10.1.0.0/24 or fd00:1::/64";
    let subnet = Subnet::parse(text).ok_or_else(|| example.to_owned())?;
    if subnet.has_host_bits() {
        return Err(format!("{text} is an address in a subnet, and its host bits are not zero; {example}"));
    }
    match text == format!("{}/{}", subnet.address, subnet.bits) {
        true => Ok(()),
        false => Err(format!("the Engine spells it {}/{}", subnet.address, subnet.bits)),
    }
}

/// An address as the Engine spells it.
pub fn address(text: &str) -> Result<(), String> {
    match text.parse::<IpAddr>() {
        Ok(address) if address.to_string() == text => Ok(()),
        Ok(address) => Err(format!("the Engine spells it {address}")),
        Err(_) => Err("it is no IP address, such as 10.1.0.1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_are_spelt_as_the_engine_does() {
        assert!(
            subnet("10.1.0.0/24").is_ok() && subnet("fd00:1::/64").is_ok() && subnet("0.0.0.0/0").is_ok()
        );
        assert!(subnet("10.1.0.5/24").unwrap_err().contains("host bits"));
        assert!(subnet("fd00:1:0::/64").unwrap_err().contains("fd00:1::/64"));
        assert!(subnet("10.1.0.0/33").is_err() && subnet("10.1.0.0").is_err());
    }

    #[test]
    fn what_is_in_a_subnet() {
        let subnet = Subnet::parse("10.1.0.0/16").unwrap();
        assert!(subnet.contains("10.1.255.1".parse().unwrap()));
        assert!(
            !subnet.contains("10.2.0.1".parse().unwrap()) && !subnet.contains("fd00::1".parse().unwrap())
        );
        assert!(subnet.covers(Subnet::parse("10.1.2.0/24").unwrap()));
        assert!(!subnet.covers(Subnet::parse("10.0.0.0/8").unwrap()));
    }
}
