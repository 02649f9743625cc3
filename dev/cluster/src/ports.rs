//! Loopback ports. Takes nothing, gives a port that stays ours over restarts of who listens on it, never one of the
//! range from which the kernel serves outgoing connections: they would snatch it in between.

use std::net::{Ipv4Addr, TcpListener};

use crate::Result;
use crate::claims::{Claim, random_id};

const FIRST: u32 = 20_000;
const COUNT: u32 = 10_000;

/// A port on 127.0.0.1, claimed as long as this value lives.
pub(crate) struct Port {
    pub number: u16,
    _claim: Claim,
}

impl Port {
    pub fn claim() -> Result<Port> {
        let start = u32::from_str_radix(&random_id()?, 16)?;
        let numbers = (0..COUNT).map(|step| FIRST + (start % COUNT + step) % COUNT);
        let claim = Claim::first_of(numbers.map(|number| format!("port-{number}")), |name| is_free(number_of(name)))?;
        Ok(Port {
            number: number_of(claim.name()),
            _claim: claim,
        })
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.number)
    }
}

fn number_of(name: &str) -> u16 {
    name.strip_prefix("port-").and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_port_is_not_given_twice() {
        let ports: Vec<Port> = (0..20).map(|_| Port::claim().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(|port| port.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 20);
    }
}
