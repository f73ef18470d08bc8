//! The connections that are open: how many there may be, and whose goes when there is no room for a newcomer.
//!
//! One that waits for its peer (for a handshake, for headers, for a body, between two requests) is idle and gives way
//! first; so connections that are only held keep nobody out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::Instant as Moment;

use super::metrics;

/// The connections of one server.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    most_per_address: usize,
    open: Mutex<Open>,
    /// Turns are told as nanoseconds since here.
    began: Moment,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    count: usize,
    of: HashMap<IpAddr, Vec<Connection>>,
}

#[derive(Debug)]
struct Connection {
    id: u64,
    turn: Arc<Turn>,
    /// Dropped with this: whoever serves the connection is told to end it.
    _kept: oneshot::Sender<()>,
}

/// Whether a connection is idle, in the last bit, and since when it is that or busy, in the others. Every request changes
/// it twice, so that is done without the lock that all share.
#[derive(Debug)]
struct Turn(AtomicU64);

impl Turn {
    fn is_idle(&self) -> bool {
        self.0.load(Ordering::Relaxed) & 1 == 1
    }

    fn since(&self) -> u64 {
        self.0.load(Ordering::Relaxed) >> 1
    }
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
    id: u64,
    turn: Arc<Turn>,
}

/// Ends when the connection has to give way.
pub(super) type GivesWay = oneshot::Receiver<()>;

/// Whose place a newcomer takes.
#[derive(Debug, Clone, Copy)]
enum Among {
    /// One of the same address.
    Own,
    /// One of the address that has the most.
    All,
}

impl Connections {
    /// So many in all, and so many of one address.
    pub(super) fn new(most: usize, most_per_address: usize) -> Connections {
        Connections {
            most,
            most_per_address,
            open: Mutex::default(),
            began: Moment::now(),
        }
    }

    /// A place for a newcomer, perhaps that of another, or that there is none. `alone` says whether the connections of its
    /// address have a bound of their own: a proxy's have not.
    pub(super) fn admit(
        connections: &Arc<Connections>,
        address: IpAddr,
        alone: bool,
    ) -> Option<(Place, GivesWay)> {
        let mut open = connections.open();
        let own = open.of.get(&address).map_or(0, Vec::len);
        let room = if alone && own >= connections.most_per_address {
            open.make_room(address, own, Among::Own)
        } else if open.count >= connections.most {
            open.make_room(address, own, Among::All)
        } else {
            true
        };
        if !room {
            metrics::connection_refused();
            return None;
        }
        let (kept, gives_way) = oneshot::channel();
        let id = open.next;
        let turn = Arc::new(Turn(connections.turn(true).into()));
        open.next += 1;
        open.count += 1;
        open.of.entry(address).or_default().push(Connection {
            id,
            turn: Arc::clone(&turn),
            _kept: kept,
        });
        metrics::connections_open(open.count);
        let place = Place {
            connections: Arc::clone(connections),
            address,
            id,
            turn,
        };
        Some((place, gives_way))
    }

    /// A turn that begins now.
    fn turn(&self, idle: bool) -> u64 {
        let since = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        since << 1 | u64::from(idle)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Ends a connection for the sake of a newcomer from an address that has `own` already; whether there was one to end.
    fn make_room(&mut self, address: IpAddr, own: usize, among: Among) -> bool {
        let gone = match among {
            Among::Own => self.idlest(address),
            Among::All => self
                .fullest(|all| all.iter().any(|one| one.turn.is_idle()))
                .and_then(|fullest| self.idlest(fullest))
                // Where all are busy, who has much gives to who has little.
                .or_else(|| {
                    self.fullest(|all| all.len() > own + 1)
                        .and_then(|fullest| self.longest(fullest))
                }),
        };
        let Some((address, id)) = gone else {
            return false;
        };
        self.remove(address, id);
        metrics::connection_gave_way();
        true
    }

    /// The address with the most connections of those that `counts`.
    fn fullest(&self, counts: impl Fn(&[Connection]) -> bool) -> Option<IpAddr> {
        let some = self.of.iter().filter(|(_, all)| counts(all));
        some.max_by_key(|(_, all)| all.len())
            .map(|(address, _)| *address)
    }

    fn idlest(&self, address: IpAddr) -> Option<(IpAddr, u64)> {
        let all = self.of.get(&address)?.iter();
        let idle = all.filter(|one| one.turn.is_idle());
        idle.min_by_key(|one| one.turn.since())
            .map(|one| (address, one.id))
    }

    fn longest(&self, address: IpAddr) -> Option<(IpAddr, u64)> {
        let all = self.of.get(&address)?.iter();
        all.min_by_key(|one| one.turn.since())
            .map(|one| (address, one.id))
    }

    fn remove(&mut self, address: IpAddr, id: u64) {
        let Some(all) = self.of.get_mut(&address) else {
            return;
        };
        let Some(at) = all.iter().position(|one| one.id == id) else {
            return;
        };
        all.swap_remove(at);
        if all.is_empty() {
            self.of.remove(&address);
        }
        self.count -= 1;
        metrics::connections_open(self.count);
    }
}

impl Place {
    /// A request is there whole, and is worked on.
    pub(super) fn busy(&self) {
        self.turns(false);
    }

    /// Its peer did something just now, and is waited for.
    pub(super) fn idle(&self) {
        self.turns(true);
    }

    fn turns(&self, idle: bool) {
        let turn = self.connections.turn(idle);
        self.turn.0.store(turn, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().remove(self.address, self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Held(Place, GivesWay);

    impl Held {
        fn is_open(&mut self) -> bool {
            matches!(self.1.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        }
    }

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from(n).into()
    }

    fn admit(connections: &Arc<Connections>, n: u32) -> Option<Held> {
        Connections::admit(connections, address(n), true).map(|(place, way)| Held(place, way))
    }

    fn connections(most: usize, most_per_address: usize) -> Arc<Connections> {
        Arc::new(Connections::new(most, most_per_address))
    }

    #[test]
    fn the_idlest_of_an_address_gives_way_to_its_next() {
        let all = connections(10, 2);
        let (mut first, mut second) = (admit(&all, 1).unwrap(), admit(&all, 1).unwrap());
        // A request makes the first the fresher one.
        first.0.busy();
        first.0.idle();
        let mut third = admit(&all, 1).unwrap();
        assert_eq!(
            [first.is_open(), second.is_open(), third.is_open()],
            [true, false, true]
        );
    }

    #[test]
    fn an_address_whose_connections_are_all_busy_gets_no_more() {
        let all = connections(10, 2);
        let held = [admit(&all, 1).unwrap(), admit(&all, 1).unwrap()];
        held.iter().for_each(|one| one.0.busy());
        assert!(admit(&all, 1).is_none());
        assert!(admit(&all, 2).is_some());
        drop(held);
        assert!(admit(&all, 1).is_some(), "places are given back");
    }

    #[test]
    fn a_proxy_has_no_bound_of_its_own() {
        let all = connections(3, 1);
        let proxy = || Connections::admit(&all, address(1), false);
        let held = [proxy(), proxy(), proxy()];
        assert!(held.iter().all(Option::is_some));
    }

    #[test]
    fn when_all_is_full_the_idlest_of_who_has_most_gives_way() {
        let all = connections(4, 4);
        let mut modest = admit(&all, 1).unwrap();
        let mut greedy: Vec<Held> = (0..3).map(|_| admit(&all, 2).unwrap()).collect();
        let newcomer = admit(&all, 3);
        assert!(newcomer.is_some());
        assert!(modest.is_open(), "although it has been idle for longer");
        let open: Vec<bool> = greedy.iter_mut().map(Held::is_open).collect();
        assert_eq!(open, [false, true, true]);
    }

    #[test]
    fn when_all_are_busy_who_has_much_gives_to_who_has_little() {
        let all = connections(4, 4);
        let mut modest = admit(&all, 1).unwrap();
        let mut greedy: Vec<Held> = (0..3).map(|_| admit(&all, 2).unwrap()).collect();
        modest.0.busy();
        greedy.iter().for_each(|one| one.0.busy());
        assert!(admit(&all, 2).is_none(), "not to itself");
        let newcomer = admit(&all, 3).unwrap();
        newcomer.0.busy();
        assert!(modest.is_open());
        assert!(!greedy[0].is_open());
        assert!(admit(&all, 1).is_none(), "two are not much more than one");
        drop(newcomer);
    }

    #[test]
    fn the_places_of_those_that_gave_way_are_counted_once() {
        let all = connections(2, 2);
        let first = admit(&all, 1).unwrap();
        let _second = admit(&all, 1).unwrap();
        let _third = admit(&all, 1).unwrap();
        drop(first);
        assert_eq!(all.open().count, 2);
    }
}
