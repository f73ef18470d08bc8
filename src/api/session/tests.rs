//! Challenges and tokens, without a server.

use super::*;
use crate::domain::testing::{SUPPLIER, World, id, key_of};

fn reader() -> Reader {
    Reader {
        party: id(SUPPLIER),
        key: key_of(id(SUPPLIER)),
    }
}

fn sessions() -> Sessions {
    Sessions::new().unwrap()
}

#[test]
fn a_challenge_ends() {
    let sessions = sessions();
    let now = Moment::now();
    let challenge = sessions.challenge_at(now).unwrap();
    assert!(sessions.spend(&challenge, now + CHALLENGE_LASTS).is_err());
    assert!(sessions.spend(&challenge, now).is_ok());
    assert!(sessions.spend(&challenge, now).is_err());
}

#[test]
fn a_spent_challenge_is_forgotten_when_it_has_ended() {
    let sessions = sessions();
    let now = Moment::now();
    let first = sessions.challenge_at(now).unwrap();
    sessions.spend(&first, now).unwrap();
    let later = now + 2 * CHALLENGE_LASTS;
    let second = sessions.challenge_at(later).unwrap();
    sessions.spend(&second, later).unwrap();
    assert_eq!(sessions.known().spent.len(), 1);
}

#[test]
fn a_challenge_of_another_server_is_none() {
    let challenge = sessions().challenge().unwrap();
    assert!(sessions().spend(&challenge, Moment::now()).is_err());
}

#[test]
fn a_token_is_good_for_fifteen_minutes() {
    let sessions = sessions();
    let old = Moment::now().checked_sub(SESSION_LASTS).unwrap();
    let ended = sessions.admit(reader(), old).unwrap();
    let live = sessions.admit(reader(), Moment::now()).unwrap();
    let show = |token: &str| sessions.reader(Some(&format!("Bearer {token}")));
    assert_eq!(show(&live), Ok(reader()));
    assert_eq!(show(&ended).unwrap_err().code, "session.ended");
}

#[test]
fn a_party_has_so_many_sessions_and_a_new_one_ends_the_oldest() {
    let sessions = sessions();
    let now = Moment::now();
    let first = sessions.admit(reader(), now).unwrap();
    for i in 1..=SESSIONS_PER_PARTY {
        sessions
            .admit(reader(), now + Duration::from_millis(i as u64))
            .unwrap();
    }
    assert_eq!(sessions.known().sessions.len(), SESSIONS_PER_PARTY);
    assert!(sessions.reader(Some(&format!("Bearer {first}"))).is_err());
}

#[test]
fn a_session_ends_with_its_key() {
    let mut world = World::new();
    assert!(reader().view(&world.state, world.time).is_ok());
    let mut party = world.state.parties.get(id(SUPPLIER)).unwrap().clone();
    party.keys.clear();
    let effects = crate::domain::state::Effects {
        parties: [(party.id, Box::new(party))].into_iter().collect(),
        ..Default::default()
    };
    world.state.apply(effects);
    assert_eq!(
        reader().view(&world.state, world.time).unwrap_err().code,
        "session.ended"
    );
}

#[test]
fn a_party_opens_so_many_sessions_a_minute() {
    let world = World::new();
    let sessions = sessions();
    let asked = |challenge| Asked {
        request: SessionRequest {
            ledger: world.state.ledger.as_ref().unwrap().origin.clone(),
            audience: Name::new("http://here").unwrap(),
            party: reader().party,
            challenge,
            expires: world.time.plus_minutes(1),
        },
        key: reader().key,
    };
    let open = || {
        let asked = asked(sessions.challenge().unwrap());
        sessions.open(&asked, "http://here", &world.state, world.time)
    };
    for _ in 0..OPENED_MAX {
        open().unwrap();
    }
    assert_eq!(open().unwrap_err().status.as_u16(), 429);
}
