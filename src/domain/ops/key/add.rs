//! `key.add`: a party brings in a key, live a day later unless an admin key vetoes it.

use serde::{Deserialize, Serialize};

use super::{ask, changeable, check_powers, check_room, effective, untaken};
use crate::domain::head::Head;
use crate::domain::objects::{KeyChange, Party};
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::ops::ledger::create::KeyGrant;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The key, which signs this envelope too.
    pub key: KeyGrant,
}

impl Operation for Add {
    const NAME: &'static str = "key.add";
    const SUMMARY: &'static str = "A party adds a key, live after 24 hours unless vetoed";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            new_keys: vec![self.key.key],
            own: Asked::Highest,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let party = changeable(at)?;
        untaken(at, self.key.key)?;
        let key = self.key.grant(effective(at))?;
        check_powers(party, &key)?;
        check_room(party, at.time)?;

        let mut draft = at.draft();
        ask(&mut draft, at.by, key.from, KeyChange::Add(key.key))?;
        draft.edit::<Party>(at.by).keys.push(key);
        Ok(draft.done())
    }
}
