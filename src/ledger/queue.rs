//! Who is next: tickets in order of arrival, turns among parties, and a bound on everything that waits.
//!
//! A ticket is taken before the signatures are verified, so the order does not depend on which thread is done first: what is verified
//! early waits for the tickets before it. Then parties take turns, each in the order of its own tickets.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use crate::domain::values::PartyId;

/// Most operations that wait.
pub const TICKETS_MAX: usize = 16_384;
/// Most bytes of operations that wait.
pub const BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most operations of one party that wait: one full batch.
pub const PARTY_TICKETS_MAX: usize = 10_000;
/// Most bytes of one party's operations that wait: one full batch.
pub const PARTY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Whose turn it is: the owner of the first registered key that signed. Everybody whose key nobody knows shares one lane, so that
/// made-up keys are worth no more than one.
pub type Lane = Option<PartyId>;

/// What may wait, in operations and in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Operations.
    pub tickets: usize,
    /// Bytes of their envelopes.
    pub bytes: usize,
}

impl Room {
    /// Nothing.
    pub const NONE: Room = Room {
        tickets: 0,
        bytes: 0,
    };
    /// All that waits.
    pub const ALL: Room = Room {
        tickets: TICKETS_MAX,
        bytes: BYTES_MAX,
    };
    /// One party's share of it.
    pub const PARTY: Room = Room {
        tickets: PARTY_TICKETS_MAX,
        bytes: PARTY_BYTES_MAX,
    };

    fn plus(self, more: Room) -> Room {
        Room {
            tickets: self.tickets + more.tickets,
            bytes: self.bytes + more.bytes,
        }
    }

    fn less(self, gone: Room) -> Room {
        Room {
            tickets: self.tickets - gone.tickets,
            bytes: self.bytes - gone.bytes,
        }
    }

    fn fits(self, within: Room) -> bool {
        self.tickets <= within.tickets && self.bytes <= within.bytes
    }
}

/// A place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    number: u64,
    /// First ticket of those taken together: they keep their order whoever signed.
    unit: u64,
    bytes: usize,
}

/// What waits to be sequenced.
#[derive(Debug)]
pub struct Queue<T> {
    limits: [Room; 2],
    used: Room,
    next: u64,
    /// The ticket that is released next.
    release: u64,
    /// The tickets from `release` on, of which some are settled before their turn.
    early: VecDeque<Option<Settled<T>>>,
    /// The unit last released and the lane that it goes by.
    unit: Option<(u64, Lane)>,
    lanes: HashMap<Lane, LaneQueue<T>>,
    /// The lanes that hold something, the next first.
    turns: VecDeque<Lane>,
}

#[derive(Debug)]
struct Settled<T> {
    ticket: Ticket,
    /// Nothing when the operation was refused before its turn.
    item: Option<(Lane, T)>,
}

#[derive(Debug)]
struct LaneQueue<T> {
    used: Room,
    items: VecDeque<(Ticket, T)>,
}

impl<T> Queue<T> {
    /// An empty queue with the limits of the design.
    pub fn new() -> Queue<T> {
        Queue::with_limits(Room::ALL, Room::PARTY)
    }

    /// An empty queue with a limit for all and one for each party.
    pub fn with_limits(all: Room, party: Room) -> Queue<T> {
        Queue {
            limits: [all, party],
            used: Room::NONE,
            next: 0,
            release: 0,
            early: VecDeque::new(),
            unit: None,
            lanes: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// Consecutive tickets for operations of these lengths, in bytes; `None` when there is no room for all of them.
    pub fn take(&mut self, lengths: &[usize]) -> Option<Vec<Ticket>> {
        let asked = Room {
            tickets: lengths.len(),
            bytes: lengths.iter().sum(),
        };
        let used = self.used.plus(asked);
        if !used.fits(self.limits[0]) {
            return None;
        }
        self.used = used;
        let unit = self.next;
        let numbers: Range<u64> = unit..unit + lengths.len() as u64;
        self.next = numbers.end;
        let tickets = numbers.zip(lengths).map(|(number, bytes)| Ticket {
            number,
            unit,
            bytes: *bytes,
        });
        Some(tickets.collect())
    }

    /// The operation of a ticket is verified and goes by this lane, or (`None`) will not come. Returns what was turned away because its
    /// party has too much waiting.
    pub fn settle(&mut self, ticket: Ticket, item: Option<(Lane, T)>) -> Vec<T> {
        let place = (ticket.number - self.release) as usize;
        if place >= self.early.len() {
            self.early.resize_with(place + 1, || None);
        }
        self.early[place] = Some(Settled { ticket, item });
        let mut surplus = Vec::new();
        while let Some(settled) = self.early.pop_front_if(|next| next.is_some()).flatten() {
            self.release += 1;
            surplus.extend(self.line_up(settled));
        }
        surplus
    }

    fn line_up(&mut self, settled: Settled<T>) -> Option<T> {
        let Settled { ticket, item } = settled;
        let one = ticket.room();
        let Some((own, item)) = item else {
            self.used = self.used.less(one);
            return None;
        };
        let lane = match self.unit {
            Some((unit, lane)) if unit == ticket.unit => lane,
            _ => own,
        };
        self.unit = Some((ticket.unit, lane));
        let queue = self.lanes.entry(lane).or_insert_with(|| LaneQueue {
            used: Room::NONE,
            items: VecDeque::new(),
        });
        let used = queue.used.plus(one);
        if !used.fits(self.limits[1]) {
            self.used = self.used.less(one);
            return Some(item);
        }
        queue.used = used;
        if queue.items.is_empty() {
            self.turns.push_back(lane);
        }
        queue.items.push_back((ticket, item));
        None
    }

    /// The next operation, by turns among the lanes.
    pub fn pop(&mut self) -> Option<T> {
        let lane = self.turns.pop_front()?;
        let queue = self.lanes.get_mut(&lane)?;
        let (ticket, item) = queue.items.pop_front()?;
        self.used = self.used.less(ticket.room());
        queue.used = queue.used.less(ticket.room());
        if queue.items.is_empty() {
            self.lanes.remove(&lane);
        } else {
            self.turns.push_back(lane);
        }
        Some(item)
    }

    /// Whether [`Queue::pop`] has one to give.
    pub fn has_next(&self) -> bool {
        !self.turns.is_empty()
    }

    /// What has a ticket and was not released yet.
    pub fn used(&self) -> Room {
        self.used
    }

    /// Whether no ticket is out: nothing waits and nothing is being verified.
    pub fn is_idle(&self) -> bool {
        self.used.tickets == 0
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue::new()
    }
}

impl Ticket {
    fn room(self) -> Room {
        Room {
            tickets: 1,
            bytes: self.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn party(i: u8) -> Lane {
        Some(format!("x:party-{i}").parse().unwrap())
    }

    fn limits(all: usize, party: usize) -> Queue<u32> {
        let room = |tickets| Room {
            tickets,
            bytes: 1_000,
        };
        Queue::with_limits(room(all), room(party))
    }

    fn put(queue: &mut Queue<u32>, lane: Lane, item: u32) -> bool {
        let ticket = queue.take(&[1]).unwrap()[0];
        queue.settle(ticket, Some((lane, item))).is_empty()
    }

    fn drain(queue: &mut Queue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn parties_take_turns() {
        let mut queue = limits(100, 100);
        for (lane, item) in [(1, 10), (1, 11), (1, 12), (2, 20), (3, 30), (2, 21)] {
            put(&mut queue, party(lane), item);
        }
        assert_eq!(drain(&mut queue), [10, 20, 30, 11, 21, 12]);
        assert!(queue.is_idle());
    }

    #[test]
    fn lines_of_a_batch_keep_their_order_whoever_signed() {
        let mut queue = limits(100, 100);
        put(&mut queue, party(1), 0);
        let batch = queue.take(&[1, 1, 1]).unwrap();
        for (i, lane) in [(0, 1), (1, 2), (2, 1)] {
            queue.settle(batch[i], Some((party(lane), i as u32 + 1)));
        }
        put(&mut queue, party(2), 9);
        assert_eq!(drain(&mut queue), [0, 9, 1, 2, 3]);
    }

    #[test]
    fn no_tickets_when_full_until_something_left() {
        let mut queue = limits(2, 2);
        let tickets = queue.take(&[1, 1]).unwrap();
        assert_eq!(queue.take(&[1]), None);
        queue.settle(tickets[0], None);
        assert!(!queue.is_idle());
        let third = queue.take(&[1]).unwrap();
        queue.settle(tickets[1], Some((None, 1)));
        queue.settle(third[0], Some((None, 2)));
        assert_eq!(queue.take(&[1]), None);
        assert_eq!(queue.pop(), Some(1));
        assert!(queue.take(&[999]).is_some());
    }

    #[test]
    fn bytes_are_bounded() {
        let mut queue = limits(100, 100);
        assert_eq!(queue.take(&[1_001]), None);
        assert!(queue.take(&[400, 600]).is_some());
        assert_eq!(queue.take(&[1]), None);
    }

    #[test]
    fn one_party_takes_its_quota_and_no_more() {
        let mut queue = limits(100, 2);
        assert!(put(&mut queue, party(1), 1));
        assert!(put(&mut queue, party(1), 2));
        assert!(!put(&mut queue, party(1), 3));
        assert!(put(&mut queue, party(2), 4));
        assert!(put(&mut queue, None, 5));
        assert_eq!(drain(&mut queue), [1, 4, 5, 2]);
        assert!(queue.is_idle());
    }

    proptest! {
        #[test]
        fn order_does_not_depend_on_which_signature_is_verified_first(
            lanes in proptest::collection::vec(proptest::option::of(0u8..4), 1..40),
            seed in any::<u64>(),
        ) {
            let orders = [seed, 0].map(|seed| {
                let mut queue = limits(100, 100);
                let mut tickets: Vec<_> = lanes
                    .iter()
                    .enumerate()
                    .map(|(i, lane)| (queue.take(&[1]).unwrap()[0], *lane, i as u32))
                    .collect();
                if seed != 0 {
                    tickets.sort_by_key(|(ticket, ..)| (ticket.number + 1).wrapping_mul(seed | 1) >> 7);
                }
                for (ticket, lane, item) in tickets {
                    queue.settle(ticket, lane.map(|lane| (party(lane), item)));
                }
                drain(&mut queue)
            });
            prop_assert_eq!(&orders[0], &orders[1]);
        }
    }
}
