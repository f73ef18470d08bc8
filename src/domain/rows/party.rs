//! The register: who is admitted, and by which keys to check its signatures.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{KeyChange, Party, PartyKey, PendingChange};
use crate::domain::policy::PolicyRule;
use crate::domain::values::{
    Day, Digest, Instant, Label, Name, OpId, PartyId, Power, PublicKey, Reason, Role, Scope, Size,
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
    /// Until when it takes no new obligation, where it is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_until: Option<Instant>,
    /// Why it is suspended: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_for: Option<Reason>,
    /// The last day of its identification: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kyc_valid_to: Option<Day>,
    /// Digest of the evidence it was admitted on: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
    /// Digest of the agreement it signed: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Digest>,
    /// Which of its persons sign what, now: to itself and to an auditor. Without rules, a maker or admin key signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Vec<PolicyRule>>,
    /// The changes of keys and policy that wait and can be vetoed: to itself and to an auditor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<KeyChangeRow>,
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
    /// And no more from here on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// What the party calls it: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// Who holds it: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Label>,
}

/// A change of keys or policy that waits for its effect.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct KeyChangeRow {
    /// The operation that asked for it, which `key.veto` names.
    pub operation: OpId,
    /// When it takes effect.
    pub effective: Instant,
    /// What then happens.
    pub kind: KeyChangeKind,
    /// The key that begins or ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
    /// The policy that comes into force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<PolicyRule>>,
}

/// What a change of keys or policy does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyChangeKind {
    /// A key begins.
    Add,
    /// A key ends.
    Revoke,
    /// Every earlier key and policy ends, and a key begins.
    Recover,
    /// A policy comes into force.
    Policy,
}

impl Shown for Party {
    type Row = PartyRow;

    /// The register: id, names, roles, size class, live keys and their history; no accounts, evidence or policies.
    fn row(&self, viewer: &Viewer<'_>) -> PartyRow {
        let whole = viewer.party == self.id || viewer.audits();
        let policy = self
            .policy(viewer.time)
            .map(|policy| policy.rules().to_vec());
        let changes = self.pending(viewer.time).filter(|_| whole);
        let suspension = self.suspension.as_ref();
        let suspension = suspension.filter(|one| one.holds(viewer.time));
        PartyRow {
            id: self.id,
            aliases: self.aliases.iter().copied().collect(),
            name: self.name.clone(),
            roles: self.roles.iter().copied().collect(),
            scopes: self.scopes.iter().copied().collect(),
            size: self.size,
            admitted: self.admitted,
            keys: self.key_rows(viewer.time, whole),
            suspended_until: suspension.map(|one| one.ends),
            suspended_for: suspension.filter(|_| whole).map(|one| one.reason.clone()),
            kyc_valid_to: self.kyc_valid_to.filter(|_| whole),
            evidence: self.evidence.filter(|_| whole),
            agreement: self.agreement.filter(|_| whole),
            policy: policy.filter(|_| whole),
            changes: changes.map(|change| self.change_row(change)).collect(),
        }
    }
}

impl Party {
    /// Others learn of a key when it begins, and of its end when it ends: what waits can still be vetoed.
    fn key_rows(&self, time: Instant, whole: bool) -> Vec<KeyRow> {
        let known = |key: &&PartyKey| {
            let lives = self.end_of(key).is_none_or(|end| key.from < end);
            whole || (lives && key.from <= time)
        };
        let row = |key: &PartyKey| KeyRow {
            key: key.key,
            powers: key.powers.iter().copied().collect(),
            from: key.from,
            until: self.end_of(key).filter(|end| whole || *end <= time),
            label: whole.then(|| key.label.clone()),
            person: whole.then(|| key.person.clone()),
        };
        self.keys.iter().filter(known).map(row).collect()
    }

    fn change_row(&self, change: &PendingChange) -> KeyChangeRow {
        let (kind, key) = match change.change {
            KeyChange::Add(key) => (KeyChangeKind::Add, Some(key)),
            KeyChange::Revoke(key) => (KeyChangeKind::Revoke, Some(key)),
            KeyChange::Recover(key) => (KeyChangeKind::Recover, Some(key)),
            KeyChange::Policy => (KeyChangeKind::Policy, None),
        };
        let mut policies = self.policies.iter();
        let asked = policies.find(|dated| dated.op == change.op);
        KeyChangeRow {
            operation: change.op,
            effective: change.effective,
            kind,
            key,
            rules: asked.map(|dated| dated.policy.rules().to_vec()),
        }
    }
}
