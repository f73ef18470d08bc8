//! What an operation is judged against: the state, the time, who acts and who else signed.

use super::draft::Draft;
use super::objects::{Ledger, Party, Receivable};
use super::policy::Stake;
use super::refusal::{Refusal, ensure};
use super::rulebook::Rulebook;
use super::state::State;
use super::values::{Addresses, Amount, Currency, Day, Fen, Instant, Name, OpId, PartyId};
use super::visibility::{Seen, Viewer};

/// The head of the ledger as one operation meets it.
#[derive(Debug)]
pub struct Head<'s> {
    /// Everything the ledger knows.
    pub state: &'s State,
    /// The ledger's time, an argument as everything else.
    pub time: Instant,
    /// The acting party.
    pub by: PartyId,
    /// The ledger that the payload names.
    pub origin: &'s Name,
    /// The operation's id, from which the ids of what it makes come.
    pub op: OpId,
    /// The other parties whose consent stands on the envelope.
    pub signed: Vec<PartyId>,
}

impl<'s> Head<'s> {
    /// Effects in the making, none yet.
    pub fn draft(&self) -> Draft<'_> {
        Draft::new(self)
    }

    /// The ledger's own record.
    pub fn ledger(&self) -> Result<&'s Ledger, Refusal> {
        let missing = || Refusal::new("ledger.missing", "entry 0, ledger.create, is still to come");
        self.state.ledger.as_ref().ok_or_else(missing)
    }

    /// The legal day it is.
    pub fn today(&self) -> Result<Day, Refusal> {
        self.day_of(self.time)
    }

    /// The legal day of an instant.
    pub fn day_of(&self, instant: Instant) -> Result<Day, Refusal> {
        Ok(self.ledger()?.utc_offset.day_of(instant))
    }

    /// The instant at which a legal day ends: its 24:00.
    pub fn end_of(&self, day: Day) -> Result<Instant, Refusal> {
        Ok(self.ledger()?.utc_offset.end_of(day))
    }

    /// The rulebook in force today.
    pub fn rulebook(&self) -> Result<&'s Rulebook, Refusal> {
        Ok(self.ledger()?.rulebook_on(self.today()?))
    }

    /// The rulebook that an object was made under.
    pub fn rulebook_of(&self, version: u32) -> Result<&'s Rulebook, Refusal> {
        Ok(self.ledger()?.rulebook(version))
    }

    /// The acting party.
    pub fn actor(&self) -> Result<&'s Party, Refusal> {
        self.party(self.by)
    }

    /// A party of the register, which every admitted party may see.
    pub fn party(&self, id: PartyId) -> Result<&'s Party, Refusal> {
        self.state
            .parties
            .get(id)
            .ok_or_else(|| Refusal::unknown_object("party", id))
    }

    /// Whether a party other than the actor signed too.
    pub fn also_signed(&self, party: PartyId) -> bool {
        self.signed.contains(&party)
    }

    /// Guard 0: an object that the operation names, if the actor may see it; else the same answer as for an id
    /// that never existed.
    pub fn named<T: Seen>(&self, id: T::Id) -> Result<&'s T, Refusal> {
        self.find::<T>(id)
            .ok_or_else(|| Refusal::unknown_object(T::KIND, id))
    }

    /// The object, if it exists and the actor may see it.
    pub fn find<T: Seen>(&self, id: T::Id) -> Option<&'s T> {
        let viewer = Viewer {
            state: self.state,
            party: self.by,
            time: self.time,
        };
        viewer.find::<T>(id)
    }

    /// How many decimals a currency has, if the rulebook knows it.
    pub fn currency(&self, currency: Currency) -> Result<u8, Refusal> {
        let unknown = || {
            Refusal::new("currency.unknown", "the rulebook has no such currency")
                .input("currency", currency)
        };
        self.rulebook()?
            .currencies
            .decimals(currency)
            .ok_or_else(unknown)
    }

    /// An amount above zero in a currency, in its smallest unit.
    pub fn amount(
        &self,
        field: &'static str,
        amount: &Amount,
        currency: Currency,
    ) -> Result<Fen, Refusal> {
        let fen = self.amount_or_zero(field, amount, currency)?;
        ensure(fen > Fen::ZERO, || {
            Refusal::new("amount.zero", "the amount must be above zero").input(field, amount)
        })?;
        Ok(fen)
    }

    /// An amount in a currency, in its smallest unit. Where a body names no currency, its decimals are checked here.
    pub fn amount_or_zero(
        &self,
        field: &'static str,
        amount: &Amount,
        currency: Currency,
    ) -> Result<Fen, Refusal> {
        amount
            .fen(currency, &self.rulebook()?.currencies)
            .map_err(|error| {
                Refusal::new("amount.decimals", error.to_string())
                    .input(field, amount)
                    .input("currency", currency)
            })
    }

    /// What amounts in a body come to, for the signers' policies; nothing where there are none.
    pub fn stake<'a>(
        &self,
        field: &'static str,
        amounts: impl IntoIterator<Item = &'a Amount>,
        currency: Currency,
    ) -> Result<Option<Stake>, Refusal> {
        let mut sum: Option<Fen> = None;
        for amount in amounts {
            let fen = self.amount_or_zero(field, amount, currency)?;
            sum = Some(sum.map_or(fen, |sum| sum.saturating_add(fen)));
        }
        Ok(sum.map(|fen| Stake { currency, fen }))
    }

    /// What addresses of fens come to, for the signers' policies.
    pub fn stake_of(&self, addresses: &Addresses) -> Result<Option<Stake>, Refusal> {
        let first = addresses.iter().next();
        let Some(first) = first else { return Ok(None) };
        let currency = self.named::<Receivable>(first.receivable)?.currency;
        let fen = addresses.total().unwrap_or(Fen::MAX);
        Ok(Some(Stake { currency, fen }))
    }

    /// An end that lies ahead, by at most `days` days.
    pub fn ends_within(&self, field: &'static str, end: Instant, days: i64) -> Result<(), Refusal> {
        ensure(end > self.time && end <= self.time.plus_days(days), || {
            Refusal::new(
                "end.range",
                format!("the end must lie ahead, by at most {days} days"),
            )
            .input(field, end)
            .input("ledger_time", self.time)
        })
    }
}
