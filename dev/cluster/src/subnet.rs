//! The addresses of one cluster. Takes nothing, gives a range for services and one for pods, never one that the machine
//! has a route into.
//!
//! The service `kubernetes` gets the first address of the services' range, and a pod's cable ends at the first address of
//! its own. With a node both are one address: a pod finds the API server where every pod in the world looks for it,
//! without settings and without kube-proxy (`forwarder.rs` listens there).

use std::fs;
use std::net::Ipv4Addr;

use crate::Result;
use crate::claims::Claim;

/// Reserved for tests of network devices (RFC 2544), so that nobody's network is hit.
const FIRST: u32 = u32::from_be_bytes([198, 18, 0, 0]);
/// Addresses of one cluster: a /23, of which 198.18.0.0/15 has 256.
const SIZE: u32 = 512;
/// Of these, the first are services (a /25), the others pods.
const SERVICES: u32 = 128;

/// The addresses of one cluster, its own as long as this value lives.
pub(crate) struct Subnet {
    claim: Claim,
}

impl Subnet {
    pub fn claim() -> Result<Subnet> {
        let claim = Claim::first_of((0..256).map(|number| format!("subnet-{number}")), |name| !is_routed(first_of(name)))?;
        Ok(Subnet { claim })
    }

    /// All of it.
    pub fn all(&self) -> String {
        format!("{}/23", self.address(0))
    }

    pub fn services(&self) -> String {
        format!("{}/25", self.address(0))
    }

    /// Of the service `kubernetes`, and of the machine's end of each pod's cable.
    pub fn gateway(&self) -> Ipv4Addr {
        self.address(1)
    }

    /// Where a cluster has its DNS. Nobody answers there.
    pub fn dns(&self) -> Ipv4Addr {
        self.address(10)
    }

    pub fn first_pod(&self) -> Ipv4Addr {
        self.address(SERVICES)
    }

    /// Whether the machine has a route into it, that is: an interface of a pod of it.
    pub fn is_routed(&self) -> bool {
        is_routed(first_of(self.claim.name()))
    }

    fn address(&self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(first_of(self.claim.name()) + offset)
    }
}

fn first_of(name: &str) -> u32 {
    let number: u32 = name.strip_prefix("subnet-").and_then(|number| number.parse().ok()).unwrap_or(0);
    FIRST + number * SIZE
}

fn is_routed(first: u32) -> bool {
    let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
    let destinations = routes.lines().filter_map(|line| line.split('\t').nth(1));
    destinations
        .filter_map(|hex| u32::from_str_radix(hex, 16).ok())
        .any(|little_endian| little_endian.swap_bytes() & !(SIZE - 1) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clusters_never_share_an_address() {
        let (one, two) = (Subnet::claim().unwrap(), Subnet::claim().unwrap());
        assert_ne!(one.all(), two.all());
        assert_eq!(u32::from(one.gateway()) + SERVICES - 1, u32::from(one.first_pod()));
        assert_eq!(first_of("subnet-255") + SIZE, u32::from(Ipv4Addr::new(198, 20, 0, 0)));
    }
}
