//! Identifiers of parties, with their check characters.

/// Whether a text is a party's identifier in its one spelling.
pub(super) fn is_party(text: &str) -> bool {
    match text.split_once(':') {
        Some(("uscc", code)) => is_uscc(code),
        Some(("lei", code)) => is_lei(code),
        Some(("x", name)) => {
            let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
            (1..=32).contains(&name.len())
                && name.as_bytes()[0].is_ascii_lowercase()
                && name.bytes().all(legal)
        }
        _ => false,
    }
}

fn is_uscc(code: &str) -> bool {
    const SYMBOLS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let places: Option<Vec<usize>> = code.chars().map(|c| SYMBOLS.find(c)).collect();
    let Some(places) = places.filter(|places| places.len() == 18) else {
        return false;
    };
    // The organisation code's letters are counted from A = 10 without a gap.
    let organisation = [3, 7, 9, 10, 5, 8, 4, 2];
    let digit = |c: char| c.to_digit(36).map_or(0, |digit| digit as usize);
    let sum: usize = code[8..16]
        .chars()
        .zip(organisation)
        .map(|(c, w)| digit(c) * w)
        .sum();
    let ninth = ["0", "X", "9", "8", "7", "6", "5", "4", "3", "2", "1"][sum % 11];
    // The weights are the powers of three modulo 31.
    let weights = std::iter::successors(Some(1), |weight| Some(weight * 3 % 31));
    let sum: usize = places[..17]
        .iter()
        .zip(weights)
        .map(|(place, w)| place * w)
        .sum();
    code[2..8].bytes().all(|byte| byte.is_ascii_digit())
        && &code[16..17] == ninth
        && places[17] == (31 - sum % 31) % 31
}

fn is_lei(code: &str) -> bool {
    let form = code.len() == 20
        && code
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && code[18..].bytes().all(|byte| byte.is_ascii_digit());
    let step = |rest: u64, digit: u64| (rest * if digit < 10 { 10 } else { 100 } + digit) % 97;
    // 97 and 98 are not also written 00 and 01, nor 02 as 99.
    let range = || ("02"..="98").contains(&&code[18..]);
    form && range()
        && code
            .chars()
            .map(|c| u64::from(c.to_digit(36).unwrap_or(0)))
            .fold(0, step)
            == 1
}
