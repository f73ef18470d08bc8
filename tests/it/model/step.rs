//! One step of a history: an operation, who signs it and when the ledger takes it in.

use std::sync::OnceLock;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use counterfoil::domain::ops;
use counterfoil::domain::payload::Payload;
use counterfoil::domain::values::{Instant, MadeId, OpId, PartyId, PublicKey};
use sha2::{Digest as _, Sha256};

use super::days::Time;

/// The ledger of every history.
pub(super) const ORIGIN: &str = "drill.test/0123456789abcdef";
/// A ledger that is another.
pub(super) const ELSEWHERE: &str = "drill.test/fedcba9876543210";

macro_rules! bodies {
    ($($variant:ident: $body:ty,)+) => {
        /// The body of an operation that a history may take: every one of the registry but `ledger.create`.
        #[derive(Debug)]
        #[expect(clippy::large_enum_variant, reason = "a step is made once and stays where it is")]
        pub(super) enum Body {
            $($variant($body),)+
        }

        $(impl From<$body> for Body {
            fn from(body: $body) -> Body {
                Body::$variant(body)
            }
        })+

        impl Body {
            /// Its name on the wire.
            pub(super) fn name(&self) -> &'static str {
                match self {
                    $(Body::$variant(_) => <$body as counterfoil::domain::operation::Operation>::NAME,)+
                }
            }

            fn json(&self) -> String {
                match self {
                    $(Body::$variant(body) => serde_json::to_string(body),)+
                }
                .unwrap()
            }
        }
    };
}

bodies! {
    LedgerUpgrade: ops::ledger::upgrade::Upgrade,
    LedgerRekey: ops::ledger::rekey::Rekey,
    RulebookPublish: ops::rulebook::publish::Publish,
    PartyAdmit: ops::party::admit::Admit,
    PartyAmend: ops::party::amend::Amend,
    PartySuspend: ops::party::suspend::Suspend,
    PartyReinstate: ops::party::reinstate::Reinstate,
    KeyAdd: ops::key::add::Add,
    KeyRevoke: ops::key::revoke::Revoke,
    KeyRecover: ops::key::recover::Recover,
    KeyVeto: ops::key::veto::Veto,
    PolicySet: ops::policy::set::Set,
    AccountAdd: ops::account::add::Add,
    AccountAttest: ops::account::attest::Attest,
    AccountClose: ops::account::close::Close,
    ContractPropose: ops::contract::propose::Propose,
    ContractAccept: ops::contract::accept::Accept,
    ContractDecline: ops::contract::decline::Decline,
    ContractAmend: ops::contract::amend::Amend,
    ContractClose: ops::contract::close::Close,
    DeliveryRecord: ops::delivery::record::Record,
    DeliveryAccept: ops::delivery::accept::Accept,
    DeliveryReject: ops::delivery::reject::Reject,
    InvoiceIssue: ops::invoice::issue::Issue,
    InvoiceAttest: ops::invoice::attest::Attest,
    InvoiceFlag: ops::invoice::flag::Flag,
    InvoiceUnflag: ops::invoice::unflag::Unflag,
    InvoiceBook: ops::invoice::book::Book,
    InvoiceVoid: ops::invoice::void::Void,
    InvoiceCredit: ops::invoice::credit::Credit,
    ReceivableRegister: ops::receivable::register::Register,
    ReceivableConfirm: ops::receivable::confirm::Confirm,
    ReceivableDecline: ops::receivable::decline::Decline,
    ReceivableDispute: ops::receivable::dispute::Dispute,
    ReceivableResolve: ops::receivable::resolve::Resolve,
    ReceivableWithdraw: ops::receivable::withdraw::Withdraw,
    ClaimExtend: ops::claim::extend::Extend,
    ClaimWaive: ops::claim::waive::Waive,
    TransferPropose: ops::transfer::propose::Propose,
    TransferAccept: ops::transfer::accept::Accept,
    TransferDecline: ops::transfer::decline::Decline,
    TransferCancel: ops::transfer::cancel::Cancel,
    LimitSet: ops::limit::set::Set,
    RequestOpen: ops::request::open::Open,
    RequestWithdraw: ops::request::withdraw::Withdraw,
    OfferMake: ops::offer::make::Make,
    OfferCommit: ops::offer::commit::Commit,
    OfferReveal: ops::offer::reveal::Reveal,
    OfferWithdraw: ops::offer::withdraw::Withdraw,
    OfferAccept: ops::offer::accept::Accept,
    FinancingCancel: ops::financing::cancel::Cancel,
    LegAnnounce: ops::leg::announce::Announce,
    LegAttest: ops::leg::attest::Attest,
    LegContest: ops::leg::contest::Contest,
    LegReverse: ops::leg::reverse::Reverse,
    ObligationWaive: ops::obligation::waive::Waive,
    OperationCancel: ops::operation::cancel::Cancel,
}

/// A step. Its number makes the ids of what it makes, so that steps before it can be left out and the rest still
/// name the same things.
#[derive(Debug)]
pub(super) struct Step {
    /// Its number, unique in the history.
    pub(super) number: u64,
    /// The ledger's time.
    pub(super) time: Time,
    /// The ledger that the payload names.
    pub(super) ledger: &'static str,
    /// The acting party.
    pub(super) by: PartyId,
    /// Which keys sign, by name; the first key of a party has the party's.
    pub(super) signers: Vec<PartyId>,
    /// When the payload expires.
    pub(super) not_after: Time,
    /// What is asked.
    pub(super) body: Body,
    /// The payload, once somebody has asked for it.
    pub(super) read: OnceLock<Payload>,
}

impl Step {
    /// The operation's id.
    pub(super) fn op(&self) -> OpId {
        Step::op_of(self.number)
    }

    /// The id of the operation of that number.
    pub(super) fn op_of(number: u64) -> OpId {
        OpId(Sha256::digest(number.to_be_bytes()).into())
    }

    /// The id of the first thing of its kind that the operation makes.
    pub(super) fn made<I: MadeId>(&self) -> I {
        I::of(&self.op(), 0)
    }

    /// The payload as it is signed.
    pub(super) fn bytes(&self) -> String {
        format!(
            r#"{{"ledger":"{}","op":"{}","party":"{}","nonce":"{:032x}","not_after":"{}","body":{}}}"#,
            self.ledger,
            self.body.name(),
            self.by,
            self.number,
            Instant::from_millis(self.not_after),
            self.body.json(),
        )
    }

    /// The payload as the ledger reads it.
    pub(super) fn payload(&self) -> &Payload {
        let read = || Payload::decode(&self.bytes()).unwrap();
        self.read.get_or_init(read)
    }

    /// The keys whose signatures have verified.
    pub(super) fn keys(&self) -> Vec<PublicKey> {
        let mut keys: Vec<PublicKey> = self.signers.iter().map(|party| key_of(*party)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// What a signing key is called.
    pub(super) fn name_of(&self, key: PublicKey) -> PartyId {
        let mut names = self.signers.iter();
        *names.find(|name| key_of(**name) == key).unwrap()
    }

    /// The instant at which the ledger judges it.
    pub(super) fn at(&self) -> Instant {
        Instant::from_millis(self.time)
    }
}

/// The verifier key by which that key would sign the checkpoints of the ledger.
pub(super) fn vkey_of(key: PublicKey) -> String {
    let typed = [&[1][..], key.as_bytes()].concat();
    let id = Sha256::digest([ORIGIN.as_bytes(), b"\n", &typed].concat());
    let id = hex::encode(&id[..4]);
    format!("{ORIGIN}+{id}+{}", BASE64_STANDARD.encode(typed))
}

/// The key of a name.
pub(super) fn key_of(party: PartyId) -> PublicKey {
    PublicKey(Sha256::digest(party.to_string()).into())
}
