//! The register: who is admitted, and by which keys to check its signatures.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::Party;
use crate::domain::values::{
    Day, Digest, Instant, Label, Name, PartyId, Power, PublicKey, Role, Scope, Size,
};
use crate::domain::visibility::Viewer;

/// A party as the register shows it to every admitted party.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PartyRow {
    /// The identifier it acts under.
    pub id: PartyId,
    /// Its other identifiers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<PartyId>,
    /// Its legal name.
    pub name: Name,
    /// What it does.
    pub roles: Vec<Role>,
    /// What an authority is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// Its size class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Since when.
    pub admitted: Instant,
    /// Its keys, in order of admission.
    pub keys: Vec<KeyRow>,
    /// The last day of its identification: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kyc_valid_to: Option<Day>,
    /// Digest of the evidence it was admitted on: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
    /// Digest of the agreement it signed: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Digest>,
}

/// A key in the register.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct KeyRow {
    /// The key.
    pub key: PublicKey,
    /// What it may sign.
    pub powers: Vec<Power>,
    /// Live from here on.
    pub from: Instant,
    /// What the party calls it: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// Who holds it: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Label>,
}

impl Shown for Party {
    type Row = PartyRow;

    /// The register: id, names, roles, size class, live keys and their history; no accounts, evidence or policies.
    fn row(&self, viewer: &Viewer<'_>) -> PartyRow {
        let whole = viewer.party == self.id || viewer.audits();
        let keys = self.keys.iter().map(|key| KeyRow {
            key: key.key,
            powers: key.powers.iter().copied().collect(),
            from: key.from,
            label: whole.then(|| key.label.clone()),
            person: whole.then(|| key.person.clone()),
        });
        PartyRow {
            id: self.id,
            aliases: self.aliases.iter().copied().collect(),
            name: self.name.clone(),
            roles: self.roles.iter().copied().collect(),
            scopes: self.scopes.iter().copied().collect(),
            size: self.size,
            admitted: self.admitted,
            keys: keys.collect(),
            kyc_valid_to: self.kyc_valid_to.filter(|_| whole),
            evidence: self.evidence.filter(|_| whole),
            agreement: self.agreement.filter(|_| whole),
        }
    }
}
