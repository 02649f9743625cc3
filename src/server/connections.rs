//! The table of open connections, and which one is closed to make room for a new one.
//!
//! The server reports connects, requests and disconnects; the table names the connection to evict when it is full. It never
//! touches a socket.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// Number of a connection. Later connections have higher numbers.
pub type Id = u64;

/// The open connections. Dropping a connection's handle `H` closes it.
#[derive(Debug)]
pub struct Connections<H> {
    next: Id,
    open: BTreeMap<Id, Connection<H>>,
}

#[derive(Debug)]
struct Connection<H> {
    peer: IpAddr,
    has_request: bool,
    handle: H,
}

impl<H> Connections<H> {
    /// A table without connections.
    pub const fn new() -> Self {
        Self {
            next: 0,
            open: BTreeMap::new(),
        }
    }

    /// Adds a connection.
    pub fn add(&mut self, peer: IpAddr, handle: H) -> Id {
        let id = self.next;
        self.next += 1;
        let peer = peer.to_canonical();
        let has_request = false;
        self.open.insert(id, Connection { peer, has_request, handle });
        id
    }

    /// Records that the head of its request is complete.
    pub fn request_received(&mut self, id: Id) {
        if let Some(connection) = self.open.get_mut(&id) {
            connection.has_request = true;
        }
    }

    /// Removes a connection that was closed.
    pub fn remove(&mut self, id: Id) {
        self.open.remove(&id);
    }

    /// Number of open connections.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Removes the connection to close for a new one, and returns its handle.
    ///
    /// It belongs to the address with the most connections, so a flood from one address never evicts a probe from another. Where
    /// probe and flood share an address, it is the oldest of the larger group: connections with a request, or those without. So it
    /// takes as many newer connections as half the table to evict one, whether the flood sends requests or not.
    pub fn evict(&mut self) -> Option<H> {
        let mut of_peer: HashMap<IpAddr, usize> = HashMap::new();
        for connection in self.open.values() {
            *of_peer.entry(connection.peer).or_default() += 1;
        }
        let most = of_peer.values().max().copied()?;
        let crowd = || self.open.iter().filter(|(_, one)| of_peer.get(&one.peer) == Some(&most));
        let with_request = crowd().filter(|(_, one)| one.has_request).count();
        let evict_with_request = with_request > crowd().count() - with_request;
        let (&id, _) = crowd().find(|(_, one)| one.has_request == evict_with_request)?;
        self.open.remove(&id).map(|connection| connection.handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn pod(number: u8) -> IpAddr {
        IpAddr::from([10, 1, 0, number])
    }

    /// A table with that many connections from one address, each with its number as handle.
    fn crowd(peer: IpAddr, count: u64) -> Connections<u64> {
        let mut table = Connections::new();
        for number in 0..count {
            table.add(peer, number);
        }
        table
    }

    #[test]
    fn an_empty_table_has_nothing_to_evict() {
        assert_eq!(Connections::<()>::new().evict(), None);
    }

    #[test]
    fn the_oldest_connection_is_evicted() {
        let mut table = crowd(pod(1), 3);
        assert_eq!(table.evict(), Some(0));
        table.remove(1);
        assert_eq!(table.evict(), Some(2));
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn a_flood_from_one_address_never_evicts_a_probe_from_another() {
        let mut table = crowd(pod(1), 127);
        table.add(NODE, 1_000_000);
        for number in 0..1_000 {
            assert!(table.evict().is_some_and(|gone| gone != 1_000_000), "after {number}");
            let id = table.add(pod(1), number);
            if number % 3 == 0 {
                table.request_received(id);
            }
        }
    }

    #[test]
    fn two_floods_do_not_evict_a_probe_either() {
        let mut table = crowd(pod(1), 63);
        for number in 63..127 {
            table.add(pod(2), number);
        }
        table.add(NODE, 1_000_000);
        for number in 0..1_000 {
            assert!(table.evict().is_some_and(|gone| gone != 1_000_000), "after {number}");
            table.add(pod(if number % 2 == 0 { 1 } else { 2 }), number);
        }
    }

    #[test]
    fn a_scrape_outlasts_silent_connections_of_its_own_address() {
        let mut table = crowd(NODE, 126);
        let scrape = table.add(NODE, 1_000_000);
        table.request_received(scrape);
        for number in 0..1_000 {
            assert!(table.evict().is_some_and(|gone| gone != 1_000_000), "after {number}");
            table.add(NODE, number);
        }
    }

    #[test]
    fn a_flood_of_requests_does_not_evict_a_silent_probe() {
        let mut table = crowd(NODE, 127);
        for id in 0..127 {
            table.request_received(id);
        }
        table.add(NODE, 1_000_000);
        // The flood sends its requests at once, so its newer connections join the larger group.
        for number in 0..1_000 {
            assert!(table.evict().is_some_and(|gone| gone != 1_000_000), "after {number}");
            let id = table.add(NODE, number);
            table.request_received(id);
        }
    }

    #[test]
    fn a_probe_outlasts_half_a_table_of_any_flood() {
        // Each bit of the seed decides whether the next connection of the flood sends a request.
        for seed in 0..100_u64 {
            let mut table = crowd(NODE, 127);
            let mut bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut coin = || {
                bits ^= bits << 13;
                bits ^= bits >> 7;
                bits ^= bits << 17;
                bits & 1 == 1
            };
            for id in 0..127 {
                if coin() {
                    table.request_received(id);
                }
            }
            table.add(NODE, 1_000_000);
            for number in 0..60 {
                assert!(table.evict().is_some_and(|gone| gone != 1_000_000), "seed {seed}, after {number}");
                let id = table.add(NODE, number);
                if coin() {
                    table.request_received(id);
                }
            }
        }
    }

    #[test]
    fn an_ipv4_peer_is_the_same_on_a_socket_for_ipv6() {
        let mut table = Connections::new();
        table.add(NODE, 'a');
        table.add("::ffff:10.0.0.1".parse().unwrap(), 'b');
        table.add(pod(1), 'c');
        assert_eq!((table.evict(), table.len()), (Some('a'), 2));
    }

    #[test]
    fn reports_after_an_eviction_change_nothing() {
        let mut table = crowd(pod(1), 2);
        assert_eq!(table.evict(), Some(0));
        table.request_received(0);
        table.remove(0);
        assert_eq!(table.len(), 1);
    }
}
