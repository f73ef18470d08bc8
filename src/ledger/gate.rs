//! Whether anything is entered at present, and at what time: a believed clock and room on the disk.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::Refusal;
use crate::domain::values::Instant;
use crate::store::SpaceGuard;

use super::clock::Clock;

/// How many bytes are free where the entries lie.
pub(super) type FreeBytes = Box<dyn Fn() -> io::Result<u64> + Send + Sync>;

/// What every operation passes before it is judged.
pub(super) struct Gate {
    clock: Arc<Clock>,
    space: Mutex<SpaceGuard>,
    free_bytes: FreeBytes,
    /// What was measured last.
    has_room: AtomicBool,
}

impl Gate {
    /// A gate by this clock and this measure of free space.
    pub(super) fn new(clock: Arc<Clock>, free_bytes: FreeBytes) -> Gate {
        let gate = Gate {
            clock,
            space: Mutex::default(),
            free_bytes,
            has_room: AtomicBool::new(false),
        };
        gate.measure();
        gate
    }

    /// What the clock shows, or why nothing is entered. Measures nothing: the thread that asks for every operation does no I/O.
    pub(super) fn now(&self) -> Result<Instant, Refusal> {
        if self.has_room.load(Ordering::Relaxed) {
            return self.clock.now();
        }
        Err(Refusal::new(
            "storage.full",
            "there is too little room on the ledger's disk; reads go on",
        )
        .remedy("try again later; the operator makes room"))
    }

    /// Whether there is room on the disk, measured now: by the thread that commits, with each batch of answers, and for whoever asks
    /// how the ledger is, so that who waits for room need not send an operation to learn of it.
    pub(super) fn measure(&self) -> bool {
        // What cannot be measured counts as nothing.
        let free_bytes = (self.free_bytes)().unwrap_or(0);
        let mut space = self.space.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = space.observe(free_bytes);
        self.has_room.store(has_room, Ordering::Relaxed);
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::clock::ClockChoice;

    #[test]
    fn little_room_closes_the_gate_until_there_is_enough() {
        let mib = 1024 * 1024;
        let free = Mutex::new([600, 200, 400, 600].into_iter());
        let clock = Arc::new(Clock::start(ClockChoice::Manual, Instant::from_millis(7)));
        let measure = Box::new(move || Ok(free.lock().unwrap().next().unwrap_or(0) * mib));
        let gate = Gate::new(clock, measure);
        assert_eq!(gate.now(), Ok(Instant::from_millis(7)));
        for _ in 0..2 {
            assert!(!gate.measure());
            assert_eq!(gate.now().unwrap_err().rule, "storage.full");
        }
        assert!(gate.measure() && gate.now().is_ok());
    }

    #[test]
    fn unmeasured_room_closes_the_gate() {
        let clock = Arc::new(Clock::start(ClockChoice::Manual, Instant::MIN));
        let measure = Box::new(|| Err(io::Error::other("gone")));
        let gate = Gate::new(clock, measure);
        assert_eq!(gate.now().unwrap_err().rule, "storage.full");
    }
}
