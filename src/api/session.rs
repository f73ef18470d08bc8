//! Sessions: who reads. A client builds an envelope that names the ledger, this server, its party and a challenge of
//! ours, and signs it with a live key of the party; it gets a random token for fifteen minutes. The session ends
//! with its key: whether that is still live is asked of the state at every request.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Moment};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
use super::quota::Quota;
use crate::chain::pae::SESSION_TYPE;
use crate::chain::{Envelope, verify};
use crate::domain::state::State;
use crate::domain::values::{Instant, Name, PartyId, PublicKey, Salt};
use crate::domain::visibility::Viewer;

/// How long a challenge may wait to be signed.
pub const CHALLENGE_LASTS: Duration = Duration::from_secs(120);
/// How long a session lasts.
pub const SESSION_LASTS: Duration = Duration::from_secs(15 * 60);
/// Most sessions of one party; a further one takes the place of its oldest.
pub(super) const SESSIONS_PER_PARTY: usize = 64;
/// Most sessions that one party opens in a minute: so that no party's spent challenges leave no room for the others'.
const OPENED_MAX: u32 = 600;
/// Most sessions and spent challenges in all.
const SESSIONS_MAX: usize = 65_536;

/// The payload of a session envelope, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The ledger.
    pub ledger: Name,
    /// The origin of the server, such as `https://ledger.example`.
    pub audience: Name,
    /// Who asks.
    pub party: PartyId,
    /// What `POST /v1/challenges` gave.
    pub challenge: Challenge,
    /// From here on, by the ledger's time, the request is no more.
    pub expires: Instant,
}

/// A challenge: 16 random bytes, when it ends, and our tag on both. So it takes no memory until it is answered by a
/// live key, and nobody can fill ours with unanswered ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Challenge([u8; Challenge::LEN]);

impl Challenge {
    const RANDOM: usize = 16;
    const END: usize = Challenge::RANDOM + 8;
    const LEN: usize = Challenge::END + 32;
}

impl std::str::FromStr for Challenge {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Challenge, hex::FromHexError> {
        let mut bytes = [0; Challenge::LEN];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Challenge(bytes))
    }
}

impl Serialize for Challenge {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Challenge {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Challenge, D::Error> {
        let text = String::deserialize(from)?;
        text.parse()
            .map_err(|_| serde::de::Error::custom("a challenge is what POST /v1/challenges gave"))
    }
}

/// A token: known to its holder alone; here only its hash is kept.
type TokenHash = [u8; 32];

/// A reader who has shown a live key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// The party.
    pub party: PartyId,
    /// The key, with which the session ends.
    pub key: PublicKey,
}

#[derive(Debug)]
struct Session {
    reader: Reader,
    ends: Moment,
}

#[derive(Debug, Default)]
struct Known {
    sessions: HashMap<TokenHash, Session>,
    /// Challenges that were answered, until they end by themselves.
    spent: BTreeSet<(Moment, Challenge)>,
}

/// The sessions of one server.
pub struct Sessions {
    secret: Salt,
    /// Moments are told as milliseconds since here.
    began: Moment,
    opened: Quota,
    known: Mutex<Known>,
}

/// A signed request for a session whose form is right.
#[derive(Debug)]
pub struct Asked {
    request: SessionRequest,
    key: PublicKey,
}

impl Asked {
    /// Who asks.
    pub fn party(&self) -> PartyId {
        self.request.party
    }

    /// Reads a session envelope: canonical, of the session's type, with one signature that verifies.
    pub fn read(bytes: &[u8]) -> Result<Asked, Problem> {
        let envelope = Envelope::decode(bytes).map_err(|error| {
            Problem::bad_request(error.code(), "the body is no signed envelope")
                .error(&error.pointer, error.problem.to_string())
        })?;
        // One payload type per endpoint.
        if envelope.payload_type() != SESSION_TYPE {
            return Err(Problem::bad_request(
                "envelope.payload_type",
                format!("a session is asked for with payloadType {SESSION_TYPE}"),
            ));
        }
        let request: SessionRequest =
            serde_json::from_str(envelope.payload()).map_err(|error| {
                Problem::bad_request("payload.malformed", "the payload asks for no session")
                    .error("/payload", error.to_string())
            })?;
        let canonical =
            serde_json::to_string(&request).expect("a request is plain data, which JSON can hold");
        if canonical != envelope.payload() {
            return Err(Problem::bad_request(
                "payload.not_canonical",
                "the payload is not the canonical encoding of what it says",
            ));
        }
        let [(key, signature)] = envelope.signatures() else {
            return Err(Problem::bad_request(
                "session.one_signature",
                "one key signs for a session, which ends with it",
            ));
        };
        if !verify(key, &envelope.signed_bytes(), signature) {
            return Err(Problem::unauthorized(
                "signature.invalid",
                "the signature on the envelope does not verify",
            ));
        }
        let key = PublicKey(*key.as_bytes());
        Ok(Asked { request, key })
    }
}

impl Sessions {
    /// No sessions yet; fails only when the system has no random numbers.
    pub fn new() -> Result<Sessions, getrandom::Error> {
        Ok(Sessions {
            secret: Salt(random()?),
            began: Moment::now(),
            opened: Quota::new("sessions", OPENED_MAX),
            known: Mutex::default(),
        })
    }

    /// A challenge that may be answered once, for [`CHALLENGE_LASTS`].
    pub fn challenge(&self) -> Result<Challenge, Problem> {
        self.challenge_at(Moment::now())
    }

    fn challenge_at(&self, now: Moment) -> Result<Challenge, Problem> {
        let mut bytes = [0; Challenge::LEN];
        bytes[..Challenge::RANDOM].copy_from_slice(&random::<16>().map_err(no_random)?);
        let ends = millis(now + CHALLENGE_LASTS, self.began);
        bytes[Challenge::RANDOM..Challenge::END].copy_from_slice(&ends.to_be_bytes());
        let tag = self.tag(&bytes[..Challenge::END]);
        bytes[Challenge::END..].copy_from_slice(&tag);
        Ok(Challenge(bytes))
    }

    /// A keyed hash: all that is tagged has one length, so no tag can be extended to another's.
    fn tag(&self, bytes: &[u8]) -> [u8; 32] {
        let hash = Sha256::new()
            .chain_update(self.secret.0)
            .chain_update(bytes);
        hash.finalize().into()
    }

    /// When a challenge of ours ends.
    fn end_of(&self, challenge: &Challenge) -> Option<Moment> {
        let (said, tag) = challenge.0.split_at(Challenge::END);
        // The hashes of the tags are compared, so that the time it takes tells nothing of ours.
        let ours = Sha256::digest(self.tag(said));
        if Sha256::digest(tag) != ours {
            return None;
        }
        let millis = said[Challenge::RANDOM..].try_into().ok()?;
        self.began
            .checked_add(Duration::from_millis(u64::from_be_bytes(millis)))
    }

    /// Opens a session at the ledger's `time`, if the key is a live one of the party and the challenge is ours,
    /// unspent and in time. Returns the token, 64 hex digits.
    pub fn open(
        &self,
        asked: &Asked,
        audience: &str,
        state: &State,
        time: Instant,
    ) -> Result<String, Problem> {
        let request = &asked.request;
        let ledger = state.ledger.as_ref().map(|ledger| &ledger.origin);
        if ledger != Some(&request.ledger) || request.audience.as_str() != audience {
            return Err(Problem::unauthorized(
                "session.elsewhere",
                "the request was signed for another ledger or another server",
            ));
        }
        if request.expires <= time {
            return Err(Problem::unauthorized(
                "session.request_expired",
                "the request's time has passed",
            ));
        }
        let reader = Reader {
            party: request.party,
            key: asked.key,
        };
        // The same whether the party exists or not: the register is for those admitted.
        if !reader.is_live(state, time) {
            return Err(Problem::unauthorized(
                "key.unknown",
                "the signature is not by a live key of the party",
            ));
        }
        self.opened.take(reader.party)?;
        self.spend(&request.challenge, Moment::now())?;
        self.admit(reader, Moment::now())
    }

    /// "Challenge single use."
    fn spend(&self, challenge: &Challenge, now: Moment) -> Result<(), Problem> {
        let refused = || {
            Problem::unauthorized(
                "session.challenge",
                "the challenge is none of this server's, was answered before or has ended",
            )
        };
        let ends = self
            .end_of(challenge)
            .filter(|ends| *ends > now)
            .ok_or_else(refused)?;
        let mut known = self.known();
        while known.spent.first().is_some_and(|(ends, _)| *ends <= now) {
            known.spent.pop_first();
        }
        if known.spent.len() >= SESSIONS_MAX {
            return Err(full());
        }
        if known.spent.insert((ends, *challenge)) {
            Ok(())
        } else {
            Err(refused())
        }
    }

    pub(super) fn admit(&self, reader: Reader, now: Moment) -> Result<String, Problem> {
        let token = hex::encode(random::<32>().map_err(no_random)?);
        let mut known = self.known();
        known.sessions.retain(|_, session| session.ends > now);
        known.drop_oldest_of(reader.party);
        if known.sessions.len() >= SESSIONS_MAX {
            return Err(full());
        }
        let ends = now + SESSION_LASTS;
        known
            .sessions
            .insert(hash(&token), Session { reader, ends });
        Ok(token)
    }

    /// Whose session the `Authorization` header shows.
    pub fn reader(&self, authorization: Option<&str>) -> Result<Reader, Problem> {
        self.lasting(authorization).map(|(reader, _)| reader)
    }

    /// The same, and how long the session still lasts.
    pub(super) fn lasting(
        &self,
        authorization: Option<&str>,
    ) -> Result<(Reader, Duration), Problem> {
        let token = hash(token_of(authorization)?);
        let known = self.known();
        let session = known.sessions.get(&token);
        let now = Moment::now();
        session
            .filter(|session| session.ends > now)
            .map(|session| (session.reader, session.ends - now))
            .ok_or_else(ended)
    }

    /// Ends the session that the `Authorization` header shows.
    pub(super) fn end(&self, authorization: Option<&str>) -> Result<(), Problem> {
        self.reader(authorization)?;
        let token = hash(token_of(authorization)?);
        self.known().sessions.remove(&token);
        Ok(())
    }

    /// How many have not ended.
    pub(super) fn count(&self) -> usize {
        let now = Moment::now();
        let known = self.known();
        let live = known.sessions.values().filter(|session| session.ends > now);
        live.count()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn drop_oldest_of(&mut self, party: PartyId) {
        let own = self
            .sessions
            .iter()
            .filter(|(_, session)| session.reader.party == party);
        let mut own: Vec<(Moment, TokenHash)> =
            own.map(|(token, session)| (session.ends, *token)).collect();
        own.sort_unstable();
        if let Some((_, oldest)) = own.first().filter(|_| own.len() >= SESSIONS_PER_PARTY) {
            self.sessions.remove(oldest);
        }
    }
}

impl Reader {
    fn is_live(&self, state: &State, time: Instant) -> bool {
        let party = state.parties.get(self.party);
        party.is_some_and(|party| party.live_key(&self.key, time).is_some())
    }

    /// The party as a viewer of the state at `time`, if the session's key is still live.
    pub fn view<'s>(&self, state: &'s State, time: Instant) -> Result<Viewer<'s>, Problem> {
        if !self.is_live(state, time) {
            return Err(ended());
        }
        Ok(Viewer {
            state,
            party: self.party,
            time,
        })
    }
}

fn token_of(authorization: Option<&str>) -> Result<&str, Problem> {
    authorization
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| {
            Problem::unauthorized(
                "session.missing",
                "this takes a session: Authorization: Bearer and the token of POST /v1/sessions",
            )
        })
}

fn ended() -> Problem {
    Problem::unauthorized(
        "session.ended",
        "there is no such session, or none any more",
    )
}

fn full() -> Problem {
    Problem::unavailable("session.full", "there are too many sessions", 60)
}

fn no_random(_: getrandom::Error) -> Problem {
    Problem::unavailable("random.none", "the system gives no random numbers", 60)
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn hash(token: &str) -> TokenHash {
    Sha256::digest(token).into()
}

fn millis(moment: Moment, began: Moment) -> u64 {
    let since = moment.saturating_duration_since(began).as_millis();
    u64::try_from(since).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
