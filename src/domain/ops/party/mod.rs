//! Operations on the register: who is admitted, as what, and who is suspended.

pub mod admit;
pub mod amend;
pub mod reinstate;
pub mod suspend;

use crate::domain::head::Head;
use crate::domain::objects::PartyLink;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{PartyId, Role, Scope, Size};

/// The roles that an authority or the party's bank vouches for.
const VOUCHED: [Role; 4] = [Role::Debtor, Role::Lender, Role::Guarantor, Role::Bank];
/// The roles that only a legal entity with an official identifier has.
const IDENTIFIED: [Role; 2] = [Role::Supplier, Role::Debtor];

/// What the register is to say of a party, and who vouches for it.
struct Facts<'b> {
    party: PartyId,
    aliases: &'b [PartyId],
    roles: &'b [Role],
    scopes: &'b [Scope],
    size: Option<Size>,
    vouched_by: Option<PartyId>,
}

impl Facts<'_> {
    /// Lists in order, roles with what they ask for.
    fn check_shape(&self) -> Result<(), Refusal> {
        let sorted = strictly_sorted(self.roles)
            && strictly_sorted(self.scopes)
            && strictly_sorted(self.aliases);
        ensure(
            sorted && !self.roles.is_empty() && !self.aliases.contains(&self.party),
            || {
                Refusal::new(
                    "party.lists",
                    "roles, scopes and aliases are sorted and name each thing once",
                )
            },
        )?;
        ensure(!self.roles.contains(&Role::Operator), || {
            Refusal::new(
                "party.operator",
                "the operator is the party of ledger.create alone",
            )
        })?;
        ensure(
            self.roles.contains(&Role::Authority) != self.scopes.is_empty(),
            || {
                Refusal::new(
                    "party.scopes",
                    "an authority has scopes, and nobody else has",
                )
            },
        )?;
        let trades = self.roles.iter().any(|role| IDENTIFIED.contains(role));
        ensure(!trades || !self.party.is_x(), || {
            Refusal::new(
                "party.identifier",
                "a supplier or debtor acts under a uscc: or lei: identifier",
            )
            .input("party", self.party)
        })?;
        ensure(!trades || self.size.is_some(), || {
            Refusal::new("party.size", "a supplier or debtor has a size class")
        })
    }

    /// Debtor, lender, guarantor and bank need an authority's or their bank's signature too.
    fn check_voucher(&self, at: &Head<'_>) -> Result<(), Refusal> {
        let needed = self.roles.iter().any(|role| VOUCHED.contains(role));
        let Some(party) = self.vouched_by else {
            return ensure(!needed, || {
                Refusal::new(
                    "party.unvouched",
                    "what the register is to say needs the signature of an authority or of its bank",
                )
                .remedy("name it as vouched_by and have it sign the same envelope")
            });
        };
        let voucher = at.party(party)?;
        let other = party != self.party;
        ensure(
            other && (voucher.is(Role::Authority) || voucher.is(Role::Bank)),
            || {
                Refusal::new(
                    "party.voucher",
                    "only an authority or a bank vouches for a party, and never for itself",
                )
                .input("vouched_by", party)
            },
        )
    }
}

/// Whoever signs as an authority is one.
pub(in crate::domain::ops) fn check_authority(
    at: &Head<'_>,
    named: Option<PartyId>,
) -> Result<(), Refusal> {
    let Some(party) = named else { return Ok(()) };
    let is_one = at.party(party)?.is(Role::Authority);
    ensure(is_one, || {
        Refusal::new("party.voucher", "only an authority signs this too").input("authority", party)
    })
}

/// One legal entity is one party: no identifier is another's.
fn untaken(at: &Head<'_>, mut ids: impl Iterator<Item = PartyId>) -> Result<(), Refusal> {
    let taken = ids.find(|id| at.state.parties.by(&PartyLink::Alias(*id)).next().is_some());
    match taken {
        None => Ok(()),
        Some(id) => Err(Refusal::new(
            "party.known",
            "one legal entity is one party: the identifier is admitted already",
        )
        .input("party", id)),
    }
}

fn strictly_sorted<T: Ord>(list: &[T]) -> bool {
    list.windows(2).all(|pair| pair[0] < pair[1])
}
