//! How much one address may ask for: a bucket of tokens for each, which fills with time.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant as Moment;

/// Addresses that are remembered, twice: those that came again lately, and those before them. So an attacker with many
/// addresses takes so much memory and no more, and is forgotten no sooner than after as many others.
const ADDRESSES_MAX: usize = 32_768;
/// The longest that forged signatures keep an address waiting: behind it there may be others.
const DEBT_MAX: Duration = Duration::from_secs(60);

/// What a request costs its address, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost(pub(super) u32);

impl Cost {
    /// Anything that is not named below.
    pub(super) const REQUEST: Cost = Cost(1);
    /// A TLS handshake: arithmetic before anybody is known.
    pub(super) const HANDSHAKE: Cost = Cost(2);
    /// A challenge or a request for a session: hashes, a signature, a place in memory.
    pub(super) const SESSION: Cost = Cost(10);
    /// A signature that does not verify or is nobody's: honest clients send none.
    pub(super) const FORGED: Cost = Cost(50);
}

/// The buckets of all addresses.
///
/// A bucket is the moment at which it is full again: what was taken lies between now and then.
#[derive(Debug)]
pub(super) struct Rates {
    /// How long one token takes to come back.
    token: Duration,
    /// How long a bucket takes to fill.
    burst: Duration,
    full_at: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<IpAddr, Moment>,
    old: HashMap<IpAddr, Moment>,
}

impl Rates {
    /// So many tokens come back in a second, and so many are there after a rest.
    pub(super) fn new(per_second: u32, burst: u32) -> Rates {
        let token = Duration::from_secs(1) / per_second.max(1);
        Rates {
            token,
            burst: token * burst,
            full_at: Mutex::default(),
        }
    }

    /// Takes what a request costs, or says after how long there is enough.
    pub(super) fn take(&self, address: IpAddr, Cost(tokens): Cost) -> Result<(), Duration> {
        let now = Moment::now();
        self.at(address, |full_at| {
            let taken = full_at.saturating_duration_since(now) + self.token * tokens;
            match taken
                .checked_sub(self.burst)
                .filter(|lacks| !lacks.is_zero())
            {
                Some(lacks) => Err(lacks),
                None => {
                    *full_at = now + taken;
                    Ok(())
                }
            }
        })
    }

    /// Takes what has been used already, even where it is not there: the address waits the longer.
    pub(super) fn charge(&self, address: IpAddr, Cost(tokens): Cost, times: u32) {
        let now = Moment::now();
        self.at(address, |full_at| {
            let more = self.token.saturating_mul(tokens.saturating_mul(times));
            let taken = full_at.saturating_duration_since(now).saturating_add(more);
            *full_at = now + taken.min(self.burst + DEBT_MAX);
        });
    }

    fn at<R>(&self, address: IpAddr, change: impl FnOnce(&mut Moment) -> R) -> R {
        let mut generations = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        change(generations.bucket(address))
    }
}

impl Generations {
    fn bucket(&mut self, address: IpAddr) -> &mut Moment {
        if self.young.len() >= ADDRESSES_MAX && !self.young.contains_key(&address) {
            self.old = mem::take(&mut self.young);
        }
        let Generations { young, old } = self;
        young
            .entry(address)
            .or_insert_with(|| old.remove(&address).unwrap_or_else(Moment::now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from(n).into()
    }

    fn paused(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(test);
    }

    async fn pass(millis: u64) {
        tokio::time::advance(Duration::from_millis(millis)).await;
    }

    #[test]
    fn an_address_has_a_burst_and_then_its_rate() {
        paused(async {
            let rates = Rates::new(10, 3);
            let take = || rates.take(address(1), Cost(1));
            for _ in 0..3 {
                assert_eq!(take(), Ok(()));
            }
            assert_eq!(take(), Err(Duration::from_millis(100)));
            assert_eq!(rates.take(address(2), Cost(1)), Ok(()), "each has its own");
            pass(99).await;
            assert_eq!(take(), Err(Duration::from_millis(1)));
            pass(1).await;
            assert_eq!(take(), Ok(()));
            assert_eq!(take(), Err(Duration::from_millis(100)));
            // A rest of a day fills it once, not many times.
            pass(86_400_000).await;
            assert_eq!(rates.take(address(1), Cost(3)), Ok(()));
            assert!(take().is_err());
        });
    }

    #[test]
    fn forged_signatures_leave_a_debt_that_ends() {
        paused(async {
            let rates = Rates::new(10, 100);
            rates.charge(address(1), Cost::FORGED, 2);
            assert_eq!(
                rates.take(address(1), Cost(1)),
                Err(Duration::from_millis(100))
            );
            rates.charge(address(1), Cost::FORGED, u32::MAX);
            let wait = rates.take(address(1), Cost(1)).unwrap_err();
            assert_eq!(wait, DEBT_MAX + Duration::from_millis(100));
            tokio::time::advance(wait).await;
            assert_eq!(rates.take(address(1), Cost(1)), Ok(()));
        });
    }

    #[test]
    fn addresses_without_number_take_no_more_memory_and_free_nobody_at_once() {
        paused(async {
            let rates = Rates::new(1, 1);
            rates.charge(address(0), Cost::FORGED, 1);
            let many = u32::try_from(ADDRESSES_MAX).unwrap();
            for n in 1..many + 10 {
                rates.take(address(n), Cost(1)).unwrap();
            }
            assert!(rates.take(address(0), Cost(1)).is_err());
            for n in many + 10..4 * many {
                rates.take(address(n), Cost(1)).unwrap();
            }
            let kept = rates.full_at.lock().unwrap();
            assert!(kept.young.len() <= ADDRESSES_MAX && kept.old.len() <= ADDRESSES_MAX);
        });
    }
}
