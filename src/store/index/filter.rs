//! Which keys may be among many: a Bloom filter in blocks of 256 bits, each a cache line or less, as Parquet has it.

/// Bits a key. Of the keys that are not there about one in two hundred seems to be.
const BITS_A_KEY: usize = 12;

/// Odd numbers that spread a key over the words of its block, from the specification of Parquet.
const SALT: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

type Block = [u32; 8];

/// A set of keys that takes others for its own now and then, and never misses one.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter(Vec<Block>);

impl Filter {
    /// Over these keys, which are hashes already.
    pub(super) fn new(keys: &[u64]) -> Filter {
        let blocks = (keys.len() * BITS_A_KEY).div_ceil(8 * size_of::<Block>());
        let mut filter = Filter(vec![Block::default(); blocks]);
        for key in keys {
            let at = filter.block(*key);
            for (word, bit) in filter.0[at].iter_mut().zip(bits(*key)) {
                *word |= bit;
            }
        }
        filter
    }

    /// Whether the key may be among them.
    pub(super) fn may_hold(&self, key: u64) -> bool {
        let block = self.0.get(self.block(key));
        block.is_some_and(|block| {
            block
                .iter()
                .zip(bits(key))
                .all(|(word, bit)| word & bit != 0)
        })
    }

    /// The upper half of a key chooses its block, without a division.
    fn block(&self, key: u64) -> usize {
        (((key >> 32) * self.0.len() as u64) >> 32) as usize
    }
}

/// The lower half chooses one bit of each word.
fn bits(key: u64) -> [u32; 8] {
    SALT.map(|salt| 1 << ((key as u32).wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::hash::sha256;

    fn key(n: u64) -> u64 {
        let hash = sha256(&n.to_be_bytes());
        u64::from_be_bytes(std::array::from_fn(|i| hash.as_bytes()[i]))
    }

    #[test]
    fn no_key_is_missed_and_few_others_are_taken_for_one() {
        for count in [0, 1, 2, 100, 20_000] {
            let keys: Vec<u64> = (0..count).map(key).collect();
            let filter = Filter::new(&keys);
            assert!(keys.iter().all(|key| filter.may_hold(*key)), "{count}");
            let others = (count..count + 20_000).map(key);
            let taken = others.filter(|key| filter.may_hold(*key)).count();
            assert!(taken < 200, "{taken} of 20,000 beside {count}");
        }
    }
}
