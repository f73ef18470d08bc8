//! Whether entries follow one another, and whether their times can be: held against the times at which witnesses cosigned.

use crate::chain::instant::format_time;
use crate::chain::policy::Witnessed;
use crate::chain::tiles::{TILE_WIDTH, TileKind, TilePath, decode_bundle};
use crate::chain::{Checkpoint, Hash, Line, Tree};

use super::Trouble;
use super::alarm::Alarm;
use super::source::Source;

/// How far the clocks of a ledger and of witnesses may be apart.
const SKEW_MS: i64 = 5 * 60_000;

/// The entries that were gone through, and when witnesses saw checkpoints.
#[derive(Debug, Default)]
pub(super) struct Times {
    tree: Tree,
    last: Option<(i64, Hash)>,
    /// Checkpoints that were cosigned, in order of size, each with the first and the last time of a cosignature in milliseconds.
    cosigned: Vec<(Checkpoint, i64, i64)>,
}

impl Times {
    /// A checkpoint was cosigned.
    pub(super) fn saw(&mut self, believed: &Witnessed) {
        let times = believed.cosignatures.iter().map(|by| by.time_s);
        let ms = |time_s: Option<u64>| {
            Some(i64::try_from(time_s?).map_or(i64::MAX, |time_s| time_s.saturating_mul(1_000)))
        };
        let (first, last) = (ms(times.clone().min()), ms(times.max()));
        let newest = self
            .cosigned
            .last()
            .map_or(0, |(checkpoint, ..)| checkpoint.size);
        if let (Some(first), Some(last)) = (first, last)
            && believed.checkpoint.size > newest
        {
            self.cosigned
                .push((believed.checkpoint.clone(), first, last));
        }
    }

    /// Goes through the entries up to `size` that it has not gone through.
    pub(super) fn check(&mut self, source: &Source, size: u64) -> Result<(), Trouble> {
        while self.tree.size() < size {
            let n = self.tree.size();
            let path = TilePath::within(TileKind::Entries, n / TILE_WIDTH, size);
            let path = path.ok_or_else(|| Trouble::unreadable("entries", "beyond the end"))?;
            let bytes = source.tile(path)?;
            let altered = |why: &str| Alarm::Altered {
                n,
                why: why.to_owned(),
            };
            let entries = decode_bundle(&bytes).ok_or_else(|| altered("its bundle is cut"))?;
            if entries.len() != usize::from(path.width()) {
                return Err(altered("its bundle is not as wide as its name").into());
            }
            for entry in entries.into_iter().skip((n % TILE_WIDTH) as usize) {
                self.take(entry)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Alarm> {
        let n = self.tree.size();
        let altered = |why: String| Alarm::Altered { n, why };
        let (entry, line) = Line::decode(bytes).map_err(|error| altered(error.to_string()))?;
        let (time, prev) = self.last.unwrap_or((0, Hash::ZERO));
        if entry.n() != n {
            return Err(altered(format!("it says that it is entry {}", entry.n())));
        }
        if line.prev() != &prev {
            return Err(altered("it does not follow the entry before it".to_owned()));
        }
        self.can_be(n, entry.time_ms(), time)?;
        self.tree.append(*line.leaf());
        self.last = Some((entry.time_ms(), *line.leaf()));
        self.matches()
    }

    /// "Cosignatures bound it": what a witness saw was there by then, and what it did not see came after.
    fn can_be(&self, n: u64, time: i64, before: i64) -> Result<(), Alarm> {
        let text = |ms: i64| format_time(ms).unwrap_or_else(|| format!("{ms} ms"));
        let wrong = |why: String| Alarm::ImpossibleTime {
            n,
            time: text(time),
            why,
        };
        if time < before {
            return Err(wrong(format!("the entry before it {}", text(before))));
        }
        let at = self.cosigned.partition_point(|(seen, ..)| seen.size <= n);
        if let Some((covering, first, _)) = self.cosigned.get(at)
            && time > first.saturating_add(SKEW_MS)
        {
            let seen = format!(
                "witnesses saw it in {} entries at {}",
                covering.size,
                text(*first)
            );
            return Err(wrong(seen));
        }
        if let Some((without, _, last)) = at.checked_sub(1).and_then(|i| self.cosigned.get(i))
            && time < last.saturating_sub(SKEW_MS)
        {
            let unseen = format!(
                "witnesses saw {} entries without it at {}",
                without.size,
                text(*last)
            );
            return Err(wrong(unseen));
        }
        Ok(())
    }

    /// Where a checkpoint ends here, its root must be that of the entries.
    fn matches(&self) -> Result<(), Alarm> {
        let size = self.tree.size();
        let mut here = self.cosigned.iter().filter(|(seen, ..)| seen.size == size);
        match here.next() {
            Some((seen, ..)) if seen.root != self.tree.root() => Err(Alarm::Altered {
                n: size - 1,
                why: "up to it the entries do not give the root that was cosigned".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
