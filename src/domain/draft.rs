//! Effects in the making: reads see what the operation has written so far.

use std::collections::BTreeMap;

use super::head::Head;
use super::refusal::Refusal;
use super::state::{Effects, Stored};
use super::values::{Instant, MadeId, PartyId};

/// The effects of one operation while it is being decided, laid over the state.
#[derive(Debug)]
pub struct Draft<'h> {
    /// What the operation is judged against.
    pub head: &'h Head<'h>,
    effects: Effects,
    made: BTreeMap<&'static str, u32>,
}

impl<'h> Draft<'h> {
    /// No effects yet; the actor alone is told.
    pub fn new(head: &'h Head<'h>) -> Draft<'h> {
        let mut effects = Effects::default();
        effects.audience.insert(head.by);
        Draft {
            head,
            effects,
            made: BTreeMap::new(),
        }
    }

    /// The object as it stands after what was written so far. It asks nobody's leave: an id that the
    /// operation names goes through [`Head`] first.
    pub fn get<T: Stored>(&self, id: T::Id) -> &T {
        self.find(id)
            .expect("an id that an object of the state names is in the state")
    }

    /// The same, for an id that may not exist.
    pub fn find<T: Stored>(&self, id: T::Id) -> Option<&T> {
        let changed = T::changed(&self.effects).get(&id).map(Box::as_ref);
        changed.or_else(|| T::table(self.head.state).get(id))
    }

    /// The object, to be changed.
    pub fn edit<T: Stored>(&mut self, id: T::Id) -> &mut T {
        let state = self.head.state;
        T::changed_mut(&mut self.effects)
            .entry(id)
            .or_insert_with(|| {
                let object = T::table(state).get(id);
                let object =
                    object.expect("an id that an object of the state names is in the state");
                Box::new(object.clone())
            })
    }

    /// Writes an object whole.
    pub fn put<T: Stored>(&mut self, object: T) {
        T::changed_mut(&mut self.effects).insert(object.id(), Box::new(object));
    }

    /// The objects of a kind that this operation has written.
    pub fn written<T: Stored>(&self) -> impl Iterator<Item = &T> {
        T::changed(&self.effects).values().map(Box::as_ref)
    }

    /// The id of the next object that the operation makes; the k-th of a prefix in order of creation.
    pub fn make_id<I: MadeId>(&mut self) -> I {
        let next = self.made.entry(I::PREFIX).or_default();
        let k = *next;
        *next += 1;
        I::of(&self.head.op, k)
    }

    /// Lets a party read the entry.
    pub fn tell(&mut self, party: PartyId) {
        self.effects.audience.insert(party);
    }

    /// Lets a party read the entry from an instant on.
    pub fn tell_from(&mut self, party: PartyId, from: Instant) {
        self.effects.audience_later.insert(party, from);
    }

    /// Records a rule of severity `warn` that did not hold.
    pub fn warn(&mut self, warning: Refusal) {
        self.effects.warnings.push(warning);
    }

    /// Writes the ledger's own record.
    pub fn put_ledger(&mut self, ledger: super::objects::Ledger) {
        self.effects.ledger = Some(ledger);
    }

    /// What was decided.
    pub fn done(self) -> Effects {
        self.effects
    }
}
