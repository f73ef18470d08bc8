//! Whether anything is entered at present, and at what time: a believed clock and room on the disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::Refusal;
use crate::domain::values::Instant;
use crate::store::SpaceGuard;

use super::clock::Clock;

/// How many bytes are free where the entries lie.
pub(super) type FreeBytes = Box<dyn FnMut() -> io::Result<u64> + Send>;

/// What every operation passes before it is judged. The thread that sequences has it.
pub(super) struct Gate {
    clock: Arc<Clock>,
    space: SpaceGuard,
    free_bytes: FreeBytes,
    full: Arc<AtomicBool>,
}

impl Gate {
    /// A gate by this clock and this measure of free space; `full` shows others whether writes are refused.
    pub(super) fn new(clock: Arc<Clock>, free_bytes: FreeBytes, full: Arc<AtomicBool>) -> Gate {
        Gate {
            clock,
            space: SpaceGuard::new(),
            free_bytes,
            full,
        }
    }

    /// What the clock shows, or why nothing is entered.
    pub(super) fn now(&mut self) -> Result<Instant, Refusal> {
        // What cannot be measured counts as nothing.
        let free_bytes = (self.free_bytes)().unwrap_or(0);
        let open = self.space.observe(free_bytes);
        self.full.store(!open, Ordering::Relaxed);
        if !open {
            return Err(Refusal::new(
                "storage.full",
                "there is too little room on the ledger's disk; reads go on",
            )
            .remedy("try again later; the operator makes room"));
        }
        self.clock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::clock::ClockChoice;

    #[test]
    fn little_room_closes_the_gate_until_there_is_enough() {
        let mib = 1024 * 1024;
        let mut free = [600, 200, 400, 600].into_iter();
        let full = Arc::new(AtomicBool::new(false));
        let clock = Arc::new(Clock::start(ClockChoice::Manual, Instant::from_millis(7)));
        let measure = Box::new(move || Ok(free.next().unwrap_or(0) * mib));
        let mut gate = Gate::new(clock, measure, Arc::clone(&full));
        assert_eq!(gate.now(), Ok(Instant::from_millis(7)));
        assert_eq!(gate.now().unwrap_err().rule, "storage.full");
        assert!(full.load(Ordering::Relaxed));
        assert_eq!(gate.now().unwrap_err().rule, "storage.full");
        assert!(gate.now().is_ok());
        assert!(!full.load(Ordering::Relaxed));
    }

    #[test]
    fn unmeasured_room_closes_the_gate() {
        let clock = Arc::new(Clock::start(ClockChoice::Manual, Instant::MIN));
        let measure = Box::new(|| Err(io::Error::other("gone")));
        let mut gate = Gate::new(clock, measure, Arc::default());
        assert_eq!(gate.now().unwrap_err().rule, "storage.full");
    }
}
