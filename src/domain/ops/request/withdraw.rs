//! `request.withdraw`: the requester asks no more, and the fens are free again.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Disposition, Request, RequestState};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::RequestId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The request.
    pub request: RequestId,
}

impl Operation for Withdraw {
    const NAME: &'static str = "request.withdraw";
    const SUMMARY: &'static str = "The requester withdraws its request";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let request = at.named::<Request>(self.request)?.live(at.time)?;
        ensure(request.requester == at.by, || {
            Refusal::new(
                "request.not_requester",
                "a request is withdrawn by its requester",
            )
            .input("request", request.id)
        })?;
        let mut draft = at.draft();
        draft.edit::<Request>(request.id).state = RequestState::Withdrawn(at.time);
        draft.unlock(&request.addresses, Disposition::Request(request.id));
        Ok(draft.done())
    }
}
